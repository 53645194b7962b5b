import { awsTypes, isEverybody, statementsOf } from "../lib/aws";
import type { ResourceRule } from "../lib/rule";
import { at, object, objects, shown, texts, type Values } from "../lib/values";

/** Smallest prefix of a network that is somebody's in particular. */
const NARROWEST = 8;
const LOGS = ["api", "audit", "authenticator"];
/** What a load balancer serves to everybody. */
const PUBLIC_PORTS = [80, 443];

const checks: Record<string, (props: Values) => string[]> = {
  [awsTypes.cluster]: clusterProblems,
  [awsTypes.key]: keyProblems,
  [awsTypes.launchTemplate]: templateProblems,
  [awsTypes.nodeGroup]: (props) => [
    ...(props.launchTemplate === undefined
      ? ["launchTemplate is not set: pods would reach the machine's role; set it"]
      : []),
    ...(props.version === undefined
      ? ["version is not set: machines would stay behind the control plane; set the cluster's"]
      : []),
    ...(props.remoteAccess === undefined ? [] : ["remoteAccess lets people log in on machines; remove it"]),
  ],
  [awsTypes.subnet]: (props) =>
    props.mapPublicIpOnLaunch === true ? ["mapPublicIpOnLaunch gives machines public addresses; remove it"] : [],
  [awsTypes.ingress]: ingressProblems,
};

/** The standby's cluster is as closed as the primary's: machines without addresses, a control plane for named networks. */
export const eksPrivate: ResourceRule = {
  name: "eks-private",
  description: "EKS clusters are private, their Secrets encrypted, their machines start and hide their role from pods",
  plan: ["S7", "S5", "D5"],
  types: Object.keys(checks),
  check: ({ type, name, props }) => checks[type]!(props).map((problem) => `${name}: ${problem}`),
};

function clusterProblems(props: Values): string[] {
  const { endpointPrivateAccess, endpointPublicAccess, publicAccessCidrs } = object(props.vpcConfig);
  const { authenticationMode, bootstrapClusterCreatorAdminPermissions: creator } = object(props.accessConfig);
  const networks = texts(publicAccessCidrs);
  const open = networks.filter((network) => !(Number(network.split("/")[1] ?? 32) >= NARROWEST));
  const logs = texts(props.enabledClusterLogTypes);
  return [
    ...(endpointPrivateAccess === true ? [] : ["vpcConfig.endpointPrivateAccess is not true; set it"]),
    ...(endpointPublicAccess !== false && networks.length === 0
      ? ["vpcConfig.publicAccessCidrs is not set: the control plane is open to the Internet; name the networks"]
      : []),
    ...open.map((network) => `publicAccessCidrs has ${network}, which is half the world; name the networks`),
    ...(authenticationMode === "API" ? [] : [`authenticationMode is ${shown(authenticationMode)}; set "API"`]),
    ...(creator === false
      ? []
      : ["whoever creates the cluster administers it; set bootstrapClusterCreatorAdminPermissions false"]),
    ...(texts(at(props, "encryptionConfig", "resources")).includes("secrets")
      ? []
      : ["Secrets are not encrypted with a key of ours; set encryptionConfig"]),
    ...LOGS.filter((each) => !logs.includes(each)).map(
      (each) => `the log ${each} is off; add it to enabledClusterLogTypes`,
    ),
  ];
}

/** Who uses a key by its own policy: machines' disks are opened by a service's role, and not by everybody. */
function keyProblems(props: Values): string[] {
  if (props.policy === undefined) return [];
  return statementsOf(props.policy, "the key's policy").flatMap(({ sid, effect, principal, condition }) => {
    if (effect !== "Allow") return [];
    const conditions = "kms:CallerAccount and aws:PrincipalArn";
    if (isEverybody(principal))
      return named(condition) ? [] : [`${sid} lets everybody use it; set the conditions ${conditions}`];
    return callers(condition)
      .filter((arn) => /:role\/aws-service-role\//.test(arn))
      .map(
        (arn) =>
          `${sid} leaves ${arn} to IAM, which says nothing of keys; set Principal { AWS: "*" } with ${conditions}`,
      );
  });
}

/** Roles that a condition lets in. */
const callers = (condition: Values): string[] =>
  ["ArnEquals", "ArnLike", "StringEquals", "StringLike"].flatMap((operator) =>
    [object(condition[operator])["aws:PrincipalArn"] ?? []].flat().map(String),
  );

/** Does a condition name an account and roles of it? */
function named(condition: Values): boolean {
  const account = object(condition.StringEquals)["kms:CallerAccount"];
  const roles = callers(condition);
  return (
    /^\d{12}$/.test(String(account)) &&
    roles.length > 0 &&
    roles.every((arn) => arn.startsWith(`arn:aws:iam::${account}:role/`) && !arn.includes("*"))
  );
}

function templateProblems(props: Values): string[] {
  const { httpTokens, httpPutResponseHopLimit: hops } = object(props.metadataOptions);
  return [
    ...(httpTokens === "required" ? [] : [`metadataOptions.httpTokens is ${shown(httpTokens)}; set "required"`]),
    ...(hops === 1
      ? []
      : [`metadataOptions.httpPutResponseHopLimit is ${shown(hops)}; set 1, or pods reach the machine's role`]),
    ...objects(props.blockDeviceMappings)
      .filter(({ ebs }) => String(object(ebs).encrypted) !== "true")
      .map(({ deviceName }) => `disk ${shown(deviceName)} is not encrypted; set encrypted`),
    ...(objects(props.networkInterfaces).some(
      ({ associatePublicIpAddress }) => String(associatePublicIpAddress) === "true",
    )
      ? ["a network interface has a public address; remove it"]
      : []),
    ...(props.keyName === undefined ? [] : ["keyName lets whoever holds the key log in; remove it"]),
  ];
}

function ingressProblems({ cidrIpv4, cidrIpv6, fromPort, toPort }: Values): string[] {
  const everybody = [cidrIpv4, cidrIpv6].filter((range) => range !== undefined && !narrow(String(range)));
  const served = fromPort === toPort && PUBLIC_PORTS.includes(Number(fromPort));
  return served
    ? []
    : everybody.map((range) => `${range} may come in on ${shown(fromPort)} to ${shown(toPort)}; name who may`);
}

const narrow = (range: string) => Number(range.split("/")[1] ?? 0) >= (range.includes(":") ? 2 * NARROWEST : NARROWEST);
