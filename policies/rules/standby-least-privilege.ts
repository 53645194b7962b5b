import { type Identity, identities } from "../../plan/identities";
import { kubernetesSubject } from "../../plan/names";
import { bucketArn, neverAllowed, type S3Store, s3Actions } from "../../plan/s3-permissions";
import { awsTypes, type DeclaredStatement, isEverybody, isStandby, ofType, s3StoreOf, statementsOf } from "../lib/aws";
import { judge } from "../lib/judge";
import type { Declared, StackRule } from "../lib/rule";
import { object, shown, type Values } from "../lib/values";

/** AWS's own policies that roles of machines and add-ons may have; none of them reaches an object. */
const MANAGED =
  /^arn:aws:iam::aws:policy\/(AmazonEKSClusterPolicy|AmazonEKSWorkerNodePolicy|AmazonEC2ContainerRegistryPullOnly|AmazonEKS_CNI_Policy|CloudWatchAgentServerPolicy|service-role\/AmazonEBSCSIDriverPolicy)$/;

/** What roles beside the matrix may do by policies of ours. */
const HARMLESS = /^(ec2:Describe\w+|elasticloadbalancing:(Describe\w+|(De)?[rR]egisterTargets)|kms:(?!\*)[\w*]+)$/;

/** Ways to rights that are not declared as a role's own. */
const ELSEWHERE =
  /^aws:iam\/(user|userPolicy|userPolicyAttachment|group|groupPolicy|groupPolicyAttachment|policyAttachment|roleName|rolePoliciesExclusive|policy):/;

/**
 * What is declared gives no role on AWS more than its row of the matrix. Computed from the documents and the buckets that they
 * name, not from how they were generated: actions on objects, on which buckets, and who takes the role on.
 */
export const standbyLeastPrivilege: StackRule = {
  name: "standby-least-privilege",
  description: "No role of the standby has more than the plan's matrix says, and only its own pods take it on",
  plan: ["S7", "D5"],
  checkStack: (resources) => {
    if (!isStandby(resources)) return [];
    const buckets = storesByArn(resources);
    return [
      ...judge(ofType(resources, awsTypes.rolePolicy), (policy) => policyProblems(policy, buckets)),
      ...judge(ofType(resources, awsTypes.attachment), attachmentProblems),
      ...judge(ofType(resources, awsTypes.role), trustProblems),
      ...judge(ofType(resources, awsTypes.association), associationProblems),
      ...judge(ofType(resources, awsTypes.clusterAccess), clusterAccessProblems),
      ...severalAdministrators(ofType(resources, awsTypes.clusterAccess)),
      ...resources
        .filter(({ type }) => ELSEWHERE.test(type))
        .map(
          ({ name, type }) => `${name} is ${type}; give rights by a role's own policy (components/aws/pod-identity.ts)`,
        ),
    ];
  },
};

/** Stores of the declared buckets by their ARN. */
function storesByArn(resources: Declared[]): Map<string, S3Store> {
  const found = new Map<string, S3Store>();
  judge(ofType(resources, awsTypes.bucket), (bucket) => {
    const store = s3StoreOf(bucket);
    if (store) found.set(bucketArn(String(bucket.props.bucket)), store);
    return [];
  });
  return found;
}

const rowOf = (role: unknown): Identity | undefined => identities.find(({ home, id }) => home === "aws" && id === role);

function policyProblems({ name, props }: Declared, buckets: Map<string, S3Store>): string[] {
  const row = rowOf(props.role);
  return statementsOf(props.policy, `policy of ${name}`)
    .filter(({ effect }) => effect === "Allow")
    .flatMap((statement) =>
      statement.actions.flatMap((action) =>
        row ? excess(row, action, statement, buckets) : HARMLESS.test(action) ? [] : [`may ${action}`],
      ),
    )
    .map((problem) => `role ${shown(props.role)} ${problem}; the matrix or its own task says nothing of it`);
}

/** What a statement gives a row beyond its cells, in words. */
function excess(
  row: Identity,
  action: string,
  { resources, notResource }: DeclaredStatement,
  buckets: Map<string, S3Store>,
) {
  if (notResource || resources.length === 0) return [`may ${action} on what is not named`];
  if (neverAllowed.includes(action)) return [`may ${action}, which nobody may`];
  // Customers let the services into their own buckets, in accounts of theirs.
  if (row.id === "standby-services" && ["sts:AssumeRole", "sts:TagSession"].includes(action))
    return resources
      .filter((arn) => !/^arn:aws:iam::\d{12}:role\/[\w+=,.@/-]+$/.test(arn))
      .map((arn) => `may act as ${arn}`);
  return resources.flatMap((resource) => {
    const [arn, ...key] = resource.split("/");
    const store = buckets.get(arn!);
    if (!store) return [`may ${action} on ${resource}, which is no bucket of the matrix`];
    const { objects, bucket } = s3Actions(row.id, store);
    const allowed = key.length > 0 ? objects : bucket;
    return allowed.includes(action) ? [] : [`may ${action} on ${resource}`];
  });
}

function attachmentProblems({ props }: Declared): string[] {
  if (rowOf(props.role)) return [`role ${shown(props.role)} has ${props.policyArn} beside its own policy; remove it`];
  return MANAGED.test(String(props.policyArn))
    ? []
    : [`role ${shown(props.role)} has ${shown(props.policyArn)}; allowed are those of EKS's own parts`];
}

/** Who takes a role on: services of AWS for other roles, the pods of its row for a row's. */
function trustProblems({ props }: Declared): string[] {
  const row = rowOf(props.name);
  return statementsOf(props.assumeRolePolicy, `trust of ${props.name}`)
    .filter(({ effect }) => effect === "Allow")
    .flatMap(({ principal, condition }) => {
      const { Service, Federated, AWS } = object(principal);
      if (isEverybody(principal) || AWS !== undefined) return [`is taken on by ${shown(AWS ?? "everybody")}`];
      if (Federated !== undefined) return tokenProblems(row, object(condition.StringEquals));
      if (Service === "pods.eks.amazonaws.com") return podProblems(row, condition);
      return row ? [`is taken on by ${shown(Service)}`] : [];
    })
    .map((problem) => `role ${shown(props.name)} ${problem}; only its own pods may take it on`);
}

function podProblems(row: Identity | undefined, condition: Values): string[] {
  const equal = object(condition.StringEquals);
  const listed = (key: string) => [equal[key] ?? []].flat().map(String);
  const [spaces, accounts] = [
    listed("aws:RequestTag/kubernetes-namespace"),
    listed("aws:RequestTag/kubernetes-service-account"),
  ];
  const cluster = object(condition.ArnEquals)["aws:SourceArn"];
  const foreign = accounts.filter((account) => row && !row.kubernetes.some(({ name }) => name === account));
  return [
    ...(/^arn:aws:eks:[^*]+:cluster\/[^*]+$/.test(String(cluster)) ? [] : ["is taken on by pods of any cluster"]),
    ...(spaces.length > 0 && accounts.length > 0 ? [] : ["is taken on by any pod of the cluster"]),
    ...foreign.map((account) => `is taken on by account ${account}`),
  ];
}

function tokenProblems(row: Identity | undefined, equal: Values): string[] {
  const subjects = Object.entries(equal).flatMap(([key, value]) =>
    key.endsWith(":sub") ? [value].flat().map(String) : [],
  );
  const own = (row?.kubernetes ?? []).map(kubernetesSubject);
  if (subjects.length === 0) return ["is taken on by any token of an issuer"];
  return subjects.filter((subject) => !own.includes(subject)).map((subject) => `is taken on by ${subject}`);
}

const clusterPolicy = ({ props }: Declared) => String(props.policyArn).split("/").at(-1);
/** EKS's access policy of who deploys. */
const ADMINISTERS = "AmazonEKSClusterAdminPolicy";

/** Others than who deploys see what is in the cluster, but no Secret: AmazonEKSAdminViewPolicy reads every one. */
function clusterAccessProblems(access: Declared): string[] {
  const policy = clusterPolicy(access);
  return policy === ADMINISTERS || policy === "AmazonEKSViewPolicy"
    ? []
    : [
        `${access.name} gives ${shown(access.props.principalArn)} ${policy}; allowed are AmazonEKSViewPolicy and, for the deployer, ${ADMINISTERS}`,
      ];
}

/** One role administers a cluster: who deploys it. */
function severalAdministrators(all: Declared[]): string[] {
  const administering = (cluster: unknown) =>
    judge(all, (each) =>
      clusterPolicy(each) === ADMINISTERS && each.props.clusterName === cluster ? [each.name] : [],
    );
  return [...new Set(judge(all, ({ props }) => [String(props.clusterName)]))].flatMap((cluster) => {
    const names = administering(cluster);
    return names.length > 1 ? [`${names.join(" and ")} both administer cluster ${cluster}; one role deploys it`] : [];
  });
}

/** Pods get roles of the matrix by their row's accounts only. */
function associationProblems({ name, props }: Declared): string[] {
  const role = String(props.roleArn).split("/").at(-1);
  const row = rowOf(role);
  if (!row) return [];
  const { namespace, serviceAccount } = props;
  return row.kubernetes.some((user) => user.namespace === namespace && user.name === serviceAccount)
    ? []
    : [`${name} lets ${namespace}/${serviceAccount} act as ${role}; only its own pods may take it on`];
}
