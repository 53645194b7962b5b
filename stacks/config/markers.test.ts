/** The keys of markers in the configuration of sites and the vault. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { testKey } from "../../jobs/testing/kms";
import { stackConfig } from "../../tests/lib/stack-file";
import type { SiteConfig, VaultConfig } from ".";

const { vault } = stackConfig("prod") as SiteConfig;
const restore = { site: "prod", marker: "latest", grant: "rebuild-1" };
const site = (markerKeys: unknown, more = {}) =>
  stackConfig("prod", { vault: { ...vault, markerKeys }, ...more }, "rebuild-1");
const rebuild = (markerKeys: unknown) => site(markerKeys, { project: "iconik-rebuild-1", restore });

test("a site needs keys for a restore alone, and two while one is replaced", () => {
  site([]);
  site(undefined);
  rebuild([testKey().pem, testKey().pem]);
  assert.throws(
    () => rebuild([]),
    /iconik-dr:vault\.markerKeys is \[\]: a restore believes no copy without a key; set the vault's output markerKeys/,
  );
});

test("what is no public key is refused where it stands", () => {
  assert.throws(
    () => site(["MFkw"]),
    /vault\.markerKeys\[0\] is "MFkw": no public key in PEM; set the vault's output markerKeys, PEM with its line ends/,
  );
  assert.throws(() => site("PEM"), /vault\.markerKeys/);
});

test("the vault has a version of its key or more", () => {
  const copies = (keyVersions?: number) =>
    (stackConfig("vault", { copies: { bucket: "iconik-vault-backup-copies", keyVersions } }) as VaultConfig).copies;
  assert.equal(copies().keyVersions, 1);
  assert.equal(copies(2).keyVersions, 2);
  assert.throws(() => copies(0), /copies\.keyVersions is 0: one version or more is needed; set 1, or one more/);
});

test("no site is called like a folder of the second copies", () => {
  for (const name of ["markers", "listings", "evidence"]) {
    assert.throws(() => stackConfig("prod", {}, name), /taken: the second copies keep documents of their own under/);
  }
});
