/**
 * What the provider refuses before it calls an API, by resource type. What the APIs refuse is in sandbox/cloud/aws. Source: the
 * validations of the Terraform provider that the real one is made from.
 */
import type { Props } from "../../lib/types";
import type { CheckFailure } from "../provider";
import { refusals } from "../shape/rules";
import { atMost, between, cidr, matches, oneOf, type Rule } from "../shape/syntax";
import { relations } from "./relations";
import { address, arn, policy, region, tags, zone } from "./syntax";

/** Rules that hold wherever a type has a property of this name. */
const common: Record<string, Rule> = { region, tags };

const port = between(0, 65_535);
const iamName = (length: number): Rule =>
  matches(new RegExp(`^[\\w+=,.@-]{1,${length}}$`), `a name has 1 to ${length} letters, digits and +=,.@_-`);
const lbName = matches(
  /^(?!-)(?!internal-)[a-zA-Z0-9-]{1,32}(?<!-)$/,
  "a name has 1 to 32 letters, digits and dashes, a dash neither first nor last",
);
const lambda = matches(/^(?:https?:\/\/)?[\w.-]+(?::\d+)?(?:\/.*)?$/, "an endpoint");

const rule: Record<string, Rule> = {
  ipProtocol: matches(
    /^(-1|tcp|udp|icmp|icmpv6|\d{1,3})$/,
    'a protocol is "tcp", "udp", "icmp", "-1" for all, or a number',
  ),
  fromPort: between(-1, 65_535),
  toPort: between(-1, 65_535),
  cidrIpv4: cidr(),
};

/** Rules by resource type and path. */
const rules: Record<string, Record<string, Rule>> = {
  "acm/certificate:Certificate": {
    domainName: matches(
      /^(\*\.)?([a-z0-9-]+\.)+[a-z]{2,}$/,
      "a domain name in small letters, without a dot at its end",
    ),
    validationMethod: oneOf("DNS", "EMAIL", "NONE"),
    keyAlgorithm: oneOf(
      "RSA_1024",
      "RSA_2048",
      "RSA_3072",
      "RSA_4096",
      "EC_prime256v1",
      "EC_secp384r1",
      "EC_secp521r1",
    ),
  },
  "cloudwatch/metricAlarm:MetricAlarm": {
    comparisonOperator: oneOf(
      "GreaterThanOrEqualToThreshold",
      "GreaterThanThreshold",
      "LessThanThreshold",
      "LessThanOrEqualToThreshold",
      "LessThanLowerOrGreaterThanUpperThreshold",
      "LessThanLowerThreshold",
      "GreaterThanUpperThreshold",
    ),
    treatMissingData: oneOf("breaching", "notBreaching", "ignore", "missing"),
    statistic: oneOf("Average", "Maximum", "Minimum", "SampleCount", "Sum"),
    evaluationPeriods: between(1, 10_000),
    "alarmActions[]": arn(),
    "okActions[]": arn(),
    name: atMost(255),
  },
  "cloudwatch/logGroup:LogGroup": {
    retentionInDays: (value) =>
      [
        0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
      ].includes(Number(value))
        ? undefined
        : `${value} is none of the days that CloudWatch keeps logs for: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, …`,
  },
  "ec2/subnet:Subnet": { cidrBlock: cidr(), availabilityZone: zone },
  "ec2/vpc:Vpc": { cidrBlock: cidr(16, 28), instanceTenancy: oneOf("default", "dedicated") },
  "ec2/vpcEndpoint:VpcEndpoint": {
    vpcEndpointType: oneOf("Gateway", "Interface", "GatewayLoadBalancer", "Resource", "ServiceNetwork"),
    policy,
  },
  "ec2/flowLog:FlowLog": {
    trafficType: oneOf("ACCEPT", "REJECT", "ALL"),
    logDestinationType: oneOf("cloud-watch-logs", "s3", "kinesis-data-firehose"),
  },
  "ec2/securityGroup:SecurityGroup": {
    name: matches(/^(?!sg-)[\s\S]{1,255}$/, 'a name has 1 to 255 characters and does not begin with "sg-"'),
    description: matches(
      /^[a-zA-Z0-9 ._\-:/()#,@[\]+=&;{}!$*]{0,255}$/,
      "up to 255 letters, digits, blanks and ._-:/()#,@[]+=&;{}!$*",
    ),
  },
  "ec2/route:Route": { destinationCidrBlock: cidr() },
  "vpc/securityGroupIngressRule:SecurityGroupIngressRule": rule,
  "vpc/securityGroupEgressRule:SecurityGroupEgressRule": rule,
  "ecr/repository:Repository": {
    name: matches(
      /^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*\/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$/,
      "small letters, digits, dots, dashes and underscores in parts with / between",
    ),
    imageTagMutability: oneOf("MUTABLE", "IMMUTABLE", "MUTABLE_WITH_EXCLUSION", "IMMUTABLE_WITH_EXCLUSION"),
    "encryptionConfigurations[].encryptionType": oneOf("AES256", "KMS", "KMS_DSSE"),
  },
  "ecr/repositoryPolicy:RepositoryPolicy": { policy },
  "ecr/lifecyclePolicy:LifecyclePolicy": { policy },
  "eks/accessEntry:AccessEntry": {
    principalArn: arn("iam"),
    type: oneOf("STANDARD", "EC2_LINUX", "EC2_WINDOWS", "FARGATE_LINUX", "EC2", "HYBRID_LINUX", "HYPERPOD_LINUX"),
  },
  "eks/accessPolicyAssociation:AccessPolicyAssociation": {
    policyArn: matches(
      /^arn:aws:eks::aws:cluster-access-policy\/\w+$/,
      'an access policy is "arn:aws:eks::aws:cluster-access-policy/NAME"',
    ),
    principalArn: arn("iam"),
    "accessScope.type": oneOf("cluster", "namespace"),
  },
  "eks/addon:Addon": {
    resolveConflictsOnCreate: oneOf("NONE", "OVERWRITE"),
    resolveConflictsOnUpdate: oneOf("NONE", "OVERWRITE", "PRESERVE"),
  },
  "eks/cluster:Cluster": {
    name: matches(
      /^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$/,
      "a name has 1 to 100 letters, digits, dashes and underscores, first a letter or digit",
    ),
    roleArn: arn("iam"),
    version: matches(/^1\.\d{2}$/, 'a version is written "1.35"'),
    "enabledClusterLogTypes[]": oneOf("api", "audit", "authenticator", "controllerManager", "scheduler"),
    "accessConfig.authenticationMode": oneOf("API", "API_AND_CONFIG_MAP", "CONFIG_MAP"),
    "encryptionConfig.resources[]": oneOf("secrets"),
    "encryptionConfig.provider.keyArn": arn("kms"),
    "kubernetesNetworkConfig.serviceIpv4Cidr": cidr(12, 24),
    "kubernetesNetworkConfig.ipFamily": oneOf("ipv4", "ipv6"),
    "upgradePolicy.supportType": oneOf("STANDARD", "EXTENDED"),
    "vpcConfig.publicAccessCidrs[]": cidr(),
  },
  "eks/nodeGroup:NodeGroup": {
    amiType: matches(
      /^(AL2023|AL2|BOTTLEROCKET|CUSTOM|WINDOWS)[A-Za-z0-9_]*$/,
      'e.g. "AL2023_x86_64_STANDARD" or "BOTTLEROCKET_x86_64"',
    ),
    capacityType: oneOf("ON_DEMAND", "SPOT", "CAPACITY_BLOCK"),
    nodeRoleArn: arn("iam"),
    "taints[].effect": oneOf("NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE"),
    "scalingConfig.minSize": between(0, 450),
    "scalingConfig.maxSize": between(1, 450),
    "scalingConfig.desiredSize": between(0, 450),
  },
  "eks/podIdentityAssociation:PodIdentityAssociation": { roleArn: arn("iam") },
  "iam/openIdConnectProvider:OpenIdConnectProvider": { url: matches(/^https:\/\/[^?#]+$/, "a URL with https") },
  "iam/policy:Policy": { policy, name: iamName(128) },
  "iam/role:Role": {
    assumeRolePolicy: policy,
    name: iamName(64),
    maxSessionDuration: between(3600, 43_200),
    permissionsBoundary: arn("iam"),
    "managedPolicyArns[]": arn("iam"),
  },
  "iam/rolePolicy:RolePolicy": { policy, name: iamName(128) },
  "iam/rolePolicyAttachment:RolePolicyAttachment": { policyArn: arn("iam") },
  "kms/alias:Alias": { name: matches(/^alias\/[a-zA-Z0-9/_-]+$/, 'an alias is "alias/NAME"') },
  "kms/key:Key": {
    policy,
    deletionWindowInDays: between(7, 30),
    rotationPeriodInDays: between(90, 2560),
    keyUsage: oneOf("ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT"),
  },
  "kms/keyPolicy:KeyPolicy": { policy },
  "lb/listener:Listener": {
    loadBalancerArn: arn("elasticloadbalancing"),
    port: between(1, 65_535),
    protocol: oneOf("HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "GENEVE", "QUIC", "TCP_QUIC"),
    certificateArn: arn(),
    "defaultActions[].type": oneOf(
      "forward",
      "authenticate-oidc",
      "redirect",
      "fixed-response",
      "authenticate-cognito",
      "jwt-validation",
    ),
  },
  "lb/loadBalancer:LoadBalancer": {
    name: lbName,
    loadBalancerType: oneOf("application", "network", "gateway"),
    ipAddressType: oneOf("ipv4", "dualstack", "dualstack-without-public-ipv4"),
    idleTimeout: between(1, 4000),
    desyncMitigationMode: oneOf("monitor", "defensive", "strictest"),
  },
  "lb/targetGroup:TargetGroup": {
    name: lbName,
    port: between(1, 65_535),
    protocol: oneOf("HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "GENEVE", "QUIC", "TCP_QUIC"),
    targetType: oneOf("instance", "ip", "lambda", "alb"),
    deregistrationDelay: between(0, 3600),
    "healthCheck.interval": between(5, 300),
    "healthCheck.timeout": between(2, 120),
    "healthCheck.healthyThreshold": between(2, 10),
    "healthCheck.unhealthyThreshold": between(2, 10),
  },
  "route53/healthCheck:HealthCheck": {
    type: oneOf(
      "HTTP",
      "HTTPS",
      "HTTP_STR_MATCH",
      "HTTPS_STR_MATCH",
      "TCP",
      "CALCULATED",
      "CLOUDWATCH_METRIC",
      "RECOVERY_CONTROL",
    ),
    failureThreshold: between(1, 10),
    requestInterval: (value) => (value === 10 || value === 30 ? undefined : `expected 10 or 30, got ${value}`),
    ipAddress: address,
    port: between(1, 65_535),
    resourcePath: atMost(255),
    searchString: atMost(255),
    insufficientDataHealthStatus: oneOf("Healthy", "LastKnownStatus", "Unhealthy"),
    childHealthThreshold: between(0, 256),
    fqdn: lambda,
  },
  "route53/record:Record": {
    type: oneOf(
      "A",
      "AAAA",
      "CAA",
      "CNAME",
      "DS",
      "HTTPS",
      "MX",
      "NAPTR",
      "NS",
      "PTR",
      "SOA",
      "SPF",
      "SRV",
      "SSHFP",
      "SVCB",
      "TLSA",
      "TXT",
    ),
    ttl: between(0, 2_147_483_647),
    "failoverRoutingPolicies[].type": oneOf("PRIMARY", "SECONDARY"),
  },
  "route53/zone:Zone": { comment: atMost(256) },
  "s3/bucket:Bucket": { bucket: atMost(63) },
  "s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": {
    objectLockEnabled: oneOf("Enabled"),
    "rule.defaultRetention.mode": oneOf("COMPLIANCE", "GOVERNANCE"),
    "rule.defaultRetention.days": between(1, 36_500),
  },
  "s3/bucketOwnershipControls:BucketOwnershipControls": {
    "rule.objectOwnership": oneOf("BucketOwnerPreferred", "BucketOwnerEnforced", "ObjectWriter"),
  },
  "s3/bucketPolicy:BucketPolicy": { policy },
  "s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": {
    "rules[].applyServerSideEncryptionByDefault.sseAlgorithm": oneOf("AES256", "aws:kms", "aws:kms:dsse"),
  },
  "s3/bucketVersioning:BucketVersioning": {
    "versioningConfiguration.status": oneOf("Enabled", "Suspended", "Disabled"),
    "versioningConfiguration.mfaDelete": oneOf("Enabled", "Disabled"),
  },
  "sns/topicPolicy:TopicPolicy": { policy },
  "sns/topicSubscription:TopicSubscription": {
    protocol: oneOf("sqs", "sms", "lambda", "firehose", "application", "email", "email-json", "http", "https"),
  },
  "ec2/securityGroupRule:SecurityGroupRule": { type: oneOf("ingress", "egress"), fromPort: port, toPort: port },
};

/** Everything the provider would refuse about inputs whose shape is right. `type` has no `aws:` in front. */
export function checkRules(type: string, inputs: Props): CheckFailure[] {
  return refusals({ ...common, ...rules[type] }, inputs).concat(relations(type, inputs));
}
