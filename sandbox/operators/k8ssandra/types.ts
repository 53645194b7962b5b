/** The parts of the operators' resources that the stand-in reads and writes. */
import type { V1ResourceRequirements, V1Toleration, V1Volume } from "@kubernetes/client-node";
import type { Condition } from "../lib";
import type { CustomObject } from "../objects";

export const kinds = {
  cluster: { apiVersion: "k8ssandra.io/v1alpha1", kind: "K8ssandraCluster" },
  datacenter: { apiVersion: "cassandra.datastax.com/v1beta1", kind: "CassandraDatacenter" },
  backupJob: { apiVersion: "medusa.k8ssandra.io/v1alpha1", kind: "MedusaBackupJob" },
  backup: { apiVersion: "medusa.k8ssandra.io/v1alpha1", kind: "MedusaBackup" },
  task: { apiVersion: "medusa.k8ssandra.io/v1alpha1", kind: "MedusaTask" },
  clientConfig: { apiVersion: "config.k8ssandra.io/v1beta1", kind: "ClientConfig" },
  secret: { apiVersion: "v1", kind: "Secret" },
  restoreJob: { apiVersion: "medusa.k8ssandra.io/v1alpha1", kind: "MedusaRestoreJob" },
} as const;

export interface Rack {
  name: string;
  nodeAffinityLabels?: Record<string, string>;
}

/** A key of a Secret. */
export interface SecretKey {
  name: string;
  key?: string;
}

/** Where keystores and their passwords are, in every datacenter's own cluster. */
export interface EncryptionStores {
  keystoreSecretRef?: SecretKey;
  truststoreSecretRef?: SecretKey;
  keystorePasswordSecretRef?: SecretKey;
  truststorePasswordSecretRef?: SecretKey;
}

export interface CassandraTemplate {
  clusterName?: string;
  serverVersion?: string;
  serviceAccount?: string;
  superuserSecretRef?: { name: string };
  additionalSeeds?: string[];
  tolerations?: V1Toleration[];
  resources?: V1ResourceRequirements;
  storageConfig?: Record<string, unknown>;
  config?: { cassandraYaml?: Record<string, unknown> };
  serverEncryptionStores?: EncryptionStores;
  datacenters: { metadata: { name: string }; k8sContext?: string; size: number; racks?: Rack[]; stopped?: boolean }[];
}

export interface MedusaTemplate {
  storageProperties: {
    storageProvider: string;
    credentialsType?: string;
    bucketName: string;
    /** Of S3. */
    region?: string;
    secure?: boolean;
    multiPartUploadThreshold?: number;
    prefix?: string;
    maxBackupAge?: number;
    maxBackupCount?: number;
    concurrentTransfers?: number;
  };
}

export type K8ssandraCluster = CustomObject<
  { cassandra: CassandraTemplate; medusa?: MedusaTemplate },
  {
    conditions?: Condition[];
    datacenters?: Record<string, { cassandra?: unknown; contextName?: string }>;
    error?: string;
  }
>;

export interface EnvVar {
  name: string;
  value: string;
}

export interface DatacenterSpec {
  clusterName: string;
  serverType: string;
  serverVersion: string;
  size: number;
  racks: Rack[];
  serviceAccountName: string;
  superuserSecretName: string;
  additionalSeeds: string[];
  tolerations: V1Toleration[];
  resources?: V1ResourceRequirements;
  storageConfig: Record<string, unknown>;
  /** JSON in base64: the resource declares bytes. */
  config: string;
  stopped?: boolean;
  podTemplateSpec?: {
    spec?: { containers?: unknown[]; initContainers?: { name: string; env?: EnvVar[] }[]; volumes?: V1Volume[] };
  };
}

export type CassandraDatacenter = CustomObject<
  DatacenterSpec,
  { conditions?: Condition[]; cassandraOperatorProgress?: string; superUserUpserted?: string }
>;

export type MedusaBackupJob = CustomObject<
  { cassandraDatacenter: string; backupType?: string },
  { startTime?: string; finishTime?: string; inProgress?: string[]; finished?: string[]; failed?: string[] }
>;

export type MedusaTask = CustomObject<
  { cassandraDatacenter: string; operation: string; backupName?: string },
  { startTime?: string; finishTime?: string; finished?: { podName: string }[]; failed?: string[] }
>;

export interface RestoreStatus {
  restoreKey: string;
  startTime?: string;
  finishTime?: string;
  datacenterStopped?: string;
  restorePrepared?: boolean;
  restoreMapping?: { in_place: boolean; host_map: Record<string, { source: string[]; seed: boolean }> };
  inProgress?: string[];
  finished?: string[];
  failed?: string[];
  message?: string;
}

export type MedusaRestoreJob = CustomObject<{ backup: string; cassandraDatacenter: string }, RestoreStatus>;
