/** Every rule of the pack. */
import type { Rule } from "../lib/rule";
import { backupBucketMultiRegion } from "./backup-bucket-multi-region";
import { backupsScheduled } from "./backups-scheduled";
import { bucketIamAuthoritative } from "./bucket-iam-authoritative";
import { bucketPublicAccessPrevented } from "./bucket-public-access-prevented";
import { bucketUniformAccess } from "./bucket-uniform-access";
import { cassandraTwoReplicas } from "./cassandra-two-replicas";
import { clusterPrivateWorkloadIdentity } from "./cluster-private-workload-identity";
import { copiesOutsidePrimary } from "./copies-outside-primary";
import { copiesRetention } from "./copies-retention";
import { cronjobSafe } from "./cronjob-safe";
import { customerBucketsExcluded } from "./customer-buckets-excluded";
import { dataProtected } from "./data-protected";
import { identitiesOwnPods } from "./identities-own-pods";
import { imagesByDigest } from "./images-by-digest";
import { leastPrivilege } from "./least-privilege";
import { noExportedKeys } from "./no-exported-keys";
import { noPlainSecrets } from "./no-plain-secrets";

export const rules: readonly Rule[] = [
  backupBucketMultiRegion,
  backupsScheduled,
  bucketIamAuthoritative,
  bucketPublicAccessPrevented,
  bucketUniformAccess,
  cassandraTwoReplicas,
  clusterPrivateWorkloadIdentity,
  copiesOutsidePrimary,
  copiesRetention,
  cronjobSafe,
  customerBucketsExcluded,
  dataProtected,
  identitiesOwnPods,
  imagesByDigest,
  leastPrivilege,
  noExportedKeys,
  noPlainSecrets,
];
