import * as k8s from "@pulumi/kubernetes";
import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import { internodeProtocols } from "../plan/encryption";
import { images, inMirror, mirrored } from "../plan/images";
import { medusaFolder } from "../plan/layout";
import { cassandraClusterName, namespaces, rackNames, secrets } from "../plan/names";
import { minimumReplicas, repair } from "../plan/repair";
import { retention } from "../plan/retention";
import { cassandraNode, medusaContainer, pools, reaperContainer } from "../plan/sizing";
import { diskFailures, storeDisks } from "../plan/storage";
import { cassandraVersion } from "../plan/versions";
import { type Cluster, onPool } from "./cluster";
import { attempts } from "./cron-job";

/** One region's datacenter as the manifest needs it. */
export interface DatacenterSpec {
  /** Neutral name (emea, amer …), the same on every cloud: a restore needs it equal. Its cluster's `k8sContext` too. */
  datacenter: string;
  /** Zones of the region; racks are spread over them in order. */
  zones: string[];
  /** It is in the control cluster itself. Default: in a cluster of its own. */
  local?: boolean;
}

/** The logical cluster as the manifest needs it. */
export interface CassandraSpec {
  /** The first one starts the ring, the others join it one after the other. */
  datacenters: DatacenterSpec[];
  /** Racks, nodes and replicas of each row in every datacenter; new keyspaces get as many replicas. */
  racks: number;
  nodes: number;
  replicationFactor: number;
  /** Primary backup bucket; in S3 with its region. */
  bucket: string;
  /** Region of the bucket in S3. Default: it is in Cloud Storage. */
  s3Region?: string;
  /** Repository that mirrors the images, e.g. `HOST/PROJECT/mirror`. */
  mirror: string;
  /** Backups are being restored: none is purged meanwhile. */
  restoring: boolean;
}

/** Arguments of {@link CassandraCluster}. */
export interface CassandraClusterArgs extends CassandraSpec {
  /** The site's control cluster. */
  control: Cluster;
  deletionProtection: boolean;
}

/**
 * The logical Cassandra cluster (S1): a complete replica per region, declared as a whole in the control cluster. The
 * component is ready when every node of every datacenter is.
 */
export class CassandraCluster extends ComponentResource {
  readonly resource: k8s.apiextensions.CustomResource;

  constructor(name: string, args: CassandraClusterArgs, opts?: ComponentResourceOptions) {
    super("iconik:cassandra:Cluster", name, {}, opts);
    this.resource = new k8s.apiextensions.CustomResource(`${name}-k8ssandra`, k8ssandraCluster(args), {
      ...args.control.inside(this),
      protect: args.deletionProtection,
      customTimeouts: { create: "120m", update: "240m", delete: "30m" },
    });
    this.registerOutputs({});
  }
}

/** The K8ssandraCluster with every datacenter. */
export function k8ssandraCluster(spec: CassandraSpec) {
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
      cassandra: {
        clusterName: cassandraClusterName,
        serverType: "cassandra",
        serverVersion: cassandraVersion,
        serverImage: mirrored(spec.mirror, images.cassandra),
        // The operator's own default for this version, which it gives up for an image that is named.
        readOnlyRootFilesystem: true,
        serviceAccount: "cassandra-backup",
        superuserSecretRef: { name: secrets.cassandraSuperuser },
        softPodAntiAffinity: false,
        tolerations: onPool(pools.databases).tolerations,
        resources: {
          requests: { cpu: cassandraNode.cpu, memory: cassandraNode.memory },
          limits: { memory: cassandraNode.memory },
        },
        telemetry,
        storageConfig: {
          cassandraDataVolumeClaimSpec: {
            storageClassName: storeDisks.className,
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
            server_encryption_options: internodeEncryption,
            default_keyspace_rf: spec.replicationFactor,
            minimum_replication_factor_fail_threshold: minimumReplicas,
            ...diskFailures,
          },
          jvmOptions: { heap_initial_size: cassandraNode.heap, heap_max_size: cassandraNode.heap },
        },
        serverEncryptionStores: encryptionStores,
        datacenters: spec.datacenters.map(({ datacenter, zones, local }) => ({
          metadata: { name: datacenter },
          ...(!local && { k8sContext: datacenter }),
          size: spec.nodes,
          racks: racks(spec.racks, zones),
        })),
      },
      medusa: {
        containerImage: inMirror(spec.mirror, images.medusa),
        storageProperties: {
          ...storage(spec.s3Region),
          credentialsType: "role-based",
          bucketName: spec.bucket,
          prefix: medusaFolder,
          // By number: by age, nights that failed would let the last good backup be purged. Medusa counts incomplete ones as well, and
          // each attempt of a night may leave one.
          maxBackupAge: 0,
          maxBackupCount: retention.primaryBackupDays * attempts,
          concurrentTransfers: 4,
        },
        purgeBackups: !spec.restoring,
        containerResources: {
          requests: { cpu: medusaContainer.cpuRequest, memory: medusaContainer.memoryRequest },
          limits: { memory: medusaContainer.memoryLimit },
        },
      },
      reaper: {
        containerImage: inMirror(spec.mirror, images.reaper),
        deploymentMode: "PER_DC",
        autoScheduling: {
          // Datacenters that are being restored stop and start.
          enabled: !spec.restoring,
          // Full repairs: incremental ones never read again what they marked, so decay there would stay unseen.
          repairType: "ADAPTIVE",
          timeBeforeFirstSchedule: repair.firstAfter,
          scheduleSpreadPeriod: repair.spread,
        },
        heapSize: reaperContainer.heap,
        resources: {
          requests: { cpu: reaperContainer.cpuRequest, memory: reaperContainer.memory },
          limits: { memory: reaperContainer.memory },
        },
        telemetry,
      },
    },
  };
}

/** Where Medusa writes. In S3 in single parts, up to S3's 5 GiB: their ETags are their MD5. What is larger has another checksum (ADR 40). */
function storage(s3Region: string | undefined) {
  if (s3Region === undefined) return { storageProvider: "google_storage" };
  return { storageProvider: "s3", region: s3Region, secure: true, multiPartUploadThreshold: 5 * 1024 ** 3 };
}

/** PodMonitoring objects collect the metrics; the operator's ways need an operator for Prometheus, or agents of their own. */
const telemetry = { prometheus: { enabled: false }, mcac: { enabled: false }, vector: { enabled: false } };

/** Nodes talk to nodes of the cluster only: both sides show a certificate of its authority. */
const internodeEncryption = {
  internode_encryption: "all",
  require_client_auth: true,
  optional: false,
  // A certificate is a datacenter's and names no address: pods' addresses change. The authority signs for nodes only.
  require_endpoint_verification: false,
  enable_legacy_ssl_storage_port: false,
  accepted_protocols: [...internodeProtocols],
  store_type: "PKCS12",
};

/**
 * Secrets in each datacenter's own cluster. The passwords' keys are named: without, the operator would take a store's
 * content for its password.
 */
const encryptionStores = {
  keystoreSecretRef: { name: secrets.internodeStores, key: "keystore.p12" },
  keystorePasswordSecretRef: { name: secrets.internodeAuthority, key: "keystore-password" },
  truststoreSecretRef: { name: secrets.internodeStores, key: "truststore.p12" },
  truststorePasswordSecretRef: { name: secrets.internodeAuthority, key: "keystore-password" },
};

/** Racks with neutral names, each pinned to a zone and to the database machines. */
export function racks(count: number, zones: string[]) {
  return rackNames(count).map((name, index) => ({
    name,
    nodeAffinityLabels: {
      "topology.kubernetes.io/zone": zones[index % zones.length]!,
      ...onPool(pools.databases).nodeSelector,
    },
  }));
}
