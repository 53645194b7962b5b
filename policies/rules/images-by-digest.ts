import type { ResourceRule } from "../lib/rule";
import { workloads } from "../lib/types";
import { shown } from "../lib/values";
import { containers } from "./no-plain-secrets";

/** A rebuild runs what was tested: a tag can be moved, a digest cannot. */
export const imagesByDigest: ResourceRule = {
  name: "images-by-digest",
  description: "Images are pinned by digest",
  types: workloads,
  check: ({ props }) =>
    containers(props)
      .filter(({ image }) => !/@sha256:[0-9a-f]{64}$/.test(String(image)))
      .map(({ name, image }) => `container ${shown(name)} has image ${shown(image)}; add its @sha256 digest`),
};
