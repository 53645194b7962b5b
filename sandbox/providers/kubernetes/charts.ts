/** The Helm charts that can be released here: their CustomResourceDefinitions and whether an operator comes with them. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import type { Props } from "../../lib/types";
import { isRecord } from "../values";
import type { KubeObject } from "./types";

/** A kind that a chart installs. */
interface ChartKind {
  group: string;
  version: string;
  kind: string;
  plural: string;
  shortNames?: string[];
  clusterScoped?: boolean;
}

/** What is known of a chart. */
export interface Chart {
  name: string;
  kinds: (values: Props) => ChartKind[];
  /** True when a release with these values runs an operator that has to answer. */
  operator: (values: Props) => boolean;
}

const kind = (group: string, version: string, name: string, plural: string, ...shortNames: string[]): ChartKind => ({
  group,
  version,
  kind: name,
  plural,
  shortNames,
});
const enabled = (values: Props, section: string, field: string) =>
  isRecord(values[section]) && values[section][field] === true;

const CHARTS: Chart[] = [
  {
    name: "k8ssandra-operator",
    operator: () => true,
    kinds: () => [
      kind("cassandra.datastax.com", "v1beta1", "CassandraDatacenter", "cassandradatacenters", "cassdc", "cassdcs"),
      kind("config.k8ssandra.io", "v1beta1", "ClientConfig", "clientconfigs"),
      kind("control.k8ssandra.io", "v1alpha1", "CassandraTask", "cassandratasks", "casstask", "casstasks"),
      kind("control.k8ssandra.io", "v1alpha1", "K8ssandraTask", "k8ssandratasks"),
      kind("k8ssandra.io", "v1alpha1", "K8ssandraCluster", "k8ssandraclusters", "k8c", "k8cs"),
      kind("medusa.k8ssandra.io", "v1alpha1", "MedusaBackup", "medusabackups"),
      kind("medusa.k8ssandra.io", "v1alpha1", "MedusaBackupJob", "medusabackupjobs"),
      kind("medusa.k8ssandra.io", "v1alpha1", "MedusaBackupSchedule", "medusabackupschedules"),
      kind("medusa.k8ssandra.io", "v1alpha1", "MedusaConfiguration", "medusaconfigurations"),
      kind("medusa.k8ssandra.io", "v1alpha1", "MedusaRestoreJob", "medusarestorejobs"),
      kind("medusa.k8ssandra.io", "v1alpha1", "MedusaTask", "medusatasks"),
      kind("reaper.k8ssandra.io", "v1alpha1", "Reaper", "reapers"),
      kind("replication.k8ssandra.io", "v1alpha1", "ReplicatedSecret", "replicatedsecrets"),
      kind("stargate.k8ssandra.io", "v1alpha1", "Stargate", "stargates"),
    ],
  },
  {
    name: "eck-operator",
    operator: () => true,
    kinds: () => [kind("elasticsearch.k8s.elastic.co", "v1", "Elasticsearch", "elasticsearches", "es")],
  },
  {
    name: "connect",
    operator: (values) => enabled(values, "operator", "create"),
    kinds: () => [kind("onepassword.com", "v1", "OnePasswordItem", "onepassworditems")],
  },
  {
    name: "aws-load-balancer-controller",
    operator: () => true,
    kinds: () => [
      kind("elbv2.k8s.aws", "v1beta1", "TargetGroupBinding", "targetgroupbindings"),
      { ...kind("elbv2.k8s.aws", "v1beta1", "IngressClassParams", "ingressclassparams"), clusterScoped: true },
    ],
  },
  {
    name: "external-secrets",
    operator: () => false,
    kinds: () => [
      kind("external-secrets.io", "v1", "ExternalSecret", "externalsecrets", "es"),
      kind("external-secrets.io", "v1", "SecretStore", "secretstores", "ss"),
      { ...kind("external-secrets.io", "v1", "ClusterSecretStore", "clustersecretstores", "css"), clusterScoped: true },
    ],
  },
  {
    name: "cert-manager",
    operator: () => true,
    // The chart leaves its CustomResourceDefinitions out unless it is told otherwise.
    kinds: (values) =>
      enabled(values, "crds", "enabled") || values.installCRDs === true
        ? [
            kind("cert-manager.io", "v1", "Certificate", "certificates", "cert", "certs"),
            kind("cert-manager.io", "v1", "Issuer", "issuers"),
            { ...kind("cert-manager.io", "v1", "ClusterIssuer", "clusterissuers"), clusterScoped: true },
          ]
        : [],
  },
];

/** Name of a chart without its repository: `oci://registry/charts/name` and `repository/name` are `name`. */
export function chartName(reference: string): string {
  return reference.replace(/\/+$/, "").split("/").at(-1) ?? reference;
}

/**
 * What is known of the chart that a reference names.
 *
 * @throws when it is not one of those that can be released here
 */
export function chartOf(reference: string): Chart {
  const chart = CHARTS.find(({ name }) => name === chartName(reference));
  if (chart) return chart;
  const known = CHARTS.map(({ name }) => name).join(", ");
  throw new Error(`chart "${reference}" is not known here; known charts: ${known}. Add it to charts.ts`);
}

/** Folder of real CustomResourceDefinitions, `GROUP_PLURAL.yaml` each; kinds without a file get a permissive schema. */
export function crdFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.SANDBOX_CRDS) return env.SANDBOX_CRDS;
  // This file runs as a source and as a bundle elsewhere in the checkout.
  let folder = __dirname;
  while (!existsSync(join(folder, "package.json")) && folder !== dirname(folder)) folder = dirname(folder);
  return join(folder, "..", "shared", "crds");
}

/** The CustomResourceDefinitions that a release of a chart installs. */
export function chartCrds(chart: Chart, values: Props, folder = crdFolder()): KubeObject[] {
  return chart.kinds(values).map((entry) => {
    const file = join(folder, `${entry.group}_${entry.plural}.yaml`);
    return existsSync(file) ? (parse(readFileSync(file, "utf8")) as KubeObject) : permissiveCrd(entry);
  });
}

function permissiveCrd({ group, version, kind, plural, shortNames, clusterScoped }: ChartKind): KubeObject {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: clusterScoped ? "Cluster" : "Namespaced",
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase(), shortNames },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
        },
      ],
    },
  };
}
