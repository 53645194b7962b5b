import { createHash } from "node:crypto";
import * as k8s from "@pulumi/kubernetes";
import { ComponentResource, type ComponentResourceOptions, type Resource } from "@pulumi/pulumi";
import { canary } from "../plan/canary";
import { namespaces, secrets } from "../plan/names";
import type { Cluster } from "./cluster";
import { exporterPod } from "./exporter-pod";
import { jobAccess } from "./job-access";
import { elasticsearchUrl, jobPod, mounts } from "./job-pod";
import { Scrape } from "./scrape";
import { SecretItem } from "./secret-item";
import { cassandraContactPoint } from "./services-schema";

/** Arguments of {@link CanarySchema}. */
export interface CanarySchemaArgs {
  /** Cluster of the region that is asked; the others follow. */
  cluster: Cluster;
  /** Its datacenter. */
  datacenter: string;
  /** Every active datacenter of the site. */
  datacenters: string[];
  /** Replicas of a canary in each. */
  replicationFactor: number;
  /** Image of the jobs, by digest. */
  image: string;
  /** 1Password vault with the canary's credentials. */
  onePasswordVault: string;
}

/** Seconds that the Job may take: it waits for a ring that was just restored. */
const seconds = 900;

/** The canaries' keyspace, table and role in Cassandra (S8): a Job that is the superuser once, so that no canary ever is. */
export class CanarySchema extends ComponentResource {
  /** Canaries can be written from then on. */
  readonly job: Resource;

  constructor(name: string, args: CanarySchemaArgs, opts?: ComponentResourceOptions) {
    super("iconik:monitoring:CanarySchema", name, {}, opts);
    const { cluster, datacenter, datacenters, image } = args;
    const namespace = namespaces.cassandra;
    const role = new SecretItem(
      `${name}-role`,
      { cluster, namespace, vault: args.onePasswordVault, item: secrets.canaryCassandra },
      { parent: this },
    );
    const spec = {
      backoffLimit: 2,
      activeDeadlineSeconds: seconds,
      template: jobPod({
        command: "prepare-canary",
        image,
        serviceAccount: "default",
        mounts: { ...mounts.cassandra, "/var/run/role": secrets.canaryCassandra },
        config: {
          cql: { contactPoints: [cassandraContactPoint(datacenter)] },
          datacenter,
          datacenters,
          replicas: args.replicationFactor,
        },
      }),
    };
    this.job = new k8s.batch.v1.Job(
      `${name}-job`,
      {
        metadata: {
          // A Job's pods cannot be changed: another one has another name.
          name: `prepare-canary-${createHash("sha256").update(JSON.stringify(spec)).digest("hex").slice(0, 8)}`,
          namespace,
          annotations: { "pulumi.com/replaceUnready": "true" },
        },
        spec,
      },
      { ...cluster.inside(this), dependsOn: [role], customTimeouts: { create: `${seconds + 60}s` } },
    );
    this.registerOutputs({});
  }
}

/** Arguments of {@link Canary}. */
export interface CanaryArgs {
  cluster: Cluster;
  datacenter: string;
  /** Image of the jobs, by digest. */
  image: string;
  /** 1Password vault with its credentials. */
  onePasswordVault: string;
}

const account = "canary";

/**
 * Writes a canary into both stores of a region each minute (S8, D2): the newest that a restore brings back is the point of
 * recovery. Not declared while a site is being restored.
 */
export class Canary extends ComponentResource {
  constructor(name: string, args: CanaryArgs, opts?: ComponentResourceOptions) {
    super("iconik:monitoring:Canary", name, {}, opts);
    const { cluster, onePasswordVault: vault } = args;
    const inside = cluster.inside(this);
    const namespace = namespaces.dr;
    const items = [secrets.canaryCassandra, secrets.canaryElasticsearch].map(
      (item) => new SecretItem(`${name}-${item}`, { cluster, namespace, vault, item }, { parent: this }),
    );
    const user = new k8s.core.v1.ServiceAccount(
      `${name}-account`,
      { metadata: { name: account, namespace }, automountServiceAccountToken: false },
      inside,
    );
    const access = jobAccess(`${name}-access`, "canary", namespaces.elasticsearch, account, inside, namespace);
    const template = canaryPod(args);
    const writer = new k8s.apps.v1.Deployment(
      `${name}-writer`,
      {
        metadata: { name: account, namespace },
        spec: { replicas: 1, selector: { matchLabels: template.metadata.labels }, template },
      },
      { ...inside, dependsOn: [user, access, ...items] },
    );
    new Scrape(
      `${name}-scrape`,
      { cluster, namespace, pods: template.metadata.labels, port: canary.port },
      { parent: this, dependsOn: [writer] },
    );
    this.registerOutputs({});
  }
}

/** The pod that writes. */
export function canaryPod({ datacenter, image }: Pick<CanaryArgs, "datacenter" | "image">) {
  return exporterPod({
    command: "canary",
    image,
    serviceAccount: account,
    port: canary.port,
    mounts: {
      "/var/run/cassandra": secrets.canaryCassandra,
      "/var/run/elasticsearch": secrets.canaryElasticsearch,
    },
    config: {
      datacenter,
      cql: { contactPoints: [cassandraContactPoint(datacenter)] },
      elasticsearch: {
        url: elasticsearchUrl,
        authority: { namespace: namespaces.elasticsearch, secret: secrets.elasticCertificates },
      },
    },
  });
}
