import { types } from "../lib/types";
import { resource, specify } from "../testing";
import { clusterPrivateWorkloadIdentity } from "./cluster-private-workload-identity";

const cluster = {
  privateClusterConfig: { enablePrivateNodes: true },
  workloadIdentityConfig: { workloadPool: "p.svc.id.goog" },
  enableShieldedNodes: true,
};
const nodeConfig = { serviceAccount: "n@p", workloadMetadataConfig: { mode: "GKE_METADATA" } };

specify(clusterPrivateWorkloadIdentity, {
  holds: [resource(types.cluster, cluster), resource(types.nodePool, { nodeConfig })],
  violated: [
    [resource(types.cluster), /S4, S5, D5: privateClusterConfig.enablePrivateNodes is not true/],
    [resource(types.cluster, { ...cluster, privateClusterConfig: { enablePrivateNodes: false } }), /PrivateNodes/],
    [resource(types.cluster), /workloadPool is not set/],
    [resource(types.cluster, { ...cluster, workloadIdentityConfig: {} }), /workloadPool is not set/],
    [resource(types.cluster, { ...cluster, enableShieldedNodes: false }), /enableShieldedNodes is not true/],
    [resource(types.cluster, { ...cluster, enableLegacyAbac: true }), /enableLegacyAbac is true/],
    [resource(types.nodePool, { nodeConfig: { serviceAccount: "n@p" } }), /mode is not set; set "GKE_METADATA"/],
    [resource(types.nodePool), /Editor/],
    [resource(types.nodePool, { nodeConfig, networkConfig: { enablePrivateNodes: false } }), /leave it to the cluster/],
  ],
});
