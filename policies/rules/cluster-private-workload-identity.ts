import type { ResourceRule } from "../lib/rule";
import { types } from "../lib/types";
import { object, shown } from "../lib/values";

/** S4, S5: nodes have no public address, pods get identities without keys. */
export const clusterPrivateWorkloadIdentity: ResourceRule = {
  name: "cluster-private-workload-identity",
  description: "GKE clusters are private and use Workload Identity; their nodes hide their own account",
  types: [types.cluster, types.nodePool],
  check: ({ type, props }) => {
    if (type === types.nodePool) {
      const node = object(props.nodeConfig);
      const { mode } = object(node.workloadMetadataConfig);
      return [
        ...(mode === "GKE_METADATA" ? [] : [`workloadMetadataConfig.mode is ${shown(mode)}; set "GKE_METADATA"`]),
        // Its value is not known while it does not exist; that it is given is.
        ...("serviceAccount" in node
          ? []
          : ["nodeConfig.serviceAccount is not set: nodes would act as the project's Editor"]),
      ];
    }
    const problems: string[] = [];
    if (object(props.privateClusterConfig).enablePrivateNodes !== true)
      problems.push("privateClusterConfig.enablePrivateNodes is not true; set it");
    if (!object(props.workloadIdentityConfig).workloadPool)
      problems.push("workloadIdentityConfig.workloadPool is not set; set PROJECT.svc.id.goog");
    if (props.enableShieldedNodes !== true) problems.push("enableShieldedNodes is not true; set it");
    return problems;
  },
};
