import { imagePath, images, type ThirdPartyImage } from "../../plan/images";
import { registries } from "../../plan/names";
import { containers, kubernetesObjects, nameOf, ofKinds } from "../lib/kubernetes";
import type { ResourceRule } from "../lib/rule";
import { workloads } from "../lib/types";
import { shown } from "../lib/values";

/** Registries of ours: `LOCATION-docker.pkg.dev/PROJECT` in Google Cloud, the account's ECR on AWS. */
const OURS = "(?:[a-z0-9-]+-docker\\.pkg\\.dev/[^/@]+|\\d{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.amazonaws\\.com)";

/** `REGISTRY/REPOSITORY/IMAGE@sha256:DIGEST`, with or without a tag. */
const PINNED = new RegExp(`^${OURS}/[^@]+@sha256:[0-9a-f]{64}$`);

/** `REGISTRY/mirror/…`: an image of others as the plan pins it. The mirror's tags cannot be moved. */
const mirrors = Object.values<ThirdPartyImage>(images).map(
  (image) => new RegExp(`^${OURS}/${registries.mirror}/${`${imagePath(image)}:${image.tag}`.replaceAll(".", "\\.")}$`),
);
const pinned = (image: string) => PINNED.test(image) || mirrors.some((mirror) => mirror.test(image));

/** A rebuild runs what was tested, from a registry of ours: a tag can be moved, somebody else's registry can go. */
export const imagesByDigest: ResourceRule = {
  name: "images-by-digest",
  description: "Images are pinned by digest and come from a registry of ours",
  plan: ["S4", "D2"],
  types: ofKinds(...workloads),
  check: (resource) =>
    kubernetesObjects(resource).flatMap((each) =>
      containers(each)
        .filter(({ image }) => !pinned(String(image)))
        .map(
          ({ name, image }) =>
            `${each.kind} ${nameOf(each)}: container ${shown(name)} has image ${shown(image)}; name it in the vault's registry with its @sha256 digest`,
        ),
    ),
};
