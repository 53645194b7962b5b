import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "yaml";
import { cassandraYaml, encodeConfig, medusaIni } from "./files";
import type { CassandraDatacenter, MedusaTemplate } from "./types";

const rendered = (declared: Record<string, unknown>) => {
  const datacenter: CassandraDatacenter = {
    metadata: { name: "east" },
    spec: { clusterName: "main", config: encodeConfig({ "cassandra-yaml": declared }) } as never,
  };
  return parse(cassandraYaml(datacenter)) as Record<string, unknown>;
};

const storage = (change: Partial<MedusaTemplate["storageProperties"]> = {}): MedusaTemplate => ({
  storageProperties: {
    storageProvider: "google_storage",
    credentialsType: "role-based",
    bucketName: "backups",
    prefix: "cassandra/east",
    maxBackupAge: 7,
    concurrentTransfers: 4,
    ...change,
  },
});

test("what a datacenter declares is above the defaults", () => {
  assert.equal(rendered({}).num_tokens, 16);
  assert.equal(rendered({ num_tokens: 4 }).num_tokens, 4);
  assert.equal(rendered({ default_keyspace_rf: 3 }).default_keyspace_rf, 3);
});

test("addresses, folders and the cluster's name are the pod's, whatever is declared", () => {
  const yaml = rendered({ cluster_name: "other", listen_address: "0.0.0.0", data_file_directories: ["/elsewhere"] });
  assert.equal(yaml.cluster_name, "main");
  assert.equal(yaml.listen_address, "@NODE_IP@");
  assert.deepEqual(yaml.data_file_directories, ["/var/lib/cassandra/data"]);
});

test("Medusa gets its bucket, prefix and retention", () => {
  const ini = medusaIni(storage());
  for (const line of [
    "bucket_name = backups",
    "prefix = cassandra/east",
    "max_backup_age = 7",
    "concurrent_transfers = 4",
  ]) {
    assert.ok(ini.split("\n").includes(line), `${line} is missing in:\n${ini}`);
  }
  assert.doesNotMatch(ini, /key_file|undefined/);
});

test("Medusa on S3 gets the region and the size from which an object would go up in parts", () => {
  const s3 = { storageProvider: "s3", region: "eu-west-1", secure: true, multiPartUploadThreshold: 5_368_709_120 };
  const ini = medusaIni(storage(s3)).split("\n");
  for (const line of [
    "storage_provider = s3",
    "region = eu-west-1",
    "secure = True",
    "multi_part_upload_threshold = 5368709120",
  ])
    assert.ok(ini.includes(line), line);
});

test("storage that is not served here is refused with what is allowed", () => {
  assert.throws(() => medusaIni(storage({ storageProvider: "azure_blobs" })), /azure_blobs.*google_storage, s3/);
  assert.throws(() => medusaIni(storage({ credentialsType: undefined })), /undefined.*role-based/);
});
