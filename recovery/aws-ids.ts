/** Ids of AWS's resources as `pulumi import` takes them: those that follow from names which the stack gives. */

type Inputs = Record<string, string>;

const ofBucket = ({ bucket }: Inputs) => `${bucket}`;
const ofRepository = ({ repository }: Inputs) => `${repository}`;
const named = ({ name }: Inputs) => `${name}`;

/** By type; the same table as for Google Cloud in import-file.ts. */
export const awsIds: Record<string, (inputs: Inputs) => string> = {
  "aws:cloudwatch/eventRule:EventRule": named,
  "aws:cloudwatch/logGroup:LogGroup": named,
  "aws:cloudwatch/logMetricFilter:LogMetricFilter": ({ logGroupName, name }) => `${logGroupName}:${name}`,
  "aws:cloudwatch/metricAlarm:MetricAlarm": named,
  "aws:ecr/lifecyclePolicy:LifecyclePolicy": ofRepository,
  "aws:ecr/repository:Repository": named,
  "aws:ecr/repositoryPolicy:RepositoryPolicy": ofRepository,
  "aws:eks/accessEntry:AccessEntry": ({ clusterName, principalArn }) => `${clusterName}:${principalArn}`,
  "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": ({ clusterName, principalArn, policyArn }) =>
    `${clusterName}#${principalArn}#${policyArn}`,
  "aws:eks/addon:Addon": ({ clusterName, addonName }) => `${clusterName}:${addonName}`,
  "aws:eks/cluster:Cluster": named,
  "aws:eks/nodeGroup:NodeGroup": ({ clusterName, nodeGroupName }) => `${clusterName}:${nodeGroupName}`,
  "aws:iam/role:Role": named,
  "aws:iam/rolePolicy:RolePolicy": ({ role, name }) => `${role}:${name}`,
  "aws:iam/rolePolicyAttachment:RolePolicyAttachment": ({ role, policyArn }) => `${role}/${policyArn}`,
  "aws:kms/alias:Alias": named,
  "aws:s3/bucket:Bucket": ofBucket,
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": ofBucket,
  "aws:s3/bucketLogging:BucketLogging": ofBucket,
  "aws:s3/bucketMetric:BucketMetric": ({ bucket, name }) => `${bucket}:${name}`,
  "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": ofBucket,
  "aws:s3/bucketObjectv2:BucketObjectv2": ({ bucket, key }) => `${bucket}/${key}`,
  "aws:s3/bucketOwnershipControls:BucketOwnershipControls": ofBucket,
  "aws:s3/bucketPolicy:BucketPolicy": ofBucket,
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": ofBucket,
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": ofBucket,
  "aws:s3/bucketVersioning:BucketVersioning": ofBucket,
};

/**
 * What AWS gives ids to: networks and what is in them, keys, certificates, load balancers, zones, topics, settings of the account.
 * They are looked up by the tag `iconik-stack` (docs/runbooks/state-lost.md); the state's replica in another region makes
 * that a last resort.
 */
export const awsGiven =
  /^aws:(acm|cloudtrail|ebs|ec2|kms\/key|lb|route53|sns|vpc|wafv2)\b|^aws:(cloudwatch\/eventTarget|eks\/podIdentityAssociation|iam\/openIdConnectProvider|s3\/accountPublicAccessBlock):/;
