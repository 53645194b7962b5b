import type { ResourceRule } from "../lib/rule";
import { types } from "../lib/types";
import { at, object, objects, shown, texts, type Values } from "../lib/values";

/** Smallest prefix of a network that is somebody's in particular. */
const NARROWEST_OPEN = 8;

/** Control planes and nodes are reached from networks that were named, and never from everywhere. */
export const networksClosed: ResourceRule = {
  name: "networks-closed",
  description: "Control planes have authorized networks, firewalls have sources, and neither is the Internet",
  plan: ["S4", "D5"],
  types: [types.cluster, types.firewall],
  check: ({ type, props }) => (type === types.cluster ? controlPlaneProblems(props) : firewallProblems(props)),
};

function controlPlaneProblems(props: Values): string[] {
  if (at(props, "privateClusterConfig", "enablePrivateEndpoint") === true) return [];
  const config = props.masterAuthorizedNetworksConfig;
  if (config === undefined || config === null)
    return ["masterAuthorizedNetworksConfig is not set: anybody reaches the control plane; set its cidrBlocks"];
  return [
    ...objects(object(config).cidrBlocks)
      .filter(({ cidrBlock }) => isOpen(String(cidrBlock)))
      .map(({ cidrBlock }) => `authorized network ${shown(cidrBlock)} is half the world; name the deployer's network`),
    ...(object(config).gcpPublicCidrsAccessEnabled === false
      ? []
      : [
          "gcpPublicCidrsAccessEnabled is not false: every machine of Google Cloud reaches the control plane; set false",
        ]),
  ];
}

function firewallProblems(props: Values): string[] {
  if (props.direction === "EGRESS" || objects(props.allows).length === 0) return [];
  const open = texts(props.sourceRanges).filter(isOpen);
  const sources = ["sourceRanges", "sourceTags", "sourceServiceAccounts"].filter(
    (key) => key in props && (key !== "sourceRanges" || texts(props[key]).length > 0),
  );
  return [
    ...open.map((range) => `sourceRanges has ${shown(range)}, which is half the world; name who may come in`),
    ...(sources.length === 0 ? ["no source is set: anybody may come in; set sourceRanges"] : []),
  ];
}

/** Is a network so wide that it is nobody's in particular? */
function isOpen(range: string): boolean {
  const bits = Number(range.split("/")[1] ?? (range.includes(":") ? 128 : 32));
  return !(bits >= (range.includes(":") ? 2 * NARROWEST_OPEN : NARROWEST_OPEN));
}
