/** Which copies stay, and which never go. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { markerId } from "../../plan/layout";
import { copyTiers } from "../../plan/retention";
import { keptByTiers, lastGood } from "./tiers";

/** Copies of so many nights, the last one on 2026-12-31 (a Thursday). */
const nights = (count: number) =>
  Array.from({ length: count }, (_, ago) => markerId(new Date(Date.UTC(2026, 11, 31 - ago, 2)))).reverse();

test("after years of nights the tiers hold what the plan says", () => {
  const kept = [...keptByTiers(nights(1200), copyTiers)].sort();
  const days = kept.map((id) => id.slice(5, 13));
  // 35 nights reach back to 11-27; 13 weeks end on Sundays before; 13 months end on their last days.
  assert.deepEqual(
    days.slice(-35),
    nights(35).map((id) => id.slice(5, 13)),
  );
  assert.deepEqual(
    days.slice(0, -35),
    "20251231 20260131 20260228 20260331 20260430 20260531 20260630 20260731 20260831 20260930 20261011 20261018 20261025 20261031 20261101 20261108 20261115 20261122".split(
      " ",
    ),
  );
});

test("each tier ends where it ends: the day, week and month after the last are gone", () => {
  const only = (tiers: Partial<typeof copyTiers>) =>
    keptByTiers(nights(400), { nightly: 0, weekly: 0, monthly: 0, ...tiers });
  assert.deepEqual([...only({ nightly: 2 })].sort(), nights(2));
  assert.deepEqual([...only({ weekly: 2 })].map((id) => id.slice(5, 13)).sort(), ["20261227", "20261231"]);
  assert.deepEqual([...only({ monthly: 2 })].map((id) => id.slice(5, 13)).sort(), ["20261130", "20261231"]);
  assert.equal(only({}).size, 0);
  assert.deepEqual(keptByTiers([], copyTiers), new Set());
});

const ids = fc.uniqueArray(
  fc.date({ min: new Date("2024-01-01"), max: new Date("2026-12-31"), noInvalidDate: true }).map(markerId),
);
const tiers = fc.record({ nightly: fc.nat(10), weekly: fc.nat(5), monthly: fc.nat(5) });

test("tiers keep no more than they say, keep more when they say more, and what they kept they keep without the rest", () => {
  fc.assert(
    fc.property(ids, tiers, (all, some) => {
      const kept = keptByTiers(all, some);
      assert.ok(kept.size <= some.nightly + some.weekly + some.monthly);
      assert.deepEqual(keptByTiers([...kept], some), kept, "pruning twice is pruning once");
      const more = keptByTiers(all, { ...some, weekly: some.weekly + 1 });
      assert.ok([...kept].every((id) => more.has(id)));
      const newest = [...all].sort().at(-1);
      if (newest && some.nightly > 0) assert.ok(kept.has(newest));
    }),
  );
});

test("time passing without copies takes nothing away", () => {
  const all = nights(100);
  const kept = keptByTiers(all, copyTiers);
  assert.deepEqual(keptByTiers([...kept], copyTiers), kept);
});

test("the newest copy of the site and of each repository stays, also of one that is copied no more", () => {
  const copies = fc.uniqueArray(
    fc.record({
      id: fc.date({ min: new Date("2024-01-01"), max: new Date("2026-12-31"), noInvalidDate: true }).map(markerId),
      repositories: fc.subarray(["a", "b", "c"]),
    }),
    { selector: ({ id }) => id },
  );
  fc.assert(
    fc.property(copies, (all) => {
      const kept = lastGood(all);
      const sorted = [...all].sort((a, b) => (a.id < b.id ? 1 : -1));
      if (sorted[0]) assert.ok(kept.has(sorted[0].id));
      for (const name of ["a", "b", "c"]) {
        const newest = sorted.find(({ repositories }) => repositories.includes(name));
        if (newest) assert.ok(kept.has(newest.id), name);
      }
      assert.ok(kept.size <= 4);
    }),
  );
});
