/** Datacenters that meet before a restore: whatever is killed, started again or left behind, none goes alone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Ready, step } from "./meeting";

const ready = (uid: string, seen: Record<string, string> = {}): Ready => ({ version: 1, uid, seen });

test("one goes when every other has seen it, and has then seen every other", () => {
  const both = ["emea", "amer"];
  assert.deepEqual(step("emea", "e", both, new Map()), { ready: ready("e"), waits: ["amer"] });
  const amerCame = new Map([["amer", ready("a")]]);
  assert.deepEqual(step("emea", "e", both, amerCame), { ready: ready("e", { amer: "a" }), waits: ["amer"] });
  const amerSaw = new Map([["amer", ready("a", { emea: "e" })]]);
  assert.deepEqual(step("emea", "e", both, amerSaw), { ready: ready("e", { amer: "a" }), waits: [] });
  assert.deepEqual(step("emea", "e", ["emea"], new Map()), { ready: ready("e"), waits: [] }, "alone");
});

test("what an earlier cluster left lets nobody run ahead", () => {
  const left = new Map([
    ["emea", ready("old-e", { amer: "old-a" })],
    ["amer", ready("old-a", { emea: "old-e" })],
  ]);
  assert.deepEqual(step("emea", "new-e", ["emea", "amer"], left).waits, ["amer"]);
});

test("an attempt that was killed goes on where it was, also when the others have gone", () => {
  const agreed = new Map([
    ["emea", ready("e", { amer: "a" })],
    ["amer", ready("a", { emea: "e" })],
  ]);
  assert.deepEqual(step("emea", "e", ["emea", "amer"], agreed).waits, []);
});

test("in any order of steps, kills and leftovers: who goes was seen by all of this cluster, and all go in the end", () => {
  const names = ["emea", "amer", "apac"];
  const turn = fc.record({ who: fc.nat(2), killed: fc.boolean() });
  const leftover = fc.dictionary(
    fc.constantFrom(...names),
    fc.dictionary(fc.constantFrom(...names), fc.constant("old")),
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3 }), leftover, fc.array(turn, { maxLength: 40 }), (count, old, turns) => {
      const datacenters = names.slice(0, count);
      const stored = new Map(
        Object.entries(old).map(([name, seen]) => [name, ready(`old-${name}`, { ...seen })] as const),
      );
      const alive = new Set<string>();
      const gone = new Set<string>();
      const act = (name: string, killed: boolean) => {
        if (gone.has(name)) return;
        alive.add(name);
        const { ready: said, waits } = step(name, name, datacenters, stored);
        // Killed before it wrote: nothing has changed.
        if (killed) return;
        stored.set(name, said);
        if (waits.length > 0) return;
        for (const other of datacenters) assert.ok(alive.has(other), `${name} went without ${other}`);
        gone.add(name);
      };
      for (const { who, killed } of turns) act(datacenters[who % count]!, killed);
      for (let round = 0; round < 4; round++) for (const name of datacenters) act(name, false);
      assert.equal(gone.size, count);
    }),
  );
});
