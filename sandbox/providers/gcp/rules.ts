/**
 * What the cloud's APIs and the provider refuse beyond the shape of the inputs, by resource type: rules for single
 * values by their path (`[]` stands for every element of a list), and conditions between properties in relations.ts.
 */
import type { Props } from "../../lib/types";
import type { CheckFailure } from "../provider";
import { refusals } from "../shape/rules";
import { checkPolicy } from "./policy";
import { relations } from "./relations";
import { loadBalancingRules } from "./rules/load-balancing";
import { monitoringRules } from "./rules/monitoring";
import {
  atMost,
  between,
  bucketLocation,
  bucketName,
  cidr,
  firewallRange,
  labels,
  matches,
  member,
  oneOf,
  projectId,
  type Rule,
  region,
  regionOrZone,
  resourceName,
  role,
  zone,
} from "./syntax";

/** Rules that hold wherever a type has a property of this name. */
const common: Record<string, Rule> = {
  project: projectId,
  region,
  deletionPolicy: oneOf("DELETE", "PREVENT", "ABANDON"),
  labels,
  resourceLabels: labels,
};

const storageClass = oneOf(
  "STANDARD",
  "NEARLINE",
  "COLDLINE",
  "ARCHIVE",
  "MULTI_REGIONAL",
  "REGIONAL",
  "DURABLE_REDUCED_AVAILABILITY",
);
const date = matches(/^\d{4}-\d{2}-\d{2}$/, "a date is written YYYY-MM-DD");
const ports = matches(/^\d{1,5}(?:-\d{1,5})?$/, 'a port is written "80" or "8000-8080"');
const clusterName = resourceName(40);
const keyName = matches(
  /^[a-zA-Z0-9_-]{1,63}$/,
  "a key ring or key has 1 to 63 letters, digits, dashes and underscores",
);
const keyLocation = matches(
  /^(?:global|[a-z]+(?:-[a-z]+\d+)?)$/,
  'a key ring is in a region, "global" or a multi-region',
);
const seconds = matches(/^\d+s$/, 'a duration is written in seconds, e.g. "7776000s"');
const federationId = matches(
  /^(?!gcp-)[a-z0-9-]{4,32}$/,
  "an id has 4 to 32 lower-case letters, digits and dashes, not gcp- first",
);

const nodeConfig: Record<string, Rule> = {
  diskType: oneOf("pd-standard", "pd-balanced", "pd-ssd", "hyperdisk-balanced"),
  diskSizeGb: between(10, 65536),
  "tags[]": resourceName(),
  "kubeletConfig.insecureKubeletReadonlyPortEnabled": oneOf("TRUE", "FALSE"),
  "taints[].effect": oneOf("NO_SCHEDULE", "PREFER_NO_SCHEDULE", "NO_EXECUTE"),
  "workloadMetadataConfig.mode": oneOf("GKE_METADATA", "GCE_METADATA", "MODE_UNSPECIFIED"),
  imageType: matches(/^(?:cos_containerd|ubuntu_containerd|windows_ltsc_containerd)$/i, "e.g. COS_CONTAINERD"),
};
const below = (path: string, rules: Record<string, Rule>): Record<string, Rule> =>
  Object.fromEntries(Object.entries(rules).map(([key, rule]) => [`${path}.${key}`, rule]));

const loggedComponents = [
  "SYSTEM_COMPONENTS",
  "APISERVER",
  "CONTROLLER_MANAGER",
  "KCP_CONNECTION",
  "KCP_HPA",
  "KCP_SSHD",
  "SCHEDULER",
  "WORKLOADS",
];
const measuredComponents = [
  "SYSTEM_COMPONENTS",
  "APISERVER",
  "SCHEDULER",
  "CONTROLLER_MANAGER",
  "STORAGE",
  "HPA",
  "POD",
  "DAEMONSET",
  "DEPLOYMENT",
  "STATEFULSET",
  "KUBELET",
  "CADVISOR",
  "DCGM",
  "JOBSET",
];

/** Rules by resource type and path. */
const rules: Record<string, Record<string, Rule>> = {
  ...loadBalancingRules,
  ...monitoringRules,
  "storage/bucket:Bucket": {
    name: bucketName,
    location: bucketLocation,
    storageClass,
    publicAccessPrevention: oneOf("inherited", "enforced"),
    rpo: oneOf("DEFAULT", "ASYNC_TURBO"),
    "lifecycleRules[].action.type": oneOf("Delete", "SetStorageClass", "AbortIncompleteMultipartUpload"),
    "lifecycleRules[].action.storageClass": storageClass,
    "lifecycleRules[].condition.withState": oneOf("LIVE", "ARCHIVED", "ANY"),
    "lifecycleRules[].condition.matchesStorageClasses[]": storageClass,
    "lifecycleRules[].condition.age": between(0, 100_000),
    "lifecycleRules[].condition.createdBefore": date,
    "lifecycleRules[].condition.customTimeBefore": date,
    "lifecycleRules[].condition.noncurrentTimeBefore": date,
    "retentionPolicy.retentionPeriod": between(1, 3_155_760_000),
    "customPlacementConfig.dataLocations[]": bucketLocation,
    "autoclass.terminalStorageClass": oneOf("NEARLINE", "ARCHIVE"),
  },
  "storage/bucketIAMPolicy:BucketIAMPolicy": { policyData: checkPolicy },
  "serviceaccount/account:Account": {
    accountId: matches(
      /^[a-z](?:[-a-z0-9]{4,28}[a-z0-9])$/,
      "an account id has 6 to 30 lower-case letters, digits and dashes, first a letter, last no dash",
    ),
    displayName: atMost(100),
    description: atMost(256),
  },
  "serviceaccount/iAMBinding:IAMBinding": {
    serviceAccountId: matches(
      /^projects\/[^/]+\/serviceAccounts\/[^/]+$/,
      'write "projects/PROJECT/serviceAccounts/EMAIL", the name of the account',
    ),
    role,
    "members[]": member,
  },
  "projects/iAMCustomRole:IAMCustomRole": {
    roleId: matches(/^[a-zA-Z0-9_.]{3,64}$/, "a role id has 3 to 64 letters, digits, underscores and dots; no dashes"),
    title: atMost(100),
    stage: oneOf("ALPHA", "BETA", "GA", "DEPRECATED", "DISABLED", "EAP"),
    "permissions[]": matches(
      /^[a-z][a-zA-Z0-9]*(?:\.[a-zA-Z0-9]+){2,}$/,
      "a permission is written SERVICE.RESOURCE.VERB, e.g. storage.objects.get",
    ),
  },
  "iam/workloadIdentityPool:WorkloadIdentityPool": {
    workloadIdentityPoolId: federationId,
    displayName: atMost(32),
    description: atMost(256),
    mode: oneOf("FEDERATION_ONLY", "TRUST_DOMAIN"),
  },
  "iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider": {
    workloadIdentityPoolId: federationId,
    workloadIdentityPoolProviderId: federationId,
    displayName: atMost(32),
    description: atMost(256),
    attributeCondition: atMost(4096),
    "oidc.issuerUri": matches(/^https:\/\/\S+$/, "an issuer is an https URL"),
  },
  "projects/iAMMember:IAMMember": { role, member },
  "projects/service:Service": {
    service: matches(/^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/, 'a service is written with its domain, "compute.googleapis.com"'),
  },
  "container/cluster:Cluster": {
    name: clusterName,
    location: regionOrZone,
    "nodeLocations[]": zone,
    networkingMode: oneOf("VPC_NATIVE", "ROUTES"),
    datapathProvider: oneOf("LEGACY_DATAPATH", "ADVANCED_DATAPATH", "DATAPATH_PROVIDER_UNSPECIFIED"),
    "releaseChannel.channel": oneOf("UNSPECIFIED", "RAPID", "REGULAR", "STABLE", "EXTENDED"),
    "privateClusterConfig.masterIpv4CidrBlock": cidr(28, 28),
    "masterAuthorizedNetworksConfig.cidrBlocks[].cidrBlock": cidr(),
    "ipAllocationPolicy.stackType": oneOf("IPV4", "IPV4_IPV6"),
    "dnsConfig.clusterDns": oneOf("PROVIDER_UNSPECIFIED", "PLATFORM_DEFAULT", "CLOUD_DNS"),
    "dnsConfig.clusterDnsScope": oneOf("DNS_SCOPE_UNSPECIFIED", "CLUSTER_SCOPE", "VPC_SCOPE"),
    "databaseEncryption.state": oneOf("ENCRYPTED", "DECRYPTED", "ALL_OBJECTS_ENCRYPTION_ENABLED"),
    "loggingConfig.enableComponents[]": oneOf(...loggedComponents),
    "monitoringConfig.enableComponents[]": oneOf(...measuredComponents),
    "securityPostureConfig.mode": oneOf("DISABLED", "BASIC", "ENTERPRISE"),
    "securityPostureConfig.vulnerabilityMode": oneOf(
      "VULNERABILITY_DISABLED",
      "VULNERABILITY_BASIC",
      "VULNERABILITY_ENTERPRISE",
    ),
    "gatewayApiConfig.channel": oneOf("CHANNEL_DISABLED", "CHANNEL_EXPERIMENTAL", "CHANNEL_STANDARD"),
    "anonymousAuthenticationConfig.mode": oneOf("ENABLED", "LIMITED"),
    "nodePoolDefaults.nodeConfigDefaults.insecureKubeletReadonlyPortEnabled": oneOf("TRUE", "FALSE"),
    "workloadIdentityConfig.workloadPool": matches(/^[^.]+\.svc\.id\.goog$/, 'write "PROJECT.svc.id.goog"'),
    ...below("nodeConfig", nodeConfig),
  },
  "container/nodePool:NodePool": {
    name: clusterName,
    location: regionOrZone,
    nodeCount: between(0, 1000),
    "nodeLocations[]": zone,
    "autoscaling.locationPolicy": oneOf("BALANCED", "ANY"),
    ...below("nodeConfig", nodeConfig),
  },
  "kms/keyRing:KeyRing": { name: keyName, location: keyLocation },
  "kms/cryptoKey:CryptoKey": {
    name: keyName,
    keyRing: matches(/^projects\/[^/]+\/locations\/[^/]+\/keyRings\/[^/]+$/, "write the id of a key ring"),
    purpose: oneOf("ENCRYPT_DECRYPT", "ASYMMETRIC_SIGN", "ASYMMETRIC_DECRYPT", "MAC"),
    rotationPeriod: seconds,
    destroyScheduledDuration: seconds,
    "versionTemplate.protectionLevel": oneOf("SOFTWARE", "HSM", "EXTERNAL", "EXTERNAL_VPC", "HSM_SINGLE_TENANT"),
  },
  "kms/cryptoKeyVersion:CryptoKeyVersion": {
    cryptoKey: matches(
      /^projects\/[^/]+\/locations\/[^/]+\/keyRings\/[^/]+\/cryptoKeys\/[^/]+$/,
      "write the id of a key",
    ),
    state: oneOf("ENABLED", "DISABLED", "DESTROYED"),
  },
  "kms/cryptoKeyIAMBinding:CryptoKeyIAMBinding": { role, "members[]": member },
  "projects/serviceIdentity:ServiceIdentity": {
    service: matches(/^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/, 'a service is written with its domain, "compute.googleapis.com"'),
  },
  "compute/network:Network": {
    name: resourceName(),
    routingMode: oneOf("REGIONAL", "GLOBAL"),
    mtu: between(1300, 8896),
  },
  "compute/subnetwork:Subnetwork": {
    name: resourceName(),
    ipCidrRange: cidr(4, 29),
    "secondaryIpRanges[].rangeName": resourceName(),
    "secondaryIpRanges[].ipCidrRange": cidr(4, 29),
    stackType: oneOf("IPV4_ONLY", "IPV4_IPV6", "IPV6_ONLY"),
  },
  "compute/router:Router": { name: resourceName() },
  "compute/routerNat:RouterNat": {
    name: resourceName(),
    natIpAllocateOption: oneOf("MANUAL_ONLY", "AUTO_ONLY"),
    sourceSubnetworkIpRangesToNat: oneOf(
      "ALL_SUBNETWORKS_ALL_IP_RANGES",
      "ALL_SUBNETWORKS_ALL_PRIMARY_IP_RANGES",
      "LIST_OF_SUBNETWORKS",
    ),
    "logConfig.filter": oneOf("ERRORS_ONLY", "TRANSLATIONS_ONLY", "ALL"),
  },
  "compute/firewall:Firewall": {
    name: resourceName(),
    direction: oneOf("INGRESS", "EGRESS"),
    priority: between(0, 65535),
    "sourceRanges[]": firewallRange,
    "destinationRanges[]": firewallRange,
    "allows[].ports[]": ports,
    "denies[].ports[]": ports,
    "logConfig.metadata": oneOf("EXCLUDE_ALL_METADATA", "INCLUDE_ALL_METADATA"),
  },
  "compute/globalAddress:GlobalAddress": {
    name: resourceName(),
    addressType: oneOf("EXTERNAL", "INTERNAL"),
    ipVersion: oneOf("IPV4", "IPV6"),
    purpose: oneOf("VPC_PEERING", "PRIVATE_SERVICE_CONNECT"),
    prefixLength: between(8, 30),
  },
};

/** Everything the cloud would refuse about inputs whose shape is right. `type` has no `gcp:` in front. */
export function checkRules(type: string, inputs: Props): CheckFailure[] {
  return refusals({ ...common, ...rules[type] }, inputs).concat(relations(type, inputs));
}
