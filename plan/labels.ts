/** Labels on Google Cloud resources that policies and people go by. */
import type { BucketStore } from "./permissions";

/** Says which column of the identity matrix a bucket is. */
export const storeLabel = "iconik-store";

/** Label value of a store, e.g. `second-copy`. */
export function storeLabelValue(store: BucketStore): string {
  return store.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
