/** Damage that only a restore finds, and restores that nobody tries any more (S8): the weekly deep verification. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FINAL_EXIT_CODE } from "../../jobs/config";
import type { Evidence } from "../../jobs/lib/evidence";
import { newestEvidence } from "../../jobs/lib/newest";
import { metrics, verificationLateSeconds } from "../../plan/freshness";
import { evidencePath, evidencePrefix, markerId, stamp } from "../../plan/layout";
import type { Fault, Outcome } from "../fault";
import {
  COPIES,
  closeMedusaStage,
  insertAssets,
  type MedusaStage,
  night,
  openMedusaStage,
  REPOSITORY,
  ROWS,
} from "../medusa-stage";
import { cut } from "../report";
import type { Group } from "../run";
import { type Verified, verify } from "../throwaway";

/** Flips a bit in the middle of a file's content. */
function flipped(content: Buffer): Buffer {
  const copy = Buffer.from(content);
  copy[Math.floor(copy.length / 2)]! ^= 1;
  return copy;
}

/** What the exporter would tell: the moment of the newest verification that ended so, in seconds. */
const newest = async ({ storage }: MedusaStage, result: "ok" | "failed", now = new Date()): Promise<number> =>
  newestEvidence(
    "prod",
    REPOSITORY,
    result,
    (await storage.names(COPIES)).filter((name) => name.startsWith(evidencePrefix("prod"))),
    now,
  );

/** A verification that failed, and the metric that says so. */
async function found(stage: MedusaStage, what: RegExp): Promise<Pick<Outcome, "noticed" | "signal">> {
  const { code, last, path, evidence } = await verify(stage);
  assert.equal(code, FINAL_EXIT_CODE, JSON.stringify(last));
  assert.ok(path?.endsWith("-failed.json"), path);
  const problem = evidence?.problems.find((line) => what.test(line));
  assert.ok(problem, JSON.stringify(evidence?.problems));
  const [failed, ok] = [await newest(stage, "failed"), await newest(stage, "ok")];
  assert.ok(failed > ok, `the metric of failures is ${failed}, that of successes ${ok}`);
  return {
    noticed: `the verification: ${cut(problem, 120)}`,
    signal: { kind: "metric", name: metrics.verification, value: failed },
  };
}

function whole({ code, last, evidence }: Verified): Evidence {
  assert.equal(code, 0, JSON.stringify(last));
  assert.deepEqual([evidence?.result, evidence?.problems], ["ok", []]);
  return evidence!;
}

/** Rows of a table that a verification read. */
export const rowsRead = ({ nodes }: Evidence, table: string): number | undefined =>
  nodes[0]?.parts.find(({ name }) => name === table)?.rows;

const copyBitFlipDeep: Fault<MedusaStage> = {
  id: "copy-bit-flip-deep",
  fault: "a bit of an SSTable in the second copy is flipped, and nobody copies that object again",
  rows: ["S2", "S8", "D2"],
  alert: "verification-failed",
  mayLoseSeconds: 0,
  async inject(stage) {
    const { storage } = stage;
    await night(stage);
    whole(await verify(stage));
    const pattern = /\/media\/assets-[0-9a-f]+\/[^/]+-Data\.db$/;
    const name = (await storage.names(COPIES)).find((each) => pattern.test(each))!;
    const content = (await storage.bytes(COPIES, name))!;
    const put = async (bytes: Buffer) => {
      storage.appendOnly.delete(COPIES);
      await storage.put(COPIES, name, bytes);
      storage.appendOnly.add(COPIES);
    };
    await put(flipped(content));
    const outcome = await found(stage, new RegExp(name.split("/").at(-1)!));
    // The next night lays the object anew beside the damaged one.
    await night(stage);
    const rows = rowsRead(whole(await verify(stage)), "media.assets");
    assert.equal(rows, ROWS);
    return {
      ...outcome,
      recovered: `the next night's copy has the object anew; it was restored and its ${rows} rows read`,
      lostSeconds: 0,
    };
  },
};

const damagedBeforeBackup: Fault<MedusaStage> = {
  id: "damaged-before-backup",
  fault: "an SSTable is damaged before it is backed up: its checksum in the backup is that of the damage",
  rows: ["S1", "S2", "S8", "D3"],
  alert: "verification-failed",
  mayLoseSeconds: 0,
  small: true,
  async inject(stage) {
    const { node, client } = stage;
    const folder = node.tableFolder("media", "assets");
    await node.nodetool("flush", "media");
    const known = new Set(readdirSync(folder));
    // In a file of its own: what an earlier night has already is not read again by Medusa, and stays whole.
    await insertAssets(client, ROWS, 2 * ROWS);
    await node.nodetool("flush", "media");
    const [file] = readdirSync(folder).filter((name) => name.endsWith("-Data.db") && !known.has(name));
    const path = join(folder, file!);
    const content = readFileSync(path);
    writeFileSync(path, flipped(content));
    await night(stage);
    const outcome = await found(stage, /media\.assets cannot be read|Corrupt/);
    // As a repair from another replica would: the file as it was, in a backup under another name.
    writeFileSync(path, content);
    await client.execute("TRUNCATE media.assets");
    await insertAssets(client, 0, 2 * ROWS);
    await night(stage);
    const rows = rowsRead(whole(await verify(stage)), "media.assets");
    assert.equal(rows, 2 * ROWS);
    return {
      ...outcome,
      recovered: `written anew, the next night's copy was restored and its ${rows} rows read`,
      lostSeconds: 0,
    };
  },
};

const evidenceOld: Fault<MedusaStage> = {
  id: "evidence-old",
  fault: "no deep verification has ended for more than two weeks",
  rows: ["S2", "S8"],
  alert: "evidence-old",
  mayLoseSeconds: 0,
  async inject(stage) {
    const { storage } = stage;
    await storage.emptyBucket(COPIES);
    const then = new Date(Date.now() - (verificationLateSeconds + 3600) * 1000);
    await storage.put(COPIES, evidencePath("prod", markerId(then), REPOSITORY, stamp(then), "ok"), "{}");
    const age = async () => Date.now() / 1000 - (await newest(stage, "ok"));
    const old = await age();
    assert.ok(old > verificationLateSeconds, `the metric is ${old} s old`);
    await night(stage);
    whole(await verify(stage));
    const young = await age();
    assert.ok(young < 600, `after a verification the metric is ${young} s old`);
    return {
      noticed: `the metric of the last good verification was ${Math.round(old / 86_400)} days old`,
      signal: { kind: "metric", name: metrics.verification, value: old },
      recovered: "the job, started by hand, left new evidence",
      lostSeconds: 0,
    };
  },
};

/** Rows on a node whose backups are copied and verified. */
export const verificationGroup: Group<MedusaStage> = {
  stage: "a node, its backups and their second copies, restored into a throwaway server",
  open: () => openMedusaStage("127.77.0.8"),
  close: closeMedusaStage,
  faults: [copyBitFlipDeep, damagedBeforeBackup, evidenceOld],
};
