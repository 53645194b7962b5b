/** The recovery of a table in place (D3): a dropped one, and what else docs/runbooks/d3-corruption.md knows. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { recoveryPath } from "../../plan/layout";
import { PRIMARY, ROWS } from "../medusa-stage";
import { recover } from "../table-pod";
import { testRows } from "../testing";
import { count, tableGroup } from "./table-dropped";

const stage = testRows(tableGroup);
const execute = (statement: string, values: unknown[] = []) =>
  stage().client.execute(statement, values, { prepare: true });
const titleOf = async (id: number) =>
  (await execute("SELECT title FROM media.assets WHERE tenant = ? AND id = ?", [id % 10, id])).first()?.title;
const PARTITION = ROWS / 10;

test("rows come back beside what was written later, and deletions stay; the same id does nothing again", async () => {
  await execute("INSERT INTO media.assets (tenant, id, title) VALUES (1, 1, 'written later')");
  await execute("DELETE FROM media.assets WHERE tenant = 3");
  const asked = { id: "beside", table: "assets", before: new Date().toISOString() };
  await recover(stage(), asked);
  assert.equal(await titleOf(1), "written later");
  assert.equal(await count(stage(), "assets"), ROWS - PARTITION);

  const [again] = await recover(stage(), asked);
  assert.equal(again?.note, "done before");
});

test("a whole keyspace, and a table emptied before it is brought back as it was", async () => {
  await execute("TRUNCATE media.other");
  await recover(stage(), { id: "keyspace" });
  assert.equal(await count(stage(), "other"), 2);
  assert.equal(await count(stage(), "assets"), ROWS - PARTITION);

  const [replaced] = await recover(stage(), { id: "replaced", table: "assets", truncate: true });
  assert.equal(await count(stage(), "assets"), ROWS);
  assert.equal(await titleOf(1), "title 1");
  const record = JSON.parse((await stage().storage.get(PRIMARY, recoveryPath("replaced")))!);
  assert.deepEqual(
    [record.state, record.backup, Object.keys(record.steps)],
    ["done", replaced?.backup, ["truncated assets"]],
  );
});

test("a table that has become another one is refused, and nothing is emptied", async () => {
  await execute("DROP TABLE media.other");
  await execute("CREATE TABLE media.other (k int PRIMARY KEY)");
  await execute("INSERT INTO media.other (k) VALUES (7)");
  await assert.rejects(
    recover(stage(), { id: "changed", table: "other", truncate: true }),
    /tables are not like those that were backed up.*other: column k is int, the backup has text/,
  );
  assert.equal(await count(stage(), "other"), 1);
});
