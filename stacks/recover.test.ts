/** What a site declares beyond itself to bring something back in place. */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { Declaration, DeclaredResource } from "../tests/lib/declared";
import { assertGolden } from "../tests/lib/golden";
import { declaredStack } from "../tests/lib/stacks";

let site: Declaration;
let added: DeclaredResource[];
before(async () => {
  const prod = await declaredStack("prod");
  const known = new Set(prod.resources.map(({ type, name }) => `${type} ${name}`));
  site = await declaredStack("prod-recovering");
  added = site.resources.filter(({ type, name }) => !known.has(`${type} ${name}`));
});

test("its inventory", () => assertGolden("prod-recovering", added));

test("a recovery runs in the cluster of the datacenter whose backup it uses, when the stores are there", () => {
  const job = added.find(({ name }) => name === "recovery-assets-1-job")!;
  assert.equal(job.deletedWith, "cluster-europe-west1-cluster");
  const parents = site.resources.find(({ name }) => name === "recovery-assets-1");
  for (const wanted of ["cassandra", "restore-runner-europe-west1", "backups-policy"]) {
    assert.ok(parents?.dependsOn.includes(wanted) || job.dependsOn.includes(wanted), wanted);
  }
});

test("the account that recovers is in that cluster alone", () => {
  const accounts = added.filter(({ type }) => type === "kubernetes:core/v1:ServiceAccount").map(({ name }) => name);
  assert.deepEqual(accounts, ["restore-runner-europe-west1"]);
});

test("no password is in what is declared", () => {
  const text = JSON.stringify(added);
  assert.match(text, /cat \/var\/run\/cassandra\/superuser\/password/);
  assert.doesNotMatch(text, /secretKeyRef/);
});
