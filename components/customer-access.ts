import {
  type CustomerBucket,
  customersAudience,
  customersConfigMap,
  customersFolder,
  customersToken,
  isAtGoogle,
} from "../plan/customers";
import { accessVolume } from "./access-volume";

/**
 * What a container of the services has to be told of customers' own buckets, and its pod to bring: the list, and a token for their
 * pools at Google where there are any.
 */
export function customerAccess(buckets: readonly CustomerBucket[]) {
  const name = customersConfigMap;
  const token = buckets.some(isAtGoogle) ? { audience: customersAudience, path: customersToken } : undefined;
  return {
    env: { name: "CUSTOMERS", value: customersFolder },
    mount: { name, mountPath: customersFolder, readOnly: true },
    volume: accessVolume(name, name, token),
  };
}
