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

test("what the pruner is told is about sites that are copied, and limits are numbers that rclone takes", () => {
  const copies = (more: object) =>
    (stackConfig("vault", { copies: { bucket: "iconik-vault-backup-copies", ...more } }) as VaultConfig).copies;
  const marker = "copy-20260115t020000z";
  assert.deepEqual(copies({}).limits, { transactionsPerSecond: 500 });
  assert.equal(copies({ distrusted: [{ site: "prod", marker }] }).distrusted[0]?.marker, marker);
  assert.throws(
    () => copies({ distrusted: [{ site: "other", marker: "x" }] }),
    /copies\.distrusted\[0\]\.marker is "x": no copy; allowed: a marker id/,
  );
  assert.throws(
    () => copies({ distrusted: [{ site: "other", marker }] }),
    /copies\.distrusted\[0\]\.site is "other": no site that is copied here; allowed: prod/,
  );
  assert.throws(
    () => copies({ pruneApprovals: [{ site: "prod", date: "tomorrow", objects: 1 }] }),
    /pruneApprovals\[0\]\.date is "tomorrow": no date; allowed: YYYY-MM-DD/,
  );
  assert.throws(() => copies({ limits: { bandwidth: "fast" } }), /limits\.bandwidth is "fast": no bandwidth; allowed:/);
});
