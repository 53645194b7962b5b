/** Services, configuration and StatefulSets of a search cluster. */
import type { V1ConfigMap, V1Container, V1Service, V1StatefulSet } from "@kubernetes/client-node";
import { stringify } from "yaml";
import { OPERATOR_IMAGES } from "../../images/names";
import { ownedBy } from "../lib";
import { type Elasticsearch, labelsOf, type NodeSet, namesOf } from "./types";

const DATA = "elasticsearch-data";

/** Folder of the configuration in the published image, and here: below /usr nothing can be mounted. */
const CONFIGURATION = { published: "/usr/share/elasticsearch/config", here: "/var/lib/elasticsearch/config" };
const here = (path: string) => path.replace(CONFIGURATION.published, CONFIGURATION.here);

const meta = (cluster: Elasticsearch, name: string) => ({
  name,
  namespace: cluster.metadata?.namespace,
  labels: labelsOf(cluster),
  ownerReferences: ownedBy(cluster),
});

export function services(cluster: Elasticsearch): V1Service[] {
  const names = namesOf(cluster);
  const selector = labelsOf(cluster);
  const base = { apiVersion: "v1", kind: "Service" };
  return [
    {
      ...base,
      metadata: meta(cluster, names.http),
      spec: { type: "ClusterIP", selector, ports: [{ name: "https", port: 9200, targetPort: 9200 }] },
    },
    {
      ...base,
      metadata: meta(cluster, names.transport),
      spec: {
        clusterIP: "None",
        publishNotReadyAddresses: true,
        selector,
        ports: [{ name: "transport", port: 9300, targetPort: 9300 }],
      },
    },
  ];
}

/** Every node's name, in the order of the node sets. */
export function nodeNames(cluster: Elasticsearch): string[] {
  return (cluster.spec?.nodeSets ?? []).flatMap((nodeSet) =>
    Array.from({ length: nodeSet.count ?? 1 }, (_, index) => `${namesOf(cluster).set(nodeSet)}-${index}`),
  );
}

/** The settings file of each node set; those that only Elasticsearch knows are left out. */
export function configMap(cluster: Elasticsearch): V1ConfigMap {
  const nodes = nodeNames(cluster);
  const transport = `${namesOf(cluster).transport}.${cluster.metadata?.namespace}.svc`;
  const settings = (nodeSet: NodeSet) => ({
    ...Object.fromEntries(Object.entries(nodeSet.config ?? {}).filter(([key]) => !/^(xpack|awareness)\b/.test(key))),
    "cluster.name": cluster.metadata?.name,
    "node.attr.k8s_node_name": "local",
    ...(nodes.length === 1
      ? { "discovery.type": "single-node" }
      : { "discovery.seed_hosts": [transport], "cluster.initial_cluster_manager_nodes": nodes }),
  });
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: meta(cluster, namesOf(cluster).config),
    data: Object.fromEntries(
      (cluster.spec?.nodeSets ?? []).map((each) => [`${each.name}.yml`, stringify(settings(each))]),
    ),
  };
}

export function statefulSet(cluster: Elasticsearch, nodeSet: NodeSet): V1StatefulSet {
  const names = namesOf(cluster);
  const template = nodeSet.podTemplate?.spec ?? {};
  const labels = labelsOf(cluster, nodeSet);
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { ...meta(cluster, names.set(nodeSet)), labels },
    spec: {
      serviceName: names.transport,
      replicas: nodeSet.count ?? 1,
      podManagementPolicy: "Parallel",
      persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete", whenScaled: "Delete" },
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: 10,
          // The resource's own serviceAccountName is for associations; pods never get it.
          serviceAccountName: template.serviceAccountName,
          automountServiceAccountToken: template.automountServiceAccountToken,
          nodeSelector: template.nodeSelector,
          tolerations: template.tolerations,
          securityContext: { fsGroup: 65534 },
          containers: [elasticsearch(nodeSet), proxy(cluster)],
          volumes: [
            {
              name: "config",
              configMap: { name: names.config, items: [{ key: `${nodeSet.name}.yml`, path: "elasticsearch.yml" }] },
            },
            { name: "node-config", emptyDir: {} },
            { name: "certificates", secret: { secretName: names.internalCertificates } },
            { name: "user", secret: { secretName: names.user } },
            { name: "file-realm", secret: { secretName: names.fileRealm } },
            ...(template.volumes ?? []),
          ],
        },
      },
      volumeClaimTemplates: (nodeSet.volumeClaimTemplates ?? []).map((claim) => ({
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        ...claim,
      })),
    },
  };
}

const nodeIp = { name: "NODE_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } };

function elasticsearch(nodeSet: NodeSet): V1Container {
  const declared = nodeSet.podTemplate?.spec?.containers?.find(({ name }) => name === "elasticsearch");
  return {
    name: "elasticsearch",
    image: OPERATOR_IMAGES.opensearch,
    args: ["run"],
    env: [
      nodeIp,
      ...(declared?.env ?? []).map(({ value, ...each }) => ({ ...each, ...(value && { value: here(value) }) })),
    ],
    resources: declared?.resources,
    readinessProbe: {
      httpGet: { port: 9201, path: "/_cluster/health?local=true" },
      periodSeconds: 1,
      failureThreshold: 10,
    },
    volumeMounts: [
      { name: "config", mountPath: "/config" },
      { name: "node-config", mountPath: CONFIGURATION.here },
      { name: DATA, mountPath: "/var/lib/elasticsearch/data" },
      ...(declared?.volumeMounts ?? []).map((mount) => ({ ...mount, mountPath: here(mount.mountPath) })),
    ],
  };
}

/** TLS and passwords, which OpenSearch has in a plugin of another kind. */
function proxy(cluster: Elasticsearch): V1Container {
  return {
    name: "proxy",
    image: OPERATOR_IMAGES.opensearch,
    args: ["proxy"],
    env: [nodeIp, { name: "ES_VERSION", value: cluster.spec?.version ?? "" }],
    ports: [{ name: "https", containerPort: 9200 }],
    readinessProbe: { tcpSocket: { port: 9200 }, periodSeconds: 1 },
    volumeMounts: [
      { name: "certificates", mountPath: "/certs", readOnly: true },
      { name: "user", mountPath: "/user", readOnly: true },
      { name: "file-realm", mountPath: "/file-realm", readOnly: true },
    ],
  };
}
