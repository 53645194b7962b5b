/** Somebody who may write into the second copies makes a copy of his own, or takes a marker away. */
import assert from "node:assert/strict";
import { seal } from "../../jobs/lib/envelope";
import { testKey } from "../../jobs/testing/kms";
import { events } from "../../plan/events";
import { metrics } from "../../plan/freshness";
import { markerId, markerPath } from "../../plan/layout";
import { markerType } from "../../plan/markers";
import type { Fault } from "../fault";
import {
  assertRestores,
  COPIES,
  type CopiesStage,
  failed,
  markerAt,
  markers,
  OWN,
  replicate,
  reset,
  restoreCopy,
  succeeded,
  succeededRun,
} from "./copies-stage";

export const markerForged: Fault<CopiesStage> = {
  id: "marker-forged",
  fault:
    "newer markers than the newest copy's: unsigned, signed by another key, signed for another copy, and of before markers were signed",
  rows: ["S2", "D5"],
  alert: "marker-refused",
  mayLoseSeconds: 0,
  small: true,
  async inject(stage) {
    await reset(stage);
    const { storage } = stage;
    const marker = String((await succeeded(replicate(stage))).marker);
    const good = (await storage.get(COPIES, markerPath("prod", marker)))!;
    const id = (minutes: number) => markerId(new Date(Date.now() + minutes * 60_000));
    const document = JSON.stringify({ ...(await markerAt(stage, markerPath("prod", marker))), id: id(3) });
    const forged: [string, string, RegExp][] = [
      [id(4), document, /is refused: it is not signed/],
      [
        id(3),
        await seal(markerType, document, testKey()),
        /is refused: its signature .* is not of a key that is trusted/,
      ],
      [id(2), good, /is refused: it was signed for copy/],
      [id(1), JSON.stringify({ version: 1, site: "prod", id: id(1) }), /not signed.*before markers were signed/],
    ];
    for (const [name, text] of forged) await storage.put(COPIES, markerPath("prod", name), text);
    for (const [name, , words] of forged) await failed(restoreCopy(stage, { marker: name }), words);
    const { lines } = await succeededRun(restoreCopy(stage));
    assert.equal(lines.at(-1)!.marker, marker);
    const night = await succeededRun(replicate(stage));
    const told = night.lines.filter(({ event }) => event === events.markerRefused);
    assert.deepEqual(
      told.map((line) => [line.marker, line.severity]),
      forged.map(([name]) => [name, "ERROR"]),
    );
    const objects = await assertRestores(stage, marker);
    return {
      noticed: `${told.length} lines named each marker and the reason; by its name each was refused`,
      signal: { kind: "log", command: "replicate", line: told[0]! },
      recovered: `latest was the newest copy that is signed; ${objects} objects restored and compared`,
      lostSeconds: 0,
    };
  },
};

export const markerMissing: Fault<CopiesStage> = {
  id: "marker-missing",
  fault: "the marker of a whole copy is gone",
  rows: ["S2", "D2"],
  alert: "copy-stale",
  mayLoseSeconds: 0,
  small: true,
  async inject(stage) {
    await reset(stage);
    const { storage } = stage;
    const gone = String((await succeeded(replicate(stage))).marker);
    storage.appendOnly.delete(COPIES);
    await storage.remove(COPIES, markerPath("prod", gone));
    storage.appendOnly.add(COPIES);
    await failed(restoreCopy(stage), /no copy \\"latest\\" of site \\"prod\\".*none/);
    await failed(restoreCopy(stage, { marker: gone }), /no copy/);
    assert.deepEqual(await storage.names(OWN), []);
    const { marker, copied } = await succeeded(replicate(stage));
    assert.deepEqual(await markers(stage), [markerPath("prod", String(marker))]);
    const objects = await assertRestores(stage, String(marker));
    return {
      noticed: "nothing was restored of a copy without its marker; its age shows none",
      signal: { kind: "metric", name: metrics.copy, value: 0 },
      recovered: `the next run copied ${copied} pointers and wrote a marker; ${objects} objects restored and compared`,
      lostSeconds: 0,
    };
  },
};
