/**
 * Writes schema.json, the table of resource types the sandbox knows, from the provider's package schema:
 *
 *     node --import tsx sandbox/providers/gcp/generate.ts ../shared/schemas/gcp-9.35.json
 *
 * To teach the sandbox another resource type, add it to {@link resourceTypes} and run this again.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ObjectType, Table } from "../shape/table";

/** Resource types that the table holds, as `new gcp.…` registers them without the `gcp:` in front. */
export const resourceTypes = [
  "artifactregistry/repository:Repository",
  "artifactregistry/repositoryIamMember:RepositoryIamMember",
  "certificatemanager/certificate:Certificate",
  "certificatemanager/certificateMap:CertificateMap",
  "certificatemanager/certificateMapEntry:CertificateMapEntry",
  "certificatemanager/dnsAuthorization:DnsAuthorization",
  "compute/backendService:BackendService",
  "compute/backendServiceIamBinding:BackendServiceIamBinding",
  "compute/firewall:Firewall",
  "compute/globalAddress:GlobalAddress",
  "compute/globalForwardingRule:GlobalForwardingRule",
  "compute/healthCheck:HealthCheck",
  "compute/network:Network",
  "compute/networkEndpointGroup:NetworkEndpointGroup",
  "compute/router:Router",
  "compute/routerNat:RouterNat",
  "compute/sSLPolicy:SSLPolicy",
  "compute/securityPolicy:SecurityPolicy",
  "compute/subnetwork:Subnetwork",
  "compute/targetHttpProxy:TargetHttpProxy",
  "compute/targetHttpsProxy:TargetHttpsProxy",
  "compute/uRLMap:URLMap",
  "container/cluster:Cluster",
  "container/nodePool:NodePool",
  "iam/workloadIdentityPool:WorkloadIdentityPool",
  "iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider",
  "logging/metric:Metric",
  "logging/projectBucketConfig:ProjectBucketConfig",
  "monitoring/alertPolicy:AlertPolicy",
  "monitoring/notificationChannel:NotificationChannel",
  "monitoring/uptimeCheckConfig:UptimeCheckConfig",
  "projects/iAMAuditConfig:IAMAuditConfig",
  "kms/cryptoKey:CryptoKey",
  "kms/cryptoKeyIAMBinding:CryptoKeyIAMBinding",
  "kms/cryptoKeyVersion:CryptoKeyVersion",
  "kms/keyRing:KeyRing",
  "projects/iAMCustomRole:IAMCustomRole",
  "projects/iAMMember:IAMMember",
  "projects/service:Service",
  "projects/serviceIdentity:ServiceIdentity",
  "serviceaccount/account:Account",
  "serviceaccount/iAMBinding:IAMBinding",
  "storage/bucket:Bucket",
  "storage/bucketIAMPolicy:BucketIAMPolicy",
];

/** A property of the package schema. */
interface Property {
  type?: string;
  $ref?: string;
  items?: Property;
  additionalProperties?: Property;
  willReplaceOnChanges?: boolean;
}

/** What is read of the package schema. */
export interface PackageSchema {
  version: string;
  resources: Record<
    string,
    { inputProperties: Record<string, Property>; requiredInputs?: string[]; outputs: string[] }
  >;
  types: Record<string, { type: string; properties?: Record<string, Property>; required?: string[] }>;
}

/** The table of some resource types and of the object types they use. */
export function tableOf(schema: PackageSchema, types: string[]): Table {
  const table: Table = { version: schema.version, resources: {}, objects: {} };

  const properties = (of: Record<string, Property>) =>
    Object.fromEntries(
      Object.entries(of).map(([name, property]) => [
        name,
        expression(property) + (property.willReplaceOnChanges ? "!" : ""),
      ]),
    );
  const expression = (property: Property): string => {
    if (property.$ref) return reference(property.$ref);
    if (property.items) return `${expression(property.items)}[]`;
    if (property.additionalProperties) return `${expression(property.additionalProperties)}{}`;
    if (property.type === "object") return "string{}";
    if (!property.type) throw new Error(`cannot write ${JSON.stringify(property)} as a type expression`);
    return property.type;
  };
  const reference = (ref: string): string => {
    const token = ref.replace("#/types/", "");
    const key = token.replace(/^gcp:/, "");
    const type = schema.types[token];
    if (type?.type !== "object") throw new Error(`the schema has no object type ${token}`);
    if (!table.objects[key]) {
      // Entered before its properties are read: a type may contain itself.
      const entry: ObjectType = { properties: {} };
      table.objects[key] = entry;
      // One without properties is a mark: it is there or not.
      entry.properties = properties(type.properties ?? {});
      if (type.required?.length) entry.required = type.required;
    }
    return key;
  };

  for (const key of types) {
    const resource = schema.resources[`gcp:${key}`];
    if (!resource) throw new Error(`the schema has no resource type gcp:${key}`);
    table.resources[key] = {
      properties: properties(resource.inputProperties),
      ...(resource.requiredInputs?.length && { required: resource.requiredInputs }),
      outputs: resource.outputs,
    };
  }
  const sorted = Object.entries(table.objects).sort(([a], [b]) => (a < b ? -1 : 1));
  return { ...table, objects: Object.fromEntries(sorted) };
}

if (require.main === module) {
  const [source] = process.argv.slice(2);
  if (!source) throw new Error("usage: generate.ts PATH_OF_THE_PACKAGE_SCHEMA, e.g. ../shared/schemas/gcp-9.35.json");
  const table = tableOf(JSON.parse(readFileSync(source, "utf8")) as PackageSchema, resourceTypes);
  writeFileSync(join(__dirname, "schema.json"), `${JSON.stringify(table, null, 2)}\n`);
}
