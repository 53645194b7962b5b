/** docs/identities.md says what the matrix does. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { identities } from "./identities";
import { identitiesPage, identityMatrix } from "./identities-page";

const rowOf = (id: string) =>
  identityMatrix()
    .split("\n")
    .find((line) => line.startsWith(`**${id}** | `));

test("every identity has a row with all that it may", () => {
  for (const { id, why } of identities) assert.ok(rowOf(id)?.endsWith(` | ${why}`), id);
  assert.match(
    rowOf("backup-replicator")!,
    /\| get, list: backups of a site, failback bucket; create, get, list: second copies of backups \|/,
  );
  assert.match(
    rowOf("pruner")!,
    /\| list, delete: second copies of backups; get: second copies of backups below `markers\/`, /,
  );
  assert.match(rowOf("bootstrapper")!, /\| administers: states \|/);
  assert.match(rowOf("publisher")!, /\| no bucket \|/);
  assert.match(rowOf("restorer")!, /\| the vault's project; pods `dr\/restorer` \(site\); granted \|/);
});

test(`${identitiesPage} is what the plan says`, () => {
  const path = join(__dirname, "..", identitiesPage);
  if (process.env.UPDATE_GOLDEN === "1") writeFileSync(path, identityMatrix());
  assert.ok(
    existsSync(path) && readFileSync(path, "utf8") === identityMatrix(),
    "if it is meant, run `make golden` and review the difference",
  );
});
