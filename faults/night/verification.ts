/** Damage that only a restore finds, and restores that nobody tries any more (S8): the weekly deep verification. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Evidence } from "../../jobs/lib/evidence";
import { metrics, verificationLateSeconds } from "../../plan/freshness";
import { evidencePath, markerId, stamp } from "../../plan/layout";
import type { Fault } from "../fault";
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
import type { Group } from "../run";
import { verify } from "../throwaway";
import { type Copies, failedOver, flipInCopy, flipped, newest, whole } from "./evidence";

const ofCopies = ({ storage }: MedusaStage): Copies => ({ storage, copiesBucket: COPIES, repository: REPOSITORY });

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
    await night(stage);
    whole(await verify(stage));
    const name = await flipInCopy(ofCopies(stage), /\/media\/assets-[0-9a-f]+\/[^/]+-Data\.db$/);
    const outcome = await failedOver(await verify(stage), ofCopies(stage), new RegExp(name.split("/").at(-1)!));
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
    const outcome = await failedOver(await verify(stage), ofCopies(stage), /media\.assets cannot be read|Corrupt/);
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
    const age = async () => Date.now() / 1000 - (await newest(ofCopies(stage), "ok"));
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
