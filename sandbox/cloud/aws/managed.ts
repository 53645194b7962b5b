/**
 * AWS managed policies. Those that speak of storage and keys have their statements, in as far as those are about storage and
 * keys; of the others only the name counts.
 */
import { type Policy, parsePolicy } from "./policy/document";

const allow = (actions: string[]): unknown => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: actions, Resource: "*" }],
});
const NOTHING_HERE = allow(["none:None"]);

const documents: Record<string, unknown> = {
  AdministratorAccess: allow(["*"]),
  AmazonS3FullAccess: allow(["s3:*", "s3-object-lambda:*"]),
  AmazonS3ReadOnlyAccess: allow(["s3:Get*", "s3:List*", "s3:Describe*"]),
  ReadOnlyAccess: allow(["s3:Get*", "s3:List*", "kms:Describe*", "kms:Get*", "kms:List*"]),
  AmazonEC2ContainerRegistryPullOnly: NOTHING_HERE,
  AmazonEC2ContainerRegistryReadOnly: NOTHING_HERE,
  AmazonEKSClusterPolicy: NOTHING_HERE,
  AmazonEKSServicePolicy: NOTHING_HERE,
  AmazonEKSVPCResourceController: NOTHING_HERE,
  AmazonEKSWorkerNodeMinimalPolicy: NOTHING_HERE,
  AmazonEKSWorkerNodePolicy: NOTHING_HERE,
  AmazonEKS_CNI_Policy: NOTHING_HERE,
  AmazonSSMManagedInstanceCore: NOTHING_HERE,
  AWSBackupServiceRolePolicyForBackup: NOTHING_HERE,
  CloudWatchAgentServerPolicy: NOTHING_HERE,
  "service-role/AmazonEBSCSIDriverPolicy": NOTHING_HERE,
  "service-role/AmazonEBSCSIDriverPolicyV2": NOTHING_HERE,
};

const parsed = new Map<string, Policy>();

/** Names of those that the sandbox knows, as they follow `arn:aws:iam::aws:policy/`. */
export const managedPolicies = Object.keys(documents);

/** A managed policy by its ARN; undefined when it is not known. */
export function managedPolicy(arn: string): Policy | undefined {
  const name = /^arn:aws:iam::aws:policy\/(.+)$/.exec(arn)?.[1] ?? "";
  if (!Object.hasOwn(documents, name)) return undefined;
  const policy = parsed.get(name) ?? parsePolicy(documents[name], "identity");
  parsed.set(name, policy);
  return policy;
}
