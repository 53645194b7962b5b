/** An object of the second copy is another, or gone, though no identity may do that. */
import assert from "node:assert/strict";
import { FINAL_EXIT_CODE } from "../../jobs/config";
import { events } from "../../plan/events";
import { backupName, copyPath } from "../../plan/layout";
import type { Fault } from "../fault";
import {
  assertRestores,
  backUp,
  COPIES,
  type CopiesStage,
  FILES,
  failed,
  placesOf,
  replicate,
  reset,
  restoreCopy,
  succeeded,
  succeededRun,
} from "./copies-stage";

const VICTIM = "cassandra/node-1/data/media/files-0a/nb-1-big-Data.db";

function damaged(
  { id, fault, restored }: { id: string; fault: string; restored: RegExp },
  harm: (stage: CopiesStage, path: string) => Promise<void>,
): Fault<CopiesStage> {
  return {
    id,
    fault,
    rows: ["S2", "D2", "D5"],
    alert: "copy-damaged",
    mayLoseSeconds: 0,
    small: true,
    async inject(stage) {
      await reset(stage);
      const { storage } = stage;
      const first = String((await succeeded(replicate(stage))).marker);
      storage.appendOnly.delete(COPIES);
      await harm(stage, copyPath("prod", { name: VICTIM }));
      storage.appendOnly.add(COPIES);
      await failed(restoreCopy(stage, { marker: first }), restored, FINAL_EXIT_CODE);
      assert.ok(!(await storage.names("iconik-rebuild-1-backups")).some((name) => name.startsWith("restores/")));
      await backUp(stage, backupName(new Date()), FILES, 8);
      const { lines } = await succeededRun(replicate(stage));
      const line = lines.find(({ event }) => event === events.copyDamaged);
      assert.match(JSON.stringify(line), new RegExp(VICTIM));
      const marker = String(lines.at(-1)!.marker);
      const objects = await assertRestores(stage, marker);
      return {
        noticed:
          "a restore of the copy refused it by name; the next night compared the newest copy's list and named the object",
        signal: { kind: "log", command: "replicate", line: line! },
        recovered: `the next copy has the object anew at ${(await placesOf(stage, marker)).get(VICTIM)?.split("/")[1]}; ${objects} objects restored and compared`,
        lostSeconds: 0,
      };
    },
  };
}

export const copyBitFlip = damaged(
  {
    id: "copy-bit-flip",
    fault: "a bit of an object in the second copy is flipped",
    restored: /is damaged.*nb-1-big-Data\.db is 9 bytes/,
  },
  async ({ storage }, path) => {
    const content = Buffer.from((await storage.get(COPIES, path))!);
    content[0]! ^= 1;
    await storage.put(COPIES, path, content.toString());
  },
);

export const copyObjectMissing = damaged(
  {
    id: "copy-object-missing",
    fault: "an object of the second copy is gone",
    restored: /is damaged.*nb-1-big-Data\.db is missing/,
  },
  ({ storage }, path) => storage.remove(COPIES, path),
);
