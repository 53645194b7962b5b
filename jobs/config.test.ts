import assert from "node:assert/strict";
import { test } from "node:test";
import { schedules } from "../plan/schedules";
import { CONFIG_VARIABLE, jobConfig, readJobConfig } from "./config";
import { signingKey, testKey } from "./testing/kms";

test("a configuration survives the environment, defaults filled in", () => {
  const text = jobConfig("replicate", {
    site: "prod",
    bucket: "iconik-prod-backups",
    copiesBucket: "iconik-vault-backup-copies",
    repositories: ["cassandra-emea"],
    signingKey,
    markerKeys: [testKey().pem],
  });
  const config = readJobConfig("replicate", { [CONFIG_VARIABLE]: text });
  assert.deepEqual([config.youngHours, config.snapshots.cassandra], [2, schedules.cassandraSnapshot.cron]);
  assert.deepEqual(config.repositories, ["cassandra-emea"]);
});

test("every problem is named at once, unknown keys too", () => {
  assert.throws(
    () =>
      jobConfig("restore-copy", {
        source: "Prod",
        marker: "yesterday",
        markerKeys: ["-----BEGIN PUBLIC KEY-----"],
        copiesBucket: "c0pies",
        bucket: "own",
        ...{ extra: 1 },
      }),
    /(?=[\s\S]*source)(?=[\s\S]*copy-YYYYMMDDthhmmssz)(?=[\s\S]*no public key in PEM)(?=[\s\S]*extra)/,
  );
});

test("absent and broken configuration is told apart", () => {
  assert.throws(() => readJobConfig("replicate", {}), /DR_CONFIG is not set/);
  assert.throws(() => readJobConfig("replicate", { DR_CONFIG: "{" }), /is no JSON/);
});
