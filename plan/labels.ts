/** Labels on Google Cloud's resources and tags on AWS's that policies and people go by. */
import type { Store } from "./identities";

/** Says which column of the identity matrix a bucket is. */
export const storeLabel = "iconik-store";

/** Label value of a store, e.g. `second-copy`. */
export function storeLabelValue(store: Store): string {
  return store.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** On a second copy: the locations of what it is a copy of. */
export const primariesLabel = "iconik-primaries";

/** Label value of location codes, e.g. `eu_eur4`. */
export function primariesLabelValue(locations: readonly string[]): string {
  return [...new Set(locations.map((location) => location.toLowerCase()))].sort().join("_");
}

/** Location codes that the labels of a second copy name; none without the label. */
export function primariesOf(labels: Record<string, unknown>): string[] {
  return String(labels[primariesLabel] ?? "")
    .split("_")
    .filter(Boolean)
    .map((code) => (/^[a-z]+\d?$/.test(code) ? code.toUpperCase() : code));
}

/** On an alert policy: the id of the alert of the plan that it is. */
export const alertLabel = "alert";

/** On the cluster of a region that joins or is retired: which of both, and the region's datacenter. */
export const regionStateLabel = "iconik-region-state";
export const datacenterLabel = "iconik-datacenter";

/** On every resource: the stack that declares it, the stack's role, and that a change by hand will be undone. */
export const stackLabel = "iconik-stack";
export const roleLabel = "iconik-role";
export const managedByLabel = "managed-by";

/** Keys of {@link stackLabels}. */
export const stackLabelKeys = [stackLabel, roleLabel, managedByLabel] as const;

/** Labels of whatever a stack declares. Google allows lower-case letters, digits, `_` and `-`, 63 of them. */
export function stackLabels(stack: string, role: string): Record<(typeof stackLabelKeys)[number], string> {
  return { [stackLabel]: labelValue(stack), [roleLabel]: labelValue(role), [managedByLabel]: "pulumi" };
}

function labelValue(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, "-")
    .slice(0, 63);
}

/** AWS's types that carry tags. */
const awsTagged = [
  "acm/certificate:Certificate",
  "cloudtrail/trail:Trail",
  "cloudwatch/eventRule:EventRule",
  "cloudwatch/logGroup:LogGroup",
  "cloudwatch/metricAlarm:MetricAlarm",
  "ec2/defaultNetworkAcl:DefaultNetworkAcl",
  "ec2/defaultRouteTable:DefaultRouteTable",
  "ec2/defaultSecurityGroup:DefaultSecurityGroup",
  "ec2/eip:Eip",
  "ec2/flowLog:FlowLog",
  "ec2/internetGateway:InternetGateway",
  "ec2/launchTemplate:LaunchTemplate",
  "ec2/natGateway:NatGateway",
  "ec2/routeTable:RouteTable",
  "ec2/securityGroup:SecurityGroup",
  "ec2/subnet:Subnet",
  "ec2/vpc:Vpc",
  "ec2/vpcEndpoint:VpcEndpoint",
  "ecr/repository:Repository",
  "eks/accessEntry:AccessEntry",
  "eks/addon:Addon",
  "eks/cluster:Cluster",
  "eks/nodeGroup:NodeGroup",
  "eks/podIdentityAssociation:PodIdentityAssociation",
  "iam/openIdConnectProvider:OpenIdConnectProvider",
  "iam/role:Role",
  "kms/key:Key",
  "lb/listener:Listener",
  "lb/listenerRule:ListenerRule",
  "lb/loadBalancer:LoadBalancer",
  "lb/targetGroup:TargetGroup",
  "route53/healthCheck:HealthCheck",
  "route53/zone:Zone",
  "s3/bucket:Bucket",
  "s3/bucketObjectv2:BucketObjectv2",
  "sns/topic:Topic",
  "vpc/securityGroupEgressRule:SecurityGroupEgressRule",
  "vpc/securityGroupIngressRule:SecurityGroupIngressRule",
  "wafv2/webAcl:WebAcl",
] as const;

/** Types that carry labels, and the input that holds them; a resource of any other type has none. */
export const labelInputs: Readonly<Record<string, "labels" | "resourceLabels" | "tags" | "userLabels">> = {
  ...Object.fromEntries(awsTagged.map((type) => [`aws:${type}`, "tags" as const])),
  "gcp:artifactregistry/repository:Repository": "labels",
  "gcp:certificatemanager/certificate:Certificate": "labels",
  "gcp:certificatemanager/certificateMap:CertificateMap": "labels",
  "gcp:certificatemanager/certificateMapEntry:CertificateMapEntry": "labels",
  "gcp:certificatemanager/dnsAuthorization:DnsAuthorization": "labels",
  "gcp:compute/address:Address": "labels",
  "gcp:compute/globalAddress:GlobalAddress": "labels",
  "gcp:compute/globalForwardingRule:GlobalForwardingRule": "labels",
  "gcp:compute/securityPolicy:SecurityPolicy": "labels",
  "gcp:container/cluster:Cluster": "resourceLabels",
  "gcp:dns/managedZone:ManagedZone": "labels",
  "gcp:kms/cryptoKey:CryptoKey": "labels",
  "gcp:monitoring/alertPolicy:AlertPolicy": "userLabels",
  "gcp:monitoring/notificationChannel:NotificationChannel": "userLabels",
  "gcp:monitoring/uptimeCheckConfig:UptimeCheckConfig": "userLabels",
  "gcp:pubsub/topic:Topic": "labels",
  "gcp:pubsub/subscription:Subscription": "labels",
  "gcp:secretmanager/secret:Secret": "labels",
  "gcp:storage/bucket:Bucket": "labels",
};
