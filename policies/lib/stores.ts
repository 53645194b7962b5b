/** Which store of the identity matrix a declared bucket is. */

import { stores } from "../../plan/identities";
import { storeLabel, storeLabelValue } from "../../plan/labels";
import { type BucketStore, isBucketStore } from "../../plan/permissions";
import type { Declared } from "./rule";
import { types } from "./types";
import { object } from "./values";

/** The store that a bucket's label says, or undefined when it has none of ours. */
export function storeOf(bucket: Declared): BucketStore | undefined {
  const label = object(bucket.props.labels)[storeLabel];
  return stores.filter(isBucketStore).find((store) => storeLabelValue(store) === label);
}

/** Declared buckets of a store. */
export function bucketsOf(store: BucketStore, resources: Declared[]): Declared[] {
  return resources.filter((each) => each.type === types.bucket && storeOf(each) === store);
}

/** Declared buckets by their Google Cloud name. */
export function bucketsByName(resources: Declared[]): Map<string, Declared> {
  return new Map(
    resources.filter(({ type }) => type === types.bucket).map((bucket) => [String(bucket.props.name), bucket]),
  );
}
