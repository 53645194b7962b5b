/**
 * Images of others that run in a site's clusters. They are mirrored into the vault's registry under their own paths
 * (docs/runbooks/mirror.md), so that a rebuild needs nobody else's registry. Tags are those of the pinned charts.
 */
import { cassandraVersion, charts, elasticsearchVersion, medusaVersion } from "./versions";

/** An image as its publisher names it: `registry/repository/name:tag`. */
export interface ThirdPartyImage {
  /** Publisher's host; the mirror takes its place. */
  registry: string;
  repository: string;
  name: string;
  tag: string;
}

const certManager = (name: string): ThirdPartyImage => ({
  registry: "quay.io",
  repository: "jetstack",
  name: `cert-manager-${name}`,
  tag: charts.certManager.version,
});
const dockerHub = (repository: string, name: string, tag: string): ThirdPartyImage => ({
  registry: "docker.io",
  repository,
  name,
  tag,
});
const elastic = (repository: string, name: string, tag: string): ThirdPartyImage => ({
  registry: "docker.elastic.co",
  repository,
  name,
  tag,
});

/** Every one of them, by what it does. */
export const images = {
  certManagerController: certManager("controller"),
  certManagerWebhook: certManager("webhook"),
  certManagerInjector: certManager("cainjector"),
  /** Waits for the webhook after an install. */
  certManagerCheck: certManager("startupapicheck"),
  /** Named to the controller at its start; no issuer of ours runs it. */
  certManagerSolver: certManager("acmesolver"),
  k8ssandraOperator: dockerHub("k8ssandra", "k8ssandra-operator", `v${charts.k8ssandra.version}`),
  cassOperator: dockerHub("k8ssandra", "cass-operator", "v1.30.3"),
  /** Sidecar with Cassandra's log. */
  systemLogger: dockerHub("k8ssandra", "system-logger", "v1.30.3"),
  /** Writes the configuration of Cassandra before 4.1; cass-operator's configuration names it. */
  configBuilder: dockerHub("datastax", "cass-config-builder", "1.0-ubi"),
  /** Writes the configuration of Cassandra since 4.1. */
  k8ssandraClient: dockerHub("k8ssandra", "k8ssandra-client", "v0.8.14"),
  cassandra: dockerHub("k8ssandra", "cass-management-api", `${cassandraVersion}-ubi`),
  medusa: dockerHub("k8ssandra", "medusa", medusaVersion),
  reaper: dockerHub("thelastpickle", "cassandra-reaper", "5.0.0"),
  eckOperator: elastic("eck", "eck-operator", charts.eck.version),
  elasticsearch: elastic("elasticsearch", "elasticsearch", elasticsearchVersion),
  onePasswordOperator: dockerHub("1password", "onepassword-operator", "1.11.0"),
  /** Runs in the standby alone. */
  awsLoadBalancerController: {
    registry: "public.ecr.aws",
    repository: "eks",
    name: "aws-load-balancer-controller",
    tag: `v${charts.awsLoadBalancer.version}`,
  },
} as const satisfies Record<string, ThirdPartyImage>;

/** Path of an image in any registry, without host and tag, e.g. `k8ssandra/medusa`. */
export function imagePath({ repository, name }: ThirdPartyImage): string {
  return `${repository}/${name}`;
}

/** Where the publisher has it, e.g. `docker.io/k8ssandra/medusa:0.31.0`. */
export function published(image: ThirdPartyImage): string {
  return `${image.registry}/${imagePath(image)}:${image.tag}`;
}

/** The image as the mirror has it, part by part. `mirror` is the vault's repository of them, e.g. `HOST/PROJECT/mirror`. */
export function inMirror(mirror: string, image: ThirdPartyImage): ThirdPartyImage {
  return { ...image, registry: mirror };
}

/** The image as the mirror has it, e.g. `HOST/PROJECT/mirror/k8ssandra/medusa:0.31.0`. */
export function mirrored(mirror: string, image: ThirdPartyImage): string {
  return published(inMirror(mirror, image));
}
