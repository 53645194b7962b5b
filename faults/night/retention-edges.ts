/** The clock passes each edge of retention: what has to stay stays to the last moment, what may go goes after it. */
import assert from "node:assert/strict";
import { FINAL_EXIT_CODE } from "../../jobs/config";
import { seal } from "../../jobs/lib/envelope";
import type { Marker } from "../../jobs/lib/manifest";
import { testKey } from "../../jobs/testing/kms";
import { backupName, copyFolder, markerId, markerOfPath, markerPath } from "../../plan/layout";
import { markerType } from "../../plan/markers";
import { copyTiers, retention } from "../../plan/retention";
import type { Fault } from "../fault";
import {
  assertRestores,
  backUp,
  COPIES,
  type CopiesStage,
  FILES,
  failed,
  markerAt,
  markers,
  prune,
  replicate,
  reset,
  succeeded,
} from "./copies-stage";

const DAY_MS = 24 * 3600 * 1000;
const NO_TIER = { nightly: 1, weekly: 0, monthly: 0 };

/** Moment at which what was made now is `days` old, and `ms` more or less. */
const after = (days: number, ms = 0) => new Date(Date.now() + days * DAY_MS + ms).toISOString();

/** Puts the newest copy's content under markers of other nights, as it would be if nothing had changed between. */
export async function copiesOf(stage: CopiesStage, ids: readonly string[]): Promise<void> {
  const path = (await markers(stage)).at(-1)!;
  const newest: Marker = await markerAt(stage, path);
  for (const id of ids) {
    await stage.storage.put(
      COPIES,
      markerPath("prod", id),
      await seal(markerType, JSON.stringify({ ...newest, id }), stage.kms),
    );
  }
}

const idsOf = async (stage: CopiesStage) => (await markers(stage)).map((path) => markerOfPath("prod", path)!);

export const retentionEdges: Fault<CopiesStage> = {
  id: "retention-edges",
  fault:
    "the pruner runs with the clock just before and just after each edge of retention, and without the key of a marker",
  rows: ["S2", "D2"],
  alert: "vault-job-failed",
  mayLoseSeconds: 0,
  small: true,
  async inject(stage) {
    await reset(stage);
    const { storage } = stage;
    storage.appendOnly.delete(COPIES);
    const first = String((await succeeded(replicate(stage))).marker);
    const before = stage.objects;
    await backUp(stage, backupName(new Date()), FILES + 1, 8);
    const second = String((await succeeded(replicate(stage))).marker);

    // Protection: to the last hour nothing goes, whatever tiers say.
    const everything = await storage.names(COPIES);
    await succeeded(prune(stage, { tiers: NO_TIER, now: after(retention.copiesDays, -3_600_000) }));
    assert.deepEqual(await storage.names(COPIES), everything, "inside the protection period nothing goes");
    await assertRestores(stage, first, before);
    await succeeded(prune(stage, { tiers: NO_TIER, now: after(retention.copiesDays, 60_000), dryRun: true }));
    assert.deepEqual(await storage.names(COPIES), everything, "a dry run removes nothing");
    const { removable } = await succeeded(prune(stage, { tiers: NO_TIER, now: after(retention.copiesDays, 60_000) }));
    assert.deepEqual(await idsOf(stage), [second]);
    assert.ok(Number(removable) > 0);
    const left = await storage.names(COPIES);
    assert.ok(
      !left.some((name) => name.startsWith(`${copyFolder("prod", first)}/`)),
      "the first copy's pointers are gone",
    );
    assert.ok(!left.some((name) => name.startsWith(`listings/prod/${first}/`)), "and its lists");
    await assertRestores(stage, second);

    // Tiers: the last night, week and month each keeps, and the ones after them.
    const nightly = (ago: number) => markerId(new Date(Date.UTC(2024, 5, 30 - ago, 2)));
    const nights = Array.from({ length: 500 }, (_, ago) => nightly(ago));
    storage.appendOnly.delete(COPIES);
    await copiesOf(
      stage,
      nights.filter((_, ago) => ago < 45 || ago > 80),
    );
    await storage.remove(COPIES, markerPath("prod", second));
    await succeeded(prune(stage, { now: after(retention.copiesDays, 60_000) }));
    const kept = await idsOf(stage);
    const isKept = (ago: number) => kept.includes(nightly(ago));
    assert.ok(isKept(copyTiers.nightly - 1), "the last night of the nightly tier");
    assert.ok(kept.length <= copyTiers.nightly + copyTiers.weekly + copyTiers.monthly);
    const months = new Set(kept.map((id) => id.slice(5, 11)));
    assert.equal(months.size, copyTiers.monthly, "as many months as the tier has");

    // The last good copy stays, however old it is.
    await succeeded(prune(stage, { tiers: NO_TIER, now: after(3650) }));
    assert.deepEqual(await idsOf(stage), [nightly(0)]);
    const objects = await assertRestores(stage, nightly(0));
    const lost = { markerKeys: [testKey().pem], tiers: NO_TIER, now: after(3650) };
    const line = await failed(
      prune(stage, lost),
      /1 markers of site .* are not believed: nothing is removed/,
      FINAL_EXIT_CODE,
    );
    await assertRestores(stage, nightly(0));
    return {
      noticed: "the pruner's log names what goes before it does; without the key it failed and removed nothing",
      signal: { kind: "log", command: "prune", line },
      recovered: `after each edge what stays restores whole, the last copy also after ten years (${objects} objects compared)`,
      lostSeconds: 0,
    };
  },
};
