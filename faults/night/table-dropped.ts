/** A table that somebody dropped (D3) comes back, in place and beside those that live. docs/runbooks/dropped.md has the steps. */
import assert from "node:assert/strict";
import { FINAL_EXIT_CODE } from "../../jobs/config";
import type { Fault } from "../fault";
import { backedUp, closeMedusaStage, type MedusaStage, openMedusaStage, ROWS, snapshot } from "../medusa-stage";
import type { Group } from "../run";
import { recover } from "../table-pod";

/** Rows of a table of `media`. */
export async function count({ client }: MedusaStage, table: string): Promise<number> {
  return Number((await client.execute(`SELECT count(*) FROM media.${table}`)).first().count);
}

const tableDroppedRestored: Fault<MedusaStage> = {
  id: "table-dropped-restored",
  fault: "a table with an index is dropped on a cluster that goes on serving",
  rows: ["D3", "S1"],
  alert: "snapshot-failed",
  mayLoseSeconds: 0,
  small: true,
  async inject(stage) {
    const { client } = stage;
    const backup = await backedUp(stage);
    await client.execute("DROP TABLE media.assets");
    await client.execute("INSERT INTO media.other (k) VALUES ('written later')");
    const { code, lines } = await snapshot(stage);
    const line = lines.at(-1)!;
    assert.equal(code, FINAL_EXIT_CODE, JSON.stringify(line));
    assert.match(JSON.stringify(line.value), new RegExp(`media\\.assets, last in ${backup}`));
    const [fetched, checked] = await recover(stage, { id: "dropped", table: "assets", backup });
    assert.deepEqual([fetched?.backup, checked?.tables], [backup, 1]);
    assert.equal(await count(stage, "assets"), ROWS);
    assert.equal(await count(stage, "other"), 2, "rows of the table beside it");
    const { rows } = await client.execute("SELECT id FROM media.assets WHERE title = 'title 17'");
    assert.equal(rows[0]?.id, 17, "by the index that was made again");
    await backedUp(stage);
    return {
      noticed: `the night's snapshot job: ${(line.value as string[])[0]}`,
      signal: { kind: "log", command: "snapshot-cassandra", line },
      recovered: `${ROWS} rows from ${backup} and the index; the table beside it kept what was written meanwhile`,
      lostSeconds: 0,
    };
  },
};

/** Rows on a node whose tables are recovered in place. */
export const tableGroup: Group<MedusaStage> = {
  stage: "a node and its backups, from which tables are recovered in place",
  open: () => openMedusaStage("127.77.0.1"),
  close: closeMedusaStage,
  faults: [tableDroppedRestored],
};
