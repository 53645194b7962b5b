import type { ResourceRule } from "../lib/rule";
import { types } from "../lib/types";
import { at, object, shown, type Values } from "../lib/values";

/** Nodes have no public address, pods get identities without keys. */
export const clusterPrivateWorkloadIdentity: ResourceRule = {
  name: "cluster-private-workload-identity",
  description: "GKE clusters are private and use Workload Identity; their nodes hide their own account",
  plan: ["S4", "S5", "D5"],
  types: [types.cluster, types.nodePool],
  check: ({ type, props }) => (type === types.nodePool ? poolProblems(props) : clusterProblems(props)),
};

function poolProblems(props: Values): string[] {
  const node = object(props.nodeConfig);
  const { mode } = object(node.workloadMetadataConfig);
  return [
    ...(mode === "GKE_METADATA" ? [] : [`workloadMetadataConfig.mode is ${shown(mode)}; set "GKE_METADATA"`]),
    // Its value is not known while it does not exist; that it is given is.
    ...("serviceAccount" in node
      ? []
      : ["nodeConfig.serviceAccount is not set: nodes would act as the project's Editor"]),
    ...(at(props, "networkConfig", "enablePrivateNodes") === false
      ? ["networkConfig.enablePrivateNodes is false; leave it to the cluster, which has private nodes"]
      : []),
  ];
}

function clusterProblems(props: Values): string[] {
  const problems: string[] = [];
  if (at(props, "privateClusterConfig", "enablePrivateNodes") !== true)
    problems.push("privateClusterConfig.enablePrivateNodes is not true; set it");
  if (!at(props, "workloadIdentityConfig", "workloadPool"))
    problems.push("workloadIdentityConfig.workloadPool is not set; set PROJECT.svc.id.goog");
  if (props.enableShieldedNodes !== true) problems.push("enableShieldedNodes is not true; set it");
  if (props.enableLegacyAbac === true)
    problems.push("enableLegacyAbac is true; remove it: with it every account of the cluster may do everything");
  return problems;
}
