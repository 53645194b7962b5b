import * as k8s from "@pulumi/kubernetes";
import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import { medusaFolder } from "../plan/layout";
import { cassandraClusterName, namespaces, rackNames, secrets, seedService } from "../plan/names";
import { retention } from "../plan/retention";
import { cassandraNode, medusaContainer } from "../plan/sizing";
import { cassandraVersion } from "../plan/versions";
import { type GkeCluster, onPool } from "./gke-cluster";

/** The datacenter of one region as the manifest needs it. */
export interface DatacenterSpec {
  /** Neutral name (emea, amer …), the same on every cloud: a restore needs it equal. */
  datacenter: string;
  /** Every datacenter of the logical cluster, this one included. */
  datacenters: string[];
  /** Zones of the region; racks are spread over them in order. */
  zones: string[];
  racks: number;
  nodes: number;
  /** Replicas of each row in the region; new keyspaces get as many. */
  replicationFactor: number;
  /** Primary backup bucket. */
  bucket: string;
  /** Backups are being restored: none is purged meanwhile. */
  restoring: boolean;
}

/** Arguments of {@link CassandraDatacenter}. */
export interface CassandraDatacenterArgs extends DatacenterSpec {
  cluster: GkeCluster;
  deletionProtection: boolean;
}

/**
 * One region's complete replica of the logical Cassandra cluster (S1), under the region's own control plane. The
 * component is ready when every node of the datacenter is; the first datacenter bootstraps the cluster, so the others
 * have to depend on it.
 */
export class CassandraDatacenter extends ComponentResource {
  readonly resource: k8s.apiextensions.CustomResource;

  constructor(name: string, args: CassandraDatacenterArgs, opts?: ComponentResourceOptions) {
    super("iconik:cassandra:Datacenter", name, {}, opts);
    this.resource = new k8s.apiextensions.CustomResource(`${name}-k8ssandra`, k8ssandraCluster(args), {
      ...args.cluster.inside(this),
      protect: args.deletionProtection,
      customTimeouts: { create: "60m", update: "120m", delete: "30m" },
    });
    this.registerOutputs({});
  }
}

/** The K8ssandraCluster of one region. */
export function k8ssandraCluster(spec: DatacenterSpec) {
  const others = spec.datacenters.filter((datacenter) => datacenter !== spec.datacenter);
  return {
    apiVersion: "k8ssandra.io/v1alpha1",
    kind: "K8ssandraCluster",
    metadata: {
      name: cassandraClusterName,
      namespace: namespaces.cassandra,
      annotations: { "pulumi.com/waitFor": "condition=CassandraInitialized" },
    },
    spec: {
      auth: true,
      // Keeps the operator from dropping the other regions' replicas, which it does not manage.
      externalDatacenters: others,
      cassandra: {
        clusterName: cassandraClusterName,
        serverType: "cassandra",
        serverVersion: cassandraVersion,
        serviceAccount: "cassandra-backup",
        superuserSecretRef: { name: secrets.cassandraSuperuser },
        additionalSeeds: others.map(seedService),
        softPodAntiAffinity: false,
        tolerations: onPool("databases").tolerations,
        resources: {
          requests: { cpu: cassandraNode.cpu, memory: cassandraNode.memory },
          limits: { memory: cassandraNode.memory },
        },
        storageConfig: {
          cassandraDataVolumeClaimSpec: {
            storageClassName: cassandraNode.storageClass,
            accessModes: ["ReadWriteOnce"],
            resources: { requests: { storage: cassandraNode.storage } },
          },
        },
        config: {
          cassandraYaml: {
            authenticator: "PasswordAuthenticator",
            authorizer: "CassandraAuthorizer",
            // Differential backups tell files apart by name; without unique names a restored node would reuse them.
            uuid_sstable_identifiers_enabled: true,
            default_keyspace_rf: spec.replicationFactor,
            minimum_replication_factor_fail_threshold: 2,
          },
          jvmOptions: { heap_initial_size: cassandraNode.heap, heap_max_size: cassandraNode.heap },
        },
        datacenters: [
          {
            metadata: { name: spec.datacenter },
            size: spec.nodes,
            racks: racks(spec),
          },
        ],
      },
      medusa: {
        storageProperties: {
          storageProvider: "google_storage",
          credentialsType: "role-based",
          bucketName: spec.bucket,
          prefix: medusaFolder,
          // By number, one a night: by age, nights that failed would let the last good backup be purged.
          maxBackupAge: 0,
          maxBackupCount: retention.primaryBackupDays,
          concurrentTransfers: 4,
        },
        purgeBackups: !spec.restoring,
        containerResources: {
          requests: { cpu: medusaContainer.cpuRequest, memory: medusaContainer.memoryRequest },
          limits: { memory: medusaContainer.memoryLimit },
        },
      },
      reaper: {
        deploymentMode: "PER_DC",
        autoScheduling: { enabled: true, repairType: "AUTO" },
      },
    },
  };
}

/** Racks with neutral names, each pinned to a zone and to the database machines. */
export function racks({ racks: count, zones }: Pick<DatacenterSpec, "racks" | "zones">) {
  return rackNames(count).map((name, index) => ({
    name,
    nodeAffinityLabels: {
      "topology.kubernetes.io/zone": zones[index % zones.length]!,
      ...onPool("databases").nodeSelector,
    },
  }));
}
