/**
 * Customers' own buckets (S6, D4): the product uses them where they are, and the plan neither declares nor copies them. On the
 * standby their owners let the services in without a key, by what is said here.
 */
import { namespaces } from "./names";

/** Kubernetes account of the services that use them. */
export const customersUser = { namespace: namespaces.services, name: "api" } as const;

/** What every customer's bucket has. */
interface Named {
  /** What the product calls it by. */
  name: string;
}

/** A bucket in S3, in an account of the customer's. */
export interface CustomerS3Bucket extends Named {
  /** `s3://BUCKET`. */
  bucket: string;
  region: string;
  /** ARN of the customer's role, whose trust names role `standby-services`, with sts:AssumeRole and sts:TagSession. */
  role: string;
  /** What the role's trust asks for, against confused deputies. Default: nothing. */
  externalId?: string | undefined;
}

/** A bucket in Cloud Storage, in a project of the customer's. It is there as far as Google Cloud is. */
export interface CustomerGoogleBucket extends Named {
  /** `gs://BUCKET`. */
  bucket: string;
  /**
   * Provider of a workload identity pool of the customer's, `//iam.googleapis.com/projects/…`: it trusts the issuer of the standby's
   * cluster and takes tokens for {@link customersAudience}.
   */
  provider: string;
  /** Service account of the customer's that the pool's subject {@link customersUser} may act as. */
  serviceAccount: string;
}

export type CustomerBucket = CustomerS3Bucket | CustomerGoogleBucket;

/** Does a bucket lie in Cloud Storage? */
export const isAtGoogle = (bucket: CustomerBucket): bucket is CustomerGoogleBucket => bucket.bucket.startsWith("gs://");

/** Whom the services' token for customers' pools is for: one token serves all of them, and nothing else. */
export const customersAudience = "iconik-standby";

/** ConfigMap with the list, and where it and the token are in a pod of the API. */
export const customersConfigMap = "customer-buckets";
export const customersFolder = "/var/run/customers";
export const customersFile = "buckets.json";
export const customersToken = "token";
