/** Every rule of the pack. */
import { alerts } from "../../plan/alerts";
import type { Rule } from "../lib/rule";
import { alertsDeclared } from "./alerts-declared";
import { backendServiceGuarded } from "./backend-service-guarded";
import { backupBucketMultiRegion } from "./backup-bucket-multi-region";
import { backupsScheduled } from "./backups-scheduled";
import { bucketIamAuthoritative } from "./bucket-iam-authoritative";
import { bucketPublicAccessPrevented } from "./bucket-public-access-prevented";
import { bucketUniformAccess } from "./bucket-uniform-access";
import { cassandraEncrypted } from "./cassandra-encrypted";
import { cassandraTwoReplicas } from "./cassandra-two-replicas";
import { clusterPrivateWorkloadIdentity } from "./cluster-private-workload-identity";
import { clusterSecretsEncrypted } from "./cluster-secrets-encrypted";
import { copiesOutsidePrimary } from "./copies-outside-primary";
import { copiesRetention } from "./copies-retention";
import { copiesVerified } from "./copies-verified";
import { cronjobSafe } from "./cronjob-safe";
import { customerBucketsExcluded } from "./customer-buckets-excluded";
import { dataProtected } from "./data-protected";
import { dnsFailoverDeclared } from "./dns-failover-declared";
import { ecrImmutable } from "./ecr-immutable";
import { eksPrivate } from "./eks-private";
import { examplesReplaced } from "./examples-replaced";
import { failoverInTime } from "./failover-in-time";
import { httpsOnly } from "./https-only";
import { identitiesOwnPods } from "./identities-own-pods";
import { imagesByDigest } from "./images-by-digest";
import { imagesReleased } from "./images-released";
import { leastPrivilege } from "./least-privilege";
import { lifecycleKeepsData } from "./lifecycle-keeps-data";
import { loadBalancerEveryRegion } from "./load-balancer-every-region";
import { markersSigned } from "./markers-signed";
import { mediaReplicated } from "./media-replicated";
import { networkPolicies } from "./network-policies";
import { networksClosed } from "./networks-closed";
import { nightlySchedule } from "./nightly-schedule";
import { noExportedKeys } from "./no-exported-keys";
import { noPlainSecrets } from "./no-plain-secrets";
import { noSharedFate } from "./no-shared-fate";
import { oneRegistry } from "./one-registry";
import { operatorsProtected } from "./operators-protected";
import { repairScheduled } from "./repair-scheduled";
import { resourcesLabelled } from "./resources-labelled";
import { s3LockedCopies } from "./s3-locked-copies";
import { s3PublicBlocked } from "./s3-public-blocked";
import { s3TlsOnly } from "./s3-tls-only";
import { secondCopyApart } from "./second-copy-apart";
import { servicesEveryRegion } from "./services-every-region";
import { standbyLeastPrivilege } from "./standby-least-privilege";
import { storesAuthenticated } from "./stores-authenticated";
import { storesEveryRegion } from "./stores-every-region";

/** Rules that previews and updates have to meet. */
export const rules: readonly Rule[] = [
  alertsDeclared(alerts),
  backendServiceGuarded,
  backupBucketMultiRegion,
  backupsScheduled,
  bucketIamAuthoritative,
  bucketPublicAccessPrevented,
  bucketUniformAccess,
  cassandraEncrypted,
  cassandraTwoReplicas,
  clusterPrivateWorkloadIdentity,
  clusterSecretsEncrypted,
  copiesOutsidePrimary,
  copiesRetention,
  copiesVerified,
  cronjobSafe,
  customerBucketsExcluded,
  dataProtected,
  dnsFailoverDeclared,
  ecrImmutable,
  eksPrivate,
  examplesReplaced,
  failoverInTime,
  httpsOnly,
  identitiesOwnPods,
  imagesByDigest,
  imagesReleased,
  leastPrivilege,
  lifecycleKeepsData,
  loadBalancerEveryRegion,
  markersSigned,
  mediaReplicated,
  networkPolicies,
  networksClosed,
  nightlySchedule,
  noExportedKeys,
  noPlainSecrets,
  noSharedFate,
  oneRegistry,
  operatorsProtected,
  repairScheduled,
  resourcesLabelled,
  s3LockedCopies,
  s3PublicBlocked,
  s3TlsOnly,
  secondCopyApart,
  servicesEveryRegion,
  standbyLeastPrivilege,
  storesAuthenticated,
  storesEveryRegion,
];
