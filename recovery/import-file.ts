/**
 * A lost state is made again from what lives: `pulumi preview --import-file` lists what the program declares, this fills in
 * the ids that the clouds know it by, and `pulumi import --file` reads it back. Nothing is created.
 *
 *     pulumi preview --stack STACK --import-file import.json
 *     node --import tsx recovery/import-file.ts tests/golden/STACK.json import.json
 *     pulumi import --stack STACK --file import.json --protect=false --generate-code=false --yes
 */
import { readFileSync, writeFileSync } from "node:fs";
import { awsGiven, awsIds } from "./aws-ids";

/** A resource as the program declares it: an entry of an inventory in tests/golden. */
export interface Declared {
  type: string;
  name: string;
  inputs?: Record<string, unknown>;
}

/** An entry of Pulumi's import file, as far as it matters here. */
export interface ImportEntry {
  type: string;
  name: string;
  id?: string;
  component?: boolean;
  [key: string]: unknown;
}

/** The file that `pulumi preview --import-file` writes. */
export interface ImportFile {
  nameTable?: Record<string, string>;
  resources: ImportEntry[];
}

type Inputs = Record<string, string>;

const compute = (path: (inputs: Inputs) => string) => (inputs: Inputs) => `projects/${inputs.project}/${path(inputs)}`;

/** Certificate Manager of every region at once. */
const certificates = (collection: string) => (inputs: Inputs) =>
  `projects/${inputs.project}/locations/global/${collection}/${inputs.name}`;

/** Id of each resource type as `pulumi import` takes it. */
const ids: Record<string, (inputs: Inputs, name: string) => string> = {
  ...awsIds,
  "gcp:artifactregistry/repository:Repository": ({ project, location, repositoryId }) =>
    `projects/${project}/locations/${location}/repositories/${repositoryId}`,
  "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember": ({ project, location, repository, role, member }) =>
    `projects/${project}/locations/${location}/repositories/${repository} ${role} ${member}`,
  "gcp:certificatemanager/certificate:Certificate": certificates("certificates"),
  "gcp:certificatemanager/certificateMap:CertificateMap": certificates("certificateMaps"),
  "gcp:certificatemanager/certificateMapEntry:CertificateMapEntry": ({ project, map, name }) =>
    `projects/${project}/locations/global/certificateMaps/${map}/certificateMapEntries/${name}`,
  "gcp:certificatemanager/dnsAuthorization:DnsAuthorization": certificates("dnsAuthorizations"),
  "gcp:compute/backendService:BackendService": compute(({ name }) => `global/backendServices/${name}`),
  "gcp:compute/backendServiceIamBinding:BackendServiceIamBinding": compute(
    ({ name, role }) => `global/backendServices/${name} ${role}`,
  ),
  "gcp:compute/firewall:Firewall": compute(({ name }) => `global/firewalls/${name}`),
  "gcp:compute/globalAddress:GlobalAddress": compute(({ name }) => `global/addresses/${name}`),
  "gcp:compute/globalForwardingRule:GlobalForwardingRule": compute(({ name }) => `global/forwardingRules/${name}`),
  "gcp:compute/healthCheck:HealthCheck": compute(({ name }) => `global/healthChecks/${name}`),
  "gcp:compute/network:Network": compute(({ name }) => `global/networks/${name}`),
  "gcp:compute/networkEndpointGroup:NetworkEndpointGroup": compute(
    ({ zone, name }) => `zones/${zone}/networkEndpointGroups/${name}`,
  ),
  "gcp:compute/router:Router": compute(({ region, name }) => `regions/${region}/routers/${name}`),
  "gcp:compute/routerNat:RouterNat": ({ project, region, router, name }) => `${project}/${region}/${router}/${name}`,
  "gcp:compute/subnetwork:Subnetwork": compute(({ region, name }) => `regions/${region}/subnetworks/${name}`),
  "gcp:compute/sSLPolicy:SSLPolicy": compute(({ name }) => `global/sslPolicies/${name}`),
  "gcp:compute/securityPolicy:SecurityPolicy": compute(({ name }) => `global/securityPolicies/${name}`),
  "gcp:compute/targetHttpProxy:TargetHttpProxy": compute(({ name }) => `global/targetHttpProxies/${name}`),
  "gcp:compute/targetHttpsProxy:TargetHttpsProxy": compute(({ name }) => `global/targetHttpsProxies/${name}`),
  "gcp:compute/uRLMap:URLMap": compute(({ name }) => `global/urlMaps/${name}`),
  "gcp:container/cluster:Cluster": ({ project, location, name }) =>
    `projects/${project}/locations/${location}/clusters/${name}`,
  "gcp:container/nodePool:NodePool": ({ cluster, name }) => `${cluster}/nodePools/${name}`,
  "gcp:iam/workloadIdentityPool:WorkloadIdentityPool": ({ project, workloadIdentityPoolId }) =>
    `projects/${project}/locations/global/workloadIdentityPools/${workloadIdentityPoolId}`,
  "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider": (inputs) =>
    `projects/${inputs.project}/locations/global/workloadIdentityPools/${inputs.workloadIdentityPoolId}/providers/${inputs.workloadIdentityPoolProviderId}`,
  "gcp:kms/keyRing:KeyRing": ({ project, location, name }) =>
    `projects/${project}/locations/${location}/keyRings/${name}`,
  "gcp:kms/cryptoKey:CryptoKey": ({ keyRing, name }) => `${keyRing}/cryptoKeys/${name}`,
  // Versions are called by the numbers that Google gives them.
  "gcp:kms/cryptoKeyVersion:CryptoKeyVersion": ({ cryptoKey }, name) =>
    `${cryptoKey}/cryptoKeyVersions/${name.split("-").at(-1)}`,
  "gcp:kms/cryptoKeyIAMBinding:CryptoKeyIAMBinding": ({ cryptoKeyId, role }) => `${cryptoKeyId} ${role}`,
  "gcp:logging/metric:Metric": ({ project, name }) => `${project} ${name}`,
  "gcp:logging/projectBucketConfig:ProjectBucketConfig": ({ project, location, bucketId }) =>
    `projects/${project}/locations/${location}/buckets/${bucketId}`,
  "gcp:projects/iAMAuditConfig:IAMAuditConfig": ({ project, service }) => `${project} ${service}`,
  "gcp:projects/iAMCustomRole:IAMCustomRole": ({ project, roleId }) => `projects/${project}/roles/${roleId}`,
  "gcp:projects/iAMMember:IAMMember": ({ project, role, member }) => `${project} ${role} ${member}`,
  "gcp:projects/service:Service": ({ project, service }) => `${project}/${service}`,
  "gcp:serviceaccount/account:Account": ({ project, accountId }) =>
    `projects/${project}/serviceAccounts/${accountId}@${project}.iam.gserviceaccount.com`,
  "gcp:serviceaccount/iAMBinding:IAMBinding": ({ serviceAccountId, role }) => `${serviceAccountId} ${role}`,
  "gcp:storage/bucket:Bucket": ({ name }) => `${name}`,
  "gcp:storage/bucketIAMPolicy:BucketIAMPolicy": ({ bucket }) => `b/${bucket}`,
};

/**
 * What lives in clusters is applied again over what is there; passwords are of their store. Cloud Monitoring names its things
 * itself, so they are made again (docs/runbooks/state-lost.md removes the old ones); a service's identity cannot be imported,
 * and making it again changes nothing.
 */
const leftOut = /^(kubernetes:|random:|pulumi:|gcp:monitoring\/|gcp:projects\/serviceIdentity:)/;
const isLeftOut = (type: string) => leftOut.test(type) || awsGiven.test(type);

/**
 * Id of one resource by its inputs; undefined for what is made again instead of imported.
 * @throws Error for a type whose ids are not known here, or inputs that say too little
 */
export function idOf(type: string, name: string, inputs: Record<string, unknown>): string | undefined {
  if (leftOut.test(type)) return undefined;
  const known = ids[type];
  if (!known)
    throw new Error(`${type} "${name}": how its id is written is not known; add it to recovery/import-file.ts`);
  const id = known(inputs as Inputs, name);
  if (id.includes("undefined"))
    throw new Error(`${type} "${name}": what is declared says too little for its id, ${id}`);
  // A condition is part of what tells two bindings apart.
  const condition = inputs.condition as { title?: string } | undefined;
  return condition?.title ? `${id} ${condition.title}` : id;
}

/**
 * Ids of an inventory's resources by `TYPE NAME`. An inventory says `NAME-id` where an input is another resource's id.
 * @throws Error for a type whose ids are not known here, or an inventory that says too little
 */
export function importIds(inventory: Declared[]): Map<string, string> {
  const imported = inventory.filter(({ type, inputs }) => inputs && !isLeftOut(type));
  const references = new Map(imported.map((each) => [`${each.name}-id`, each]));
  const resolve = ({ type, name, inputs = {} }: Declared): string => {
    const entries = Object.entries(inputs).map(([key, value]) => {
      const target = typeof value === "string" ? references.get(value) : undefined;
      return [key, target ? resolve(target) : value];
    });
    // What was left out has no id, and is none of these.
    return idOf(type, name, Object.fromEntries(entries))!;
  };
  return new Map(imported.map((each) => [`${each.type} ${each.name}`, resolve(each)]));
}

/**
 * Fills in the ids of an import file. Components have none; what cannot be imported is left out.
 * @throws Error naming what the inventory does not have: inventory and program are not of one commit
 */
export function completeImportFile(file: ImportFile, inventory: Declared[]): ImportFile {
  const known = importIds(inventory);
  return {
    ...file,
    resources: file.resources
      .filter(({ type }) => !isLeftOut(type))
      .map((entry) => {
        if (entry.component) return entry;
        const id = known.get(`${entry.type} ${entry.name}`);
        if (id) return { ...entry, id };
        throw new Error(`${entry.type} "${entry.name}" is not in the inventory; make the inventory of this commit`);
      }),
  };
}

if (require.main === module) {
  const [inventory, path] = process.argv.slice(2);
  if (!inventory || !path)
    throw new Error("usage: import-file.ts INVENTORY IMPORT_FILE, e.g. tests/golden/prod.json import.json");
  const read = (of: string) => JSON.parse(readFileSync(of, "utf8"));
  writeFileSync(path, `${JSON.stringify(completeImportFile(read(path), read(inventory)), null, 2)}\n`);
}
