import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { findItem, seedOnePassword } from "./items";

const dir = mkdtempSync(join(tmpdir(), "onepassword-"));
after(() => rmSync(dir, { recursive: true }));

test("what is not declared is made up once and kept", async () => {
  const declared = { v: { i: { user: "me", password: null, tls: { authority: "ours" } } } };
  const seeded = await seedOnePassword(dir, declared);
  const item = findItem(seeded, "vaults/v/items/i")!;
  assert.deepEqual(Object.keys(item), ["user", "password", "tls.crt", "tls.key"]);
  assert.equal(item.user, "me");
  assert.equal(item.password?.length, 24);
  const certificate = new X509Certificate(item["tls.crt"]!);
  assert.equal(certificate.subject, "CN=ours");
  assert.ok(certificate.ca);
  assert.deepEqual(await seedOnePassword(dir, declared), seeded);
});

test("a vault, an item or a path that is not there has no fields", async () => {
  const seeded = await seedOnePassword(dir, {});
  for (const path of ["vaults/x/items/i", "vaults/v/items/x", "v/i", ""])
    assert.equal(findItem(seeded, path), undefined);
});
