/** The stack files of this repository: each is valid, and they agree with each other. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { repository } from "../plan/layout";
import { registries, serviceAccountEmail } from "../plan/names";
import { checkedSettings, stackConfig, stackSettings } from "../tests/lib/stack-file";
import { type BootstrapConfig, type FoundationConfig, type SiteConfig, schemas, type VaultConfig } from "./config";

const ROOT = join(__dirname, "..");
/** Stacks with a file here; drills write theirs beside them. */
const STACKS = readdirSync(ROOT)
  .flatMap((file) => /^Pulumi\.(?!drill-)(.+)\.yaml$/.exec(file)?.[1] ?? [])
  .sort();

test("every stack file is valid", () => {
  const roles = STACKS.map((stack) => stackConfig(stack).role);
  assert.deepEqual(roles, ["standby", "bootstrap", "bootstrap", "foundation", "site", "vault"]);
});

test("every stack file is valid with the defaults that the engine adds", () => {
  const declared = parse(readFileSync(join(ROOT, "Pulumi.yaml"), "utf8")).config as Record<
    string,
    { default: unknown }
  >;
  const defaults = Object.fromEntries(
    Object.entries(declared).map(([key, each]) => [`iconik-dr:${key}`, each.default]),
  );
  for (const stack of STACKS)
    assert.doesNotThrow(() => checkedSettings({ ...defaults, ...stackSettings(stack) }, stack), stack);
});

test("no stack file carries a passphrase's salt: the stacks have keys of their own", () => {
  for (const stack of STACKS)
    assert.doesNotMatch(readFileSync(join(ROOT, `Pulumi.${stack}.yaml`), "utf8"), /encryptionsalt/, stack);
});

test("prod and vault agree about projects, buckets and repositories", () => {
  const prod = stackConfig("prod") as SiteConfig;
  const vault = stackConfig("vault") as VaultConfig;
  // The keys that markers are signed with come from the vault's output, once it is up.
  const { markerKeys: _, ...where } = prod.vault;
  assert.deepEqual(where, {
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
  assert.deepEqual(site?.regions, [...prod.regions.map(({ name }) => name), prod.controlRegion]);
  const { host } = new URL(prod.charts.repository);
  assert.equal(prod.charts.repository, `oci://${host}/${vault.project}/${registries.charts}`);
  assert.equal(prod.images.mirror, `${host}/${vault.project}/${registries.mirror}`);
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
  assert.deepEqual(foundation.vault, { project: vault.project, failback: false });
  assert.deepEqual(foundation.sites, [{ name: "prod", project: prod.project }]);
});

test("the bootstrap stacks know each stack as its own file does", () => {
  const known = ["bootstrap", "bootstrap-vault"].flatMap((name) => (stackConfig(name) as BootstrapConfig).stacks);
  for (const stack of STACKS.filter((name) => !/^(bootstrap|aws-)/.test(name))) {
    const config = stackConfig(stack) as SiteConfig | VaultConfig;
    const entry = known.find(({ name }) => name === stack);
    assert.equal(entry?.role, config.role, stack);
    assert.equal(entry?.project, config.project, stack);
    assert.equal(config.deployer, `serviceAccount:${serviceAccountEmail("deployer", config.project)}`);
    if (config.role === "site")
      assert.deepEqual(
        entry?.regions,
        config.regions.map(({ name }) => name),
      );
  }
});

test("Pulumi.yaml describes every key that a role takes and no other, with the roles that take it", () => {
  const { config } = parse(readFileSync(join(ROOT, "Pulumi.yaml"), "utf8")) as {
    config: Record<string, { description: string }>;
  };
  const taken = new Map<string, string[]>();
  for (const [role, schema] of Object.entries(schemas))
    for (const key of Object.keys(schema.shape)) taken.set(key, [...(taken.get(key) ?? []), role]);
  assert.deepEqual(Object.keys(config).sort(), [...taken.keys()].sort());
  for (const [key, roles] of taken) {
    const said = /^([a-z, ]+): /.exec(config[key]?.description ?? "")?.[1];
    // A key's description may leave out the roles when nearly all take it.
    if (!said) assert.ok(roles.length > 2, `${key}: say which roles take it`);
    else {
      const named = Object.keys(schemas).filter((role) => config[key]!.description.includes(role));
      for (const role of roles) assert.ok(named.includes(role), `${key}: its description does not say ${role}`);
    }
  }
});

test("Pulumi.yaml gives every key an empty default and a description", () => {
  const { config } = parse(readFileSync(join(ROOT, "Pulumi.yaml"), "utf8")) as {
    config: Record<string, { type: string; description: string; default: unknown }>;
  };
  const empty = { string: "", array: "[]", object: "{}", boolean: "true" } as Record<string, string>;
  for (const [key, { type, description, default: value }] of Object.entries(config)) {
    assert.ok(description.length > 10, key);
    assert.equal(typeof value === "string" ? value : JSON.stringify(value), empty[type], key);
  }
  for (const stack of STACKS) {
    for (const key of Object.keys(stackSettings(stack)))
      assert.ok(key.replace("iconik-dr:", "") in config, `${stack}: ${key}`);
  }
});
