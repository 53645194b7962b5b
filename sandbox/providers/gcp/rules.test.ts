import assert from "node:assert/strict";
import { test } from "node:test";
import type { Props } from "../../lib/types";
import { UNKNOWN } from "../values";
import { checkShape } from "./check";
import { checkRules } from "./rules";
import { resourceType } from "./table";

/** Valid inputs per type; each refusal below changes one property of them. */
const valid: Record<string, Props> = {
  "storage/bucket:Bucket": {
    name: "site-backups",
    project: "my-project",
    location: "EU",
    storageClass: "STANDARD",
    publicAccessPrevention: "enforced",
    labels: { owner: "storage" },
    softDeletePolicy: { retentionDurationSeconds: 604_800 },
    lifecycleRules: [
      { action: { type: "SetStorageClass", storageClass: "COLDLINE" }, condition: { age: 30, withState: "ANY" } },
    ],
  },
  "storage/bucketIAMPolicy:BucketIAMPolicy": {
    bucket: "b",
    policyData: JSON.stringify({
      bindings: [{ role: "roles/storage.objectViewer", members: ["serviceAccount:a@p.iam.gserviceaccount.com"] }],
    }),
  },
  "serviceaccount/account:Account": { accountId: "backup-writer", project: "my-project" },
  "serviceaccount/iAMBinding:IAMBinding": {
    serviceAccountId: "projects/p/serviceAccounts/a@p.iam.gserviceaccount.com",
    role: "roles/iam.workloadIdentityUser",
    members: ["serviceAccount:p.svc.id.goog[ns/ksa]"],
  },
  "projects/iAMCustomRole:IAMCustomRole": {
    roleId: "backup.writer_1",
    title: "Writer",
    permissions: ["storage.objects.create"],
    project: "my-project",
  },
  "projects/iAMMember:IAMMember": { project: "my-project", role: "projects/my-project/roles/x_y", member: "allUsers" },
  "iam/workloadIdentityPool:WorkloadIdentityPool": { workloadIdentityPoolId: "github", project: "my-project" },
  "iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider": {
    workloadIdentityPoolId: "github",
    workloadIdentityPoolProviderId: "actions",
    attributeMapping: { "google.subject": "assertion.sub" },
    oidc: { issuerUri: "https://token.actions.githubusercontent.com" },
  },
  "kms/keyRing:KeyRing": { name: "states", location: "europe", project: "my-project" },
  "kms/cryptoKey:CryptoKey": { name: "prod", keyRing: "projects/p/locations/europe/keyRings/states" },
  "kms/cryptoKeyVersion:CryptoKeyVersion": {
    cryptoKey: "projects/p/locations/europe/keyRings/states/cryptoKeys/prod",
  },
  "kms/cryptoKeyIAMBinding:CryptoKeyIAMBinding": {
    cryptoKeyId: "projects/p/locations/europe/keyRings/states/cryptoKeys/prod",
    role: "roles/cloudkms.cryptoKeyDecrypter",
    members: ["group:g@example.com"],
  },
  "projects/service:Service": { service: "compute.googleapis.com", project: "my-project" },
  "container/cluster:Cluster": {
    name: "site",
    location: "europe-west1",
    nodeLocations: ["europe-west1-b", "europe-west1-d"],
    initialNodeCount: 1,
    project: "my-project",
    dnsConfig: { clusterDns: "CLOUD_DNS", clusterDnsScope: "VPC_SCOPE", clusterDnsDomain: "site.internal" },
    workloadIdentityConfig: { workloadPool: "my-project.svc.id.goog" },
  },
  "container/nodePool:NodePool": {
    cluster: "projects/p/locations/europe-west1/clusters/site",
    nodeConfig: { taints: [{ key: "k", value: "v", effect: "NO_SCHEDULE" }], diskType: "pd-ssd" },
  },
  "compute/network:Network": { name: "site", routingMode: "GLOBAL", project: "my-project" },
  "compute/subnetwork:Subnetwork": {
    name: "site",
    network: "n",
    region: "europe-west1",
    ipCidrRange: "10.0.0.0/20",
    secondaryIpRanges: [{ rangeName: "pods", ipCidrRange: "10.4.0.0/14" }],
  },
  "compute/router:Router": { name: "site", network: "n", region: "europe-west1" },
  "compute/routerNat:RouterNat": {
    router: "r",
    region: "europe-west1",
    natIpAllocateOption: "AUTO_ONLY",
    sourceSubnetworkIpRangesToNat: "ALL_SUBNETWORKS_ALL_IP_RANGES",
  },
  "compute/firewall:Firewall": {
    network: "n",
    sourceRanges: ["10.4.0.0/14", "2001:db8::/32"],
    allows: [{ protocol: "tcp", ports: ["7000-7001", "9042"] }],
  },
  "compute/globalAddress:GlobalAddress": {
    name: "peering",
    addressType: "INTERNAL",
    purpose: "VPC_PEERING",
    prefixLength: 16,
  },
};

function failures(type: string, inputs: Props): string[] {
  const table = resourceType(`gcp:${type}`);
  assert.ok(table, type);
  return [...checkShape(table, inputs), ...checkRules(type, inputs)].map((one) => `${one.property}: ${one.reason}`);
}

for (const [type, inputs] of Object.entries(valid)) {
  test(`${type}: valid inputs pass, and so do values that are not known yet`, () => {
    assert.deepEqual(failures(type, inputs), []);
    const unknowns = Object.fromEntries(Object.keys(inputs).map((name) => [name, UNKNOWN]));
    assert.deepEqual(failures(type, unknowns), []);
  });
}

const refusals: [type: string, change: Props, expected: RegExp][] = [
  ["storage/bucket:Bucket", { name: "Site_Backups" }, /^name: "Site_Backups" is not a bucket's name/],
  ["storage/bucket:Bucket", { name: "192.168.0.1" }, /^name: .*no IP address/],
  ["storage/bucket:Bucket", { name: "my-google-bucket" }, /^name: .*contain "google"/],
  ["storage/bucket:Bucket", { name: "x".repeat(64) }, /^name: /],
  ["storage/bucket:Bucket", { location: "EUROPE" }, /^location: "EUROPE" is not a location/],
  ["storage/bucket:Bucket", { location: undefined }, /^location: Missing required argument/],
  ["storage/bucket:Bucket", { storageClass: "COLD" }, /^storageClass: expected one of STANDARD, .* got "COLD"/],
  ["storage/bucket:Bucket", { publicAccessPrevention: "on" }, /expected one of inherited, enforced, got "on"/],
  ["storage/bucket:Bucket", { labels: { Owner: "x" } }, /^labels: label key "Owner"/],
  ["storage/bucket:Bucket", { labels: { owner: "A B" } }, /^labels: label owner="A B"/],
  ["storage/bucket:Bucket", { lables: {} }, /^lables: "lables" is not a property here; did you mean "labels"\?/],
  ["storage/bucket:Bucket", { forceDestroy: "yes" }, /^forceDestroy: must be a boolean, but is "yes"/],
  ["storage/bucket:Bucket", { softDeletePolicy: { retentionDurationSeconds: 60 } }, /^softDeletePolicy\.ret.*604800/],
  [
    "storage/bucket:Bucket",
    { lifecycleRules: [{ action: { type: "Delete" }, condition: {} }] },
    /^lifecycleRules\[0\]\.condition: a lifecycle rule needs a condition/,
  ],
  [
    "storage/bucket:Bucket",
    {
      lifecycleRules: [
        { action: { type: "AbortIncompleteMultipartUpload" }, condition: { age: 1, withState: "ARCHIVED" } },
      ],
    },
    /^lifecycleRules\[0\]\.condition\.withState: AbortIncompleteMultipartUpload takes age, matchesPrefixes, matchesS/,
  ],
  [
    "storage/bucket:Bucket",
    { lifecycleRules: [{ action: { type: "Remove" }, condition: { age: 1 } }] },
    /^lifecycleRules\[0\]\.action\.type: expected one of Delete/,
  ],
  [
    "storage/bucket:Bucket",
    { lifecycleRules: [{ action: { type: "Delete", clas: "x" }, condition: { age: 1 } }] },
    /^lifecycleRules\[0\]\.action\.clas: "clas" is not a property here/,
  ],
  ["storage/bucketIAMPolicy:BucketIAMPolicy", { policyData: "{" }, /^policyData: is not JSON/],
  [
    "storage/bucketIAMPolicy:BucketIAMPolicy",
    { policyData: JSON.stringify({ bindings: [{ role: "storage.admin", members: [] }] }) },
    /^policyData: bindings\[0\]: "storage.admin" is not valid: a role is/,
  ],
  ["serviceaccount/account:Account", { accountId: "abc" }, /^accountId: "abc" is not valid/],
  ["serviceaccount/iAMBinding:IAMBinding", { members: ["a@p.com"] }, /^members\[0\]: "a@p.com" is not valid: a member/],
  ["serviceaccount/iAMBinding:IAMBinding", { condition: { title: "t" } }, /^condition\.expression: Missing/],
  ["projects/iAMCustomRole:IAMCustomRole", { roleId: "backup-writer" }, /^roleId: .*no dashes/],
  ["projects/iAMCustomRole:IAMCustomRole", { permissions: ["storage.objects"] }, /^permissions\[0\]: /],
  ["projects/iAMMember:IAMMember", { project: "P" }, /^project: "P" is not valid/],
  ["iam/workloadIdentityPool:WorkloadIdentityPool", { workloadIdentityPoolId: "gcp-own" }, /^workloadIdentityPoolId: /],
  ["iam/workloadIdentityPool:WorkloadIdentityPool", { displayName: "x".repeat(33) }, /^displayName: /],
  [
    "iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider",
    { oidc: { issuerUri: "http://x" } },
    /^oidc\.issuerUri: .*https/,
  ],
  ["kms/keyRing:KeyRing", { name: "a.b" }, /^name: /],
  ["kms/cryptoKey:CryptoKey", { versionTemplate: { algorithm: "A", protectionLevel: "hsm" } }, /protectionLevel/],
  ["kms/cryptoKeyVersion:CryptoKeyVersion", { cryptoKey: "prod" }, /^cryptoKey: /],
  ["kms/cryptoKey:CryptoKey", { rotationPeriod: "90d" }, /^rotationPeriod: .*in seconds/],
  ["kms/cryptoKey:CryptoKey", { keyRing: undefined }, /^keyRing: Missing/],
  ["kms/cryptoKeyIAMBinding:CryptoKeyIAMBinding", { members: ["g"] }, /^members\[0\]: /],
  ["projects/service:Service", { service: "compute" }, /^service: "compute" is not valid/],
  [
    "container/cluster:Cluster",
    { location: "europe-wset1", nodeLocations: undefined },
    /^location: "europe-wset1" is neither/,
  ],
  ["container/cluster:Cluster", { nodeLocations: ["europe-west1-a"] }, /^nodeLocations\[0\]: .*not a zone/],
  ["container/cluster:Cluster", { nodeLocations: ["us-east1-b"] }, /"us-east1-b" is not a zone of europe-west1/],
  ["container/cluster:Cluster", { initialNodeCount: undefined }, /^initialNodeCount: must be greater than zero/],
  ["container/cluster:Cluster", { networkingMode: "VPC_NATIVE" }, /^ipAllocationPolicy: /],
  ["container/nodePool:NodePool", { cluster: undefined }, /^cluster: Missing/],
  [
    "container/nodePool:NodePool",
    { nodeConfig: { taints: [{ key: "k", value: "v", effect: "NoSchedule" }] } },
    /^nodeConfig\.taints\[0\]\.effect: expected one of NO_SCHEDULE/,
  ],
  ["container/nodePool:NodePool", { nodeConfig: { labels: { "x.k8s.io/pool": "a" } } }, /^nodeConfig\.labels: label/],
  ["compute/network:Network", { name: "Site" }, /^name: "Site" is not valid/],
  ["compute/subnetwork:Subnetwork", { ipCidrRange: "10.0.0.1/20" }, /the range is written 10\.0\.0\.0\/20/],
  ["compute/subnetwork:Subnetwork", { ipCidrRange: "10.5.0.0/20" }, /10\.4\.0\.0\/14 overlaps 10\.5\.0\.0\/20/],
  ["compute/subnetwork:Subnetwork", { region: "mars-north1" }, /^region: "mars-north1" is not a region/],
  ["compute/routerNat:RouterNat", { natIpAllocateOption: "AUTO" }, /^natIpAllocateOption: expected one of/],
  ["compute/routerNat:RouterNat", { sourceSubnetworkIpRangesToNat: "LIST_OF_SUBNETWORKS" }, /^subnetworks: /],
  ["compute/firewall:Firewall", { allows: undefined }, /^allows: exactly one of/],
  ["compute/firewall:Firewall", { sourceRanges: undefined }, /^sourceRanges: one of sourceTags/],
  ["compute/firewall:Firewall", { sourceRanges: ["10.0.0.0/33"] }, /^sourceRanges\[0\]: .*not an IPv4 range/],
  ["compute/globalAddress:GlobalAddress", { purpose: "PEERING" }, /^purpose: expected one of/],
];

for (const [type, change, expected] of refusals) {
  test(`${type}: refuses ${JSON.stringify(change)}`, () => {
    const found = failures(type, { ...valid[type], ...change });
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0]!, expected);
  });
}
