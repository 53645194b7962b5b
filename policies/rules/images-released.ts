import { isDrillProject } from "../../plan/names";
import { containers, kubernetesObjects, nameOf, ofKinds } from "../lib/kubernetes";
import type { ResourceRule } from "../lib/rule";
import { workloads } from "../lib/types";
import { shown } from "../lib/values";

const UNSET = /@sha256:0{64}$/;

/**
 * The digest of the example is no image. A warning and no refusal: the repository's stack files carry it until the pipeline
 * that builds the image has set the first one; what would run it would only fail to start.
 */
export const imagesReleased: ResourceRule = {
  name: "images-released",
  description: "Images have a digest that a pipeline set, not the example's",
  plan: ["S4", "D2"],
  level: "advisory",
  types: ofKinds(...workloads),
  check: (resource) =>
    kubernetesObjects(resource).flatMap((each) =>
      containers(each)
        .filter(({ image }) => UNSET.test(String(image)) && !isDrillProject(String(image).split("/")[1] ?? ""))
        .map(
          ({ image }) =>
            `${each.kind} ${nameOf(each)}: image ${shown(image)} is the example's; set the digest of one that was built`,
        ),
    ),
};
