import { isDrillProject } from "../../plan/names";
import { judge } from "../lib/judge";
import { containers, kubernetesObjects, ofKinds } from "../lib/kubernetes";
import type { Declared, StackRule } from "../lib/rule";
import { workloads } from "../lib/types";
import { shown } from "../lib/values";

const UNSET = /@sha256:0{64}$/;
const isWorkload = ofKinds(...workloads);

/**
 * The digest of the example is no image. A warning and no refusal, once for each image: the repository's stack files carry it
 * until the pipeline that builds the image has set the first one; what would run it would only fail to start.
 */
export const imagesReleased: StackRule = {
  name: "images-released",
  description: "Images have a digest that a pipeline set, not the example's",
  plan: ["S4", "D2"],
  level: "advisory",
  checkStack: (resources) => {
    const users = new Map<string, Set<string>>();
    judge(resources, (each) => {
      for (const image of examplesOf(each)) users.set(image, (users.get(image) ?? new Set()).add(each.name));
      return [];
    });
    return [...users].map(
      ([image, { size }]) =>
        `image ${shown(image)} of ${size === 1 ? "one workload" : `${size} workloads`} is the example's; set the digest of one that was built`,
    );
  },
};

/** Images of a workload that have the example's digest. */
function examplesOf(resource: Declared): string[] {
  if (!isWorkload(resource.type)) return [];
  return kubernetesObjects(resource)
    .flatMap(containers)
    .map(({ image }) => String(image))
    .filter((image) => UNSET.test(image) && !isDrillProject(image.split("/")[1] ?? ""));
}
