import { mediaBucket, mediaBuckets } from "../../plan/media";
import type { ResourceRule } from "../lib/rule";
import { storeOf } from "../lib/stores";
import { types } from "../lib/types";

const ours = mediaBuckets.flatMap(({ name, secondary }) => [name, secondary]);

/** S6: customer-owned buckets are theirs; the plan neither declares nor copies them. */
export const customerBucketsExcluded: ResourceRule = {
  name: "customer-buckets-excluded",
  description: "Media stores are the product's own buckets only",
  plan: ["S6"],
  types: [types.bucket],
  check: (bucket) => {
    const store = storeOf(bucket);
    if (store !== "media" && store !== "secondMedia") return [];
    const name = String(bucket.props.name);
    return mediaBucket(name) ? [] : [`bucket ${name} is none of ${ours.join(", ")}; customer buckets stay out`];
  },
};
