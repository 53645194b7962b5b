/** The stack files of this repository: each is valid, and they agree with each other. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { repository } from "../plan/layout";
import { stackConfig, stackSettings } from "../tests/lib/stack-file";
import type { FoundationConfig, SiteConfig, VaultConfig } from "./config";

const ROOT = join(__dirname, "..");

test("every stack file is valid", () => {
  const roles = ["prod", "vault", "foundation", "aws-standby"].map((stack) => stackConfig(stack).role);
  assert.deepEqual(roles, ["site", "vault", "foundation", "standby"]);
});

test("prod and vault agree about projects, buckets and repositories", () => {
  const prod = stackConfig("prod") as SiteConfig;
  const vault = stackConfig("vault") as VaultConfig;
  assert.deepEqual(prod.vault, {
    project: vault.project,
    location: vault.location,
    copiesBucket: vault.copies.bucket,
  });
  const [site] = vault.sites;
  assert.equal(site?.name, "prod");
  assert.equal(site?.project, prod.project);
  assert.equal(site?.bucket, prod.backups.bucket);
  assert.equal(site?.location, prod.backups.location);
  assert.equal(site?.deployer, prod.deployer);
  assert.deepEqual(
    site?.regions,
    prod.regions.map(({ name }) => name),
  );
  assert.deepEqual(
    site?.repositories,
    prod.regions.flatMap(({ datacenter }) => [
      repository("cassandra", datacenter),
      repository("elasticsearch", datacenter),
    ]),
  );
});

test("foundation, vault and prod agree about the media", () => {
  const prod = stackConfig("prod") as SiteConfig;
  const vault = stackConfig("vault") as VaultConfig;
  const foundation = stackConfig("foundation") as FoundationConfig;
  assert.equal(vault.media?.location, foundation.media.location);
  assert.equal(vault.media?.project, foundation.project);
  assert.deepEqual(foundation.vault, { project: vault.project });
  assert.deepEqual(foundation.sites, [{ name: "prod", project: prod.project }]);
});

test("Pulumi.yaml describes every key that a role takes, with an empty default", () => {
  const { config } = parse(readFileSync(join(ROOT, "Pulumi.yaml"), "utf8")) as {
    config: Record<string, { type: string; description: string; default: unknown }>;
  };
  const empty = { string: "", array: "[]", object: "{}", boolean: "true" } as Record<string, string>;
  for (const [key, { type, description, default: value }] of Object.entries(config)) {
    assert.ok(description.length > 10, key);
    assert.equal(typeof value === "string" ? value : JSON.stringify(value), empty[type], key);
  }
  for (const stack of ["prod", "vault", "foundation", "aws-standby"]) {
    for (const key of Object.keys(stackSettings(stack)))
      assert.ok(key.replace("iconik-dr:", "") in config, `${stack}: ${key}`);
  }
});
