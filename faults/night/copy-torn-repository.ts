/** Somebody writes into a search repository while it is copied: such a copy may look whole and not be restorable. */
import assert from "node:assert/strict";
import { elasticsearchObjects } from "../../jobs/testing/backups";
import { backupName } from "../../plan/layout";
import type { Fault } from "../fault";
import {
  assertRestores,
  backUp,
  type CopiesStage,
  FILES,
  failed,
  markers,
  PRIMARY,
  replicate,
  reset,
  succeeded,
} from "./copies-stage";

export const copyTornRepository: Fault<CopiesStage> = {
  id: "copy-torn-repository",
  fault: "a search engine writes into its repository during every attempt to copy it",
  rows: ["S2", "S3", "D2"],
  alert: "vault-job-failed",
  mayLoseSeconds: 0,
  small: true,
  async inject(stage) {
    await reset(stage);
    const { storage } = stage;
    const whole = String((await succeeded(replicate(stage))).marker);
    const before = stage.objects;
    await backUp(stage, backupName(new Date()), FILES, 8);
    let generation = 8;
    storage.onCopy = async ({ object }) => {
      if (!object.endsWith(`/index-${generation}`)) return;
      await storage.remove(PRIMARY, object);
      delete stage.objects[object];
      const written = elasticsearchObjects(++generation);
      for (const [path, content] of Object.entries(written)) await storage.put(PRIMARY, path, content);
      Object.assign(stage.objects, written);
    };
    const line = await failed(
      replicate(stage, { attempts: 2 }),
      /elasticsearch-emea changed while it was copied.*generation/,
    );
    const [, partly] = await markers(stage);
    assert.ok(partly, "the other repository has its copy of tonight");
    storage.onCopy = undefined;
    const old = Object.fromEntries(Object.entries(before).filter(([name]) => name.startsWith("elasticsearch-emea/")));
    const objects = await assertRestores(stage, partly.replace(/^.*\/|\.json$/g, ""), old);
    assert.notEqual(whole, partly);
    const { marker } = await succeeded(replicate(stage));
    await assertRestores(stage, String(marker));
    return {
      noticed: `the generation was another after each of 2 copies than before; the job failed and named it`,
      signal: { kind: "log", command: "replicate", line },
      recovered: `the marker kept the repository's last copy (${objects} objects restored and compared); the next run, with nobody writing, made tonight's`,
      lostSeconds: 0,
    };
  },
};
