/** Configuration files of a node, rendered once per datacenter; @…@ is filled in by each pod. */
import { stringify } from "yaml";
import type { CassandraDatacenter, MedusaTemplate } from "./types";

const DATA = "/var/lib/cassandra";

/** What every node needs here, below what the datacenter declares. Small buffers: nodes share one machine. */
const defaults = {
  num_tokens: 16,
  allocate_tokens_for_local_replication_factor: 3,
  partitioner: "org.apache.cassandra.dht.Murmur3Partitioner",
  endpoint_snitch: "GossipingPropertyFileSnitch",
  authenticator: "PasswordAuthenticator",
  authorizer: "CassandraAuthorizer",
  role_manager: "CassandraRoleManager",
  commitlog_sync: "periodic",
  commitlog_sync_period: "10000ms",
  memtable_heap_space: "96MiB",
  key_cache_size: "8MiB",
  concurrent_compactors: 1,
  auth_cache_warming_enabled: false,
};

/** Server configuration by file, as a datacenter's resource carries it. */
type ServerConfig = { "cassandra-yaml": Record<string, unknown> };
export const encodeConfig = (config: ServerConfig): string => Buffer.from(JSON.stringify(config)).toString("base64");
const decodeConfig = (text = ""): Partial<ServerConfig> =>
  text ? JSON.parse(Buffer.from(text, "base64").toString("utf8")) : {};

/** cassandra.yaml. */
export function cassandraYaml(datacenter: CassandraDatacenter): string {
  return stringify({
    ...defaults,
    ...decodeConfig(datacenter.spec?.config)["cassandra-yaml"],
    cluster_name: datacenter.spec?.clusterName,
    listen_address: "@NODE_IP@",
    rpc_address: "@NODE_IP@",
    start_native_transport: true,
    native_transport_port: 9042,
    storage_port: 7000,
    seed_provider: [
      {
        class_name: "org.apache.cassandra.locator.SimpleSeedProvider",
        parameters: [{ seeds: "@SEEDS@", resolve_multiple_ip_addresses_per_dns_record: "true" }],
      },
    ],
    data_file_directories: [`${DATA}/data`],
    commitlog_directory: `${DATA}/commitlog`,
    saved_caches_directory: `${DATA}/saved_caches`,
    hints_directory: `${DATA}/hints`,
    cdc_raw_directory: `${DATA}/cdc_raw`,
  });
}

/** medusa.ini. @throws when the storage is none that the stand-in serves */
export function medusaIni({ storageProperties: storage }: MedusaTemplate): string {
  if (!["google_storage", "s3"].includes(storage.storageProvider))
    throw new Error(`storageProvider ${storage.storageProvider} is not served here; allowed: google_storage, s3`);
  if (storage.credentialsType !== "role-based")
    throw new Error(`credentialsType ${storage.credentialsType} needs a key; allowed: role-based`);
  const sections: Record<string, Record<string, unknown>> = {
    cassandra: {
      config_file: "/etc/cassandra/cassandra.yaml",
      nodetool_executable: "/image/nodetool",
      nodetool_flags: "-Dcom.sun.jndi.rmiURLParsing=legacy",
      check_running: "/image/nodetool version",
      resolve_ip_addresses: "True",
      use_sudo: "False",
      is_ccm: 0,
      stop_cmd: "/bin/true",
      start_cmd: "/bin/true",
    },
    storage: {
      storage_provider: storage.storageProvider,
      bucket_name: storage.bucketName,
      prefix: storage.prefix ?? "",
      ...(storage.region !== undefined && { region: storage.region }),
      ...(storage.secure !== undefined && { secure: storage.secure ? "True" : "False" }),
      ...(storage.multiPartUploadThreshold !== undefined && {
        multi_part_upload_threshold: storage.multiPartUploadThreshold,
      }),
      fqdn: "@POD_NAME@",
      max_backup_age: storage.maxBackupAge ?? 0,
      max_backup_count: storage.maxBackupCount ?? 0,
      concurrent_transfers: storage.concurrentTransfers ?? 1,
      transfer_max_bandwidth: "1GB/s",
      use_sudo_for_restore: "False",
    },
    monitoring: { monitoring_provider: "local" },
    logging: { enabled: "false", level: "INFO" },
    grpc: { enabled: "false" },
    kubernetes: { enabled: "false" },
  };
  return Object.entries(sections)
    .map(([name, values]) =>
      [`[${name}]`, ...Object.entries(values).map(([key, value]) => `${key} = ${value}`), ""].join("\n"),
    )
    .join("\n");
}
