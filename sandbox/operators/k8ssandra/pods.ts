/** Services and StatefulSets of a datacenter. */
import type { V1Container, V1Secret, V1Service, V1StatefulSet } from "@kubernetes/client-node";
import { OPERATOR_IMAGES } from "../../images/names";
import { ownedBy } from "../lib";
import { storePath } from "./encryption";
import { cassandraYaml } from "./files";
import { labels, serviceNames, statefulSetName } from "./names";
import type { CassandraDatacenter, Rack } from "./types";

const PORTS = [
  { name: "native", port: 9042 },
  { name: "internode", port: 7000 },
];

/** Name of the Secret with the node's configuration, and of the ConfigMap with the cluster's Medusa configuration. */
export const configName = (datacenter: CassandraDatacenter) => `${datacenter.metadata?.name}-server-config`;
export const medusaConfigName = (cluster: string) => `${cluster}-medusa`;

const meta = (datacenter: CassandraDatacenter, name: string) => ({
  name,
  namespace: datacenter.metadata?.namespace,
  labels: labels(datacenter),
  ownerReferences: ownedBy(datacenter),
});

/** A Secret, because it names the passwords of keystores. */
export function configuration(datacenter: CassandraDatacenter): V1Secret {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: meta(datacenter, configName(datacenter)),
    type: "Opaque",
    data: { "cassandra.yaml": Buffer.from(cassandraYaml(datacenter)).toString("base64") },
  };
}

/** All headless, as cass-operator makes them: clients and nodes talk to pods. */
export function services(datacenter: CassandraDatacenter): V1Service[] {
  const names = serviceNames(datacenter.spec?.clusterName ?? "", datacenter.metadata?.name ?? "");
  const selector = labels(datacenter);
  const headless = (name: string, extra: V1Service["spec"] = {}): V1Service => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: meta(datacenter, name),
    spec: { clusterIP: "None", ports: PORTS, selector, ...extra },
  });
  return [
    headless(names.cql),
    headless(names.seeds, { publishNotReadyAddresses: true }),
    headless(names.allPods, { publishNotReadyAddresses: true }),
  ];
}

/** One rack: its pods go where the rack's affinity labels say. */
export function statefulSet(datacenter: CassandraDatacenter, rack: Rack, replicas: number): V1StatefulSet {
  const spec = datacenter.spec;
  const name = statefulSetName(spec?.clusterName ?? "", datacenter.metadata?.name ?? "", rack.name);
  const names = serviceNames(spec?.clusterName ?? "", datacenter.metadata?.name ?? "");
  const claim = (spec?.storageConfig.cassandraDataVolumeClaimSpec ?? {}) as Record<string, unknown>;
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { ...meta(datacenter, name), labels: labels(datacenter, rack.name) },
    spec: {
      serviceName: names.allPods,
      replicas,
      podManagementPolicy: "OrderedReady",
      persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete", whenScaled: "Retain" },
      selector: { matchLabels: labels(datacenter, rack.name) },
      template: {
        metadata: { labels: labels(datacenter, rack.name) },
        spec: {
          serviceAccountName: spec?.serviceAccountName,
          terminationGracePeriodSeconds: 10,
          nodeSelector: rack.nodeAffinityLabels,
          tolerations: spec?.tolerations,
          initContainers: initContainers(datacenter, rack),
          containers: containers(datacenter, rack),
          volumes: [
            { name: "config", secret: { secretName: configName(datacenter) } },
            { name: "medusa-template", configMap: { name: medusaConfigName(clusterOf(datacenter)), optional: true } },
            { name: "server-config", emptyDir: {} },
            { name: "medusa-config", emptyDir: {} },
            ...storesOf(datacenter),
          ],
        },
      },
      volumeClaimTemplates: [
        { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { name: "server-data" }, spec: claim },
      ],
    },
  };
}

/** Name of the K8ssandraCluster that a datacenter belongs to. */
const clusterOf = (datacenter: CassandraDatacenter) => datacenter.metadata?.labels?.["k8ssandra.io/cluster-name"] ?? "";

const mount = (name: string, mountPath: string) => ({ name, mountPath });
const DATA = mount("server-data", "/var/lib/cassandra");

function initContainers(datacenter: CassandraDatacenter, rack: Rack): V1Container[] {
  const restore = datacenter.spec?.podTemplateSpec?.spec?.initContainers?.find(({ name }) => name === "medusa-restore");
  return [
    {
      name: "server-config-init",
      image: OPERATOR_IMAGES.cassandra,
      args: ["configure"],
      env: environment(datacenter, rack),
      volumeMounts: [mount("config", "/config"), mount("server-config", "/etc/cassandra")],
    },
    {
      name: "medusa-config-init",
      image: OPERATOR_IMAGES.medusa,
      args: ["configure"],
      env: environment(datacenter, rack),
      volumeMounts: [mount("medusa-template", "/config"), mount("medusa-config", "/etc/medusa")],
    },
    {
      name: "medusa-restore",
      image: OPERATOR_IMAGES.medusa,
      args: ["restore"],
      env: [...environment(datacenter, rack), ...(restore?.env ?? [])],
      volumeMounts: [DATA, mount("server-config", "/etc/cassandra"), mount("medusa-config", "/etc/medusa")],
    },
  ];
}

function containers(datacenter: CassandraDatacenter, rack: Rack): V1Container[] {
  return [
    {
      name: "cassandra",
      image: OPERATOR_IMAGES.cassandra,
      args: ["run"],
      env: environment(datacenter, rack),
      ports: PORTS.map(({ name, port }) => ({ name, containerPort: port })),
      resources: datacenter.spec?.resources,
      readinessProbe: { tcpSocket: { port: 9042 }, periodSeconds: 1, failureThreshold: 5 },
      volumeMounts: [
        DATA,
        mount("server-config", "/etc/cassandra"),
        ...storesOf(datacenter).map(({ name }) => mount(name, storePath(name))),
      ],
    },
    {
      name: "medusa",
      image: OPERATOR_IMAGES.medusa,
      args: ["serve"],
      env: [
        ...environment(datacenter, rack),
        ...["username", "password"].map((key) => ({
          name: `CQL_${key.toUpperCase()}`,
          valueFrom: { secretKeyRef: { name: datacenter.spec?.superuserSecretName, key } },
        })),
      ],
      volumeMounts: [DATA, mount("server-config", "/etc/cassandra"), mount("medusa-config", "/etc/medusa")],
    },
  ];
}

/** Volumes with keystores that the control plane asks for. */
const storesOf = (datacenter: CassandraDatacenter) => datacenter.spec?.podTemplateSpec?.spec?.volumes ?? [];

function environment(datacenter: CassandraDatacenter, rack: Rack) {
  const names = serviceNames(datacenter.spec?.clusterName ?? "", datacenter.metadata?.name ?? "");
  const own = `${names.seeds}.${datacenter.metadata?.namespace}.svc`;
  return [
    { name: "NODE_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
    { name: "DATACENTER", value: datacenter.metadata?.name ?? "" },
    { name: "RACK", value: rack.name },
    { name: "FIRST_RACK", value: datacenter.spec?.racks[0]?.name ?? "" },
    { name: "SEEDS", value: own },
    { name: "ADDITIONAL_SEEDS", value: additionalSeeds(datacenter).join(",") },
  ];
}

/** Where nodes of other datacenters are found: the name that the control plane keeps current, and declared addresses. */
export function additionalSeeds(datacenter: CassandraDatacenter): string[] {
  const names = serviceNames(datacenter.spec?.clusterName ?? "", datacenter.metadata?.name ?? "");
  return [
    `${names.additionalSeeds}.${datacenter.metadata?.namespace}.svc`,
    ...(datacenter.spec?.additionalSeeds ?? []),
  ];
}
