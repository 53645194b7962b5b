/** The parts of Elasticsearch's resource that the stand-in reads and writes. */
import type { V1Container, V1PersistentVolumeClaim, V1PodSpec } from "@kubernetes/client-node";
import type { Condition } from "../lib";
import type { CustomObject } from "../objects";

export const ELASTICSEARCH = { apiVersion: "elasticsearch.k8s.elastic.co/v1", kind: "Elasticsearch" };

export interface NodeSet {
  name: string;
  count?: number;
  config?: Record<string, unknown>;
  podTemplate?: { spec?: Partial<V1PodSpec> & { containers?: Partial<V1Container>[] } };
  volumeClaimTemplates?: V1PersistentVolumeClaim[];
}

export type Elasticsearch = CustomObject<
  {
    version: string;
    serviceAccountName?: string;
    nodeSets: NodeSet[];
    auth?: { fileRealm?: { secretName?: string }[]; roles?: { secretName?: string }[] };
  },
  { conditions?: Condition[]; phase?: string; health?: string; availableNodes?: number; version?: string }
>;

/** Names as ECK gives them. */
export function namesOf(cluster: Elasticsearch) {
  const name = cluster.metadata?.name ?? "";
  return {
    http: `${name}-es-http`,
    transport: `${name}-es-transport`,
    user: `${name}-es-elastic-user`,
    internalCertificates: `${name}-es-http-certs-internal`,
    publicCertificates: `${name}-es-http-certs-public`,
    config: `${name}-es-config`,
    fileRealm: `${name}-es-xpack-file-realm`,
    set: (nodeSet: NodeSet) => `${name}-es-${nodeSet.name}`,
  };
}

/** Labels of a cluster's pods, or of one node set's. */
export function labelsOf(cluster: Elasticsearch, nodeSet?: NodeSet): Record<string, string> {
  return {
    "common.k8s.elastic.co/type": "elasticsearch",
    "elasticsearch.k8s.elastic.co/cluster-name": cluster.metadata?.name ?? "",
    ...(nodeSet ? { "elasticsearch.k8s.elastic.co/statefulset-name": namesOf(cluster).set(nodeSet) } : {}),
  };
}
