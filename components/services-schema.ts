import { createHash } from "node:crypto";
import * as k8s from "@pulumi/kubernetes";
import { ComponentResource, type ComponentResourceOptions, type Resource } from "@pulumi/pulumi";
import { cassandraClusterName, namespaces, secrets } from "../plan/names";
import { jobContainer } from "../plan/sizing";
import type { Cluster } from "./cluster";
import { restrictedContainer, restrictedPod } from "./pod-security";
import { SecretItem } from "./secret-item";

/** Arguments of {@link ServicesSchema}. */
export interface ServicesSchemaArgs {
  /** Cluster of the region that is asked; the others follow. */
  cluster: Cluster;
  /** Its datacenter. */
  datacenter: string;
  /** Every datacenter of the site. */
  datacenters: string[];
  /** Replicas of a row in each. */
  replicationFactor: number;
  /** Image of the services, by digest. */
  image: string;
  /** 1Password vault with the services' credentials. */
  onePasswordVault: string;
}

/** Seconds that the Job may take: it waits for a ring that was just restored. */
const seconds = 900;
/**
 * The services' keyspace, tables and role in Cassandra: a Job that is the superuser once, so that no service ever is. Another
 * set of datacenters or another image replaces it; repeated, it changes nothing.
 */
export class ServicesSchema extends ComponentResource {
  /** The services can use Cassandra from then on. */
  readonly job: Resource;

  constructor(name: string, args: ServicesSchemaArgs, opts?: ComponentResourceOptions) {
    super("iconik:services:Schema", name, {}, opts);
    const namespace = namespaces.cassandra;
    const role = new SecretItem(
      `${name}-role`,
      { cluster: args.cluster, namespace, vault: args.onePasswordVault, item: secrets.servicesCassandra },
      { parent: this },
    );
    const spec = schemaJob(args);
    this.job = new k8s.batch.v1.Job(
      `${name}-job`,
      {
        metadata: {
          // A Job's pods cannot be changed: another one has another name.
          name: `services-schema-${createHash("sha256").update(JSON.stringify(spec)).digest("hex").slice(0, 8)}`,
          namespace,
          annotations: { "pulumi.com/replaceUnready": "true" },
        },
        spec,
      },
      { ...args.cluster.inside(this), dependsOn: [role], customTimeouts: { create: `${seconds + 60}s` } },
    );
    this.registerOutputs({});
  }
}

/** The Job's specification. */
export function schemaJob({ datacenter, datacenters, replicationFactor, image }: Omit<ServicesSchemaArgs, "cluster">) {
  const mounts = {
    superuser: { path: "/var/run/cassandra", secret: secrets.cassandraSuperuser },
    role: { path: "/var/run/role", secret: secrets.servicesCassandra },
  };
  const env = {
    DATACENTER: datacenter,
    CASSANDRA_CONTACT_POINTS: cassandraContactPoint(datacenter),
    DATACENTERS: datacenters.join(","),
    REPLICATION_FACTOR: String(replicationFactor),
  };
  return {
    backoffLimit: 2,
    activeDeadlineSeconds: seconds,
    template: {
      metadata: { labels: { "app.kubernetes.io/name": "services-schema" } },
      spec: {
        restartPolicy: "Never",
        automountServiceAccountToken: false,
        securityContext: restrictedPod,
        containers: [
          {
            name: "prepare",
            image,
            args: ["prepare"],
            env: Object.entries(env).map(([key, value]) => ({ name: key, value })),
            resources: {
              requests: { cpu: jobContainer.cpuRequest, memory: jobContainer.memoryRequest },
              limits: { memory: jobContainer.memoryRequest },
            },
            securityContext: restrictedContainer,
            volumeMounts: Object.entries(mounts).map(([key, { path }]) => ({
              name: key,
              mountPath: path,
              readOnly: true,
            })),
          },
        ],
        volumes: Object.entries(mounts).map(([key, { secret }]) => ({
          name: key,
          secret: { secretName: secret, defaultMode: 0o440 },
        })),
      },
    },
  };
}

/** Service of a datacenter's nodes, as seen from its region's cluster. */
export function cassandraContactPoint(datacenter: string): string {
  return `${cassandraClusterName}-${datacenter}-service.${namespaces.cassandra}.svc`;
}
