/** What the rules of the standby share: its role, its buckets and what belongs to them, policy documents. */
import { labelInputs, roleLabel, storeLabel, storeLabelValue } from "../../plan/labels";
import { isDrillProject } from "../../plan/names";
import { type S3Store, s3Stores } from "../../plan/s3-permissions";
import { judge } from "./judge";
import { projectOf } from "./kubernetes";
import type { Declared } from "./rule";
import { json, object, objects, texts, type Values } from "./values";

/** Type tokens of AWS that rules look at. */
export const awsTypes = {
  bucket: "aws:s3/bucket:Bucket",
  bucketPolicy: "aws:s3/bucketPolicy:BucketPolicy",
  publicAccess: "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
  accountPublicAccess: "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock",
  ownership: "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
  versioning: "aws:s3/bucketVersioning:BucketVersioning",
  lock: "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
  lifecycle: "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
  encryption: "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
  role: "aws:iam/role:Role",
  rolePolicy: "aws:iam/rolePolicy:RolePolicy",
  attachment: "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
  clusterAccess: "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
  association: "aws:eks/podIdentityAssociation:PodIdentityAssociation",
  cluster: "aws:eks/cluster:Cluster",
  nodeGroup: "aws:eks/nodeGroup:NodeGroup",
  key: "aws:kms/key:Key",
  launchTemplate: "aws:ec2/launchTemplate:LaunchTemplate",
  subnet: "aws:ec2/subnet:Subnet",
  ingress: "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
  repository: "aws:ecr/repository:Repository",
  repositoryPolicy: "aws:ecr/repositoryPolicy:RepositoryPolicy",
  repositoryLifecycle: "aws:ecr/lifecyclePolicy:LifecyclePolicy",
  record: "aws:route53/record:Record",
  healthCheck: "aws:route53/healthCheck:HealthCheck",
  alarm: "aws:cloudwatch/metricAlarm:MetricAlarm",
  eventRule: "aws:cloudwatch/eventRule:EventRule",
} as const;

/** Role of the stack that a resource's labels or tags name; undefined where it carries none. */
export function roleOf({ type, props }: Declared): string | undefined {
  const input = labelInputs[type];
  const role = input && object(props[input])[roleLabel];
  return typeof role === "string" ? role : undefined;
}

/** Is this the stack of the standby? */
export function isStandby(resources: Declared[]): boolean {
  return judge(resources, (each) => (roleOf(each) === "standby" ? ["standby"] : [])).length > 0;
}

/** Is it a drill's standby? Its buckets say so. */
export function isDrill(resources: Declared[]): boolean {
  return (
    judge(ofType(resources, awsTypes.bucket), ({ props }) => (isDrillProject(String(props.bucket)) ? ["drill"] : []))
      .length > 0
  );
}

/**
 * Does a resource belong to a drill? Its project says so, or its cluster's; on AWS, where an account has many uses, the buckets
 * beside it.
 */
export function ofDrill(resource: Declared, resources: Declared[]): boolean {
  if (/^arn:aws:eks:/.test(resource.cluster ?? "")) return isDrill(resources);
  return isDrillProject(projectOf(resource) ?? "");
}

/** Resources of a type. */
export const ofType = (resources: Declared[], type: string): Declared[] =>
  resources.filter((each) => each.type === type);

/** Resources of a type that belong to a bucket. */
export const ofBucket = (resources: Declared[], type: string, bucket: unknown): Declared[] => {
  const found: Declared[] = [];
  judge(ofType(resources, type), (each) => {
    if (each.props.bucket === bucket) found.push(each);
    return [];
  });
  return found;
};

/** The store that a bucket's tag says, or undefined when it is none of the matrix. */
export function s3StoreOf({ props }: Declared): S3Store | undefined {
  const tag = object(props.tags)[storeLabel];
  return s3Stores.find((store) => storeLabelValue(store) === tag);
}

/** A statement of a policy document, loosely read. */
export interface DeclaredStatement {
  sid: string;
  effect: string;
  actions: string[];
  resources: string[];
  notResource: boolean;
  principal: unknown;
  condition: Values;
}

const list = (value: unknown): string[] =>
  Array.isArray(value) ? texts(value) : value === undefined ? [] : [String(value)];

/** Statements of a policy document. @throws MalformedError when it is no JSON object */
export function statementsOf(document: unknown, what: string): DeclaredStatement[] {
  const { Statement } = json(document, what);
  return objects(Array.isArray(Statement) ? Statement : [Statement]).map((each) => ({
    sid: String(each.Sid ?? "a statement"),
    effect: String(each.Effect),
    actions: [...list(each.Action), ...list(each.NotAction).map((action) => `anything but ${action}`)],
    resources: list(each.Resource),
    notResource: each.NotResource !== undefined,
    principal: each.Principal,
    condition: object(each.Condition),
  }));
}

/** Is a principal everybody? */
export function isEverybody(principal: unknown): boolean {
  return principal === "*" || list(object(principal).AWS).includes("*");
}
