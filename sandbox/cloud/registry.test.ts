/** The registry: what was put is there, also for the next process. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import fc from "fast-check";
import { Registry } from "./registry";
import { refused } from "./testing";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "registry-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

const resource = (type: string, id: string, value: unknown = 1) => ({ type, id, inputs: { value }, outputs: {} });

test("after any series of changes another registry over the same folder holds the same", () => {
  const name = fc.constantFrom("a", "b", "a b", "c/d");
  const change = fc.oneof(
    fc.record({ kind: fc.constant("put" as const), type: name, id: name, value: fc.jsonValue() }),
    fc.record({ kind: fc.constantFrom("remove" as const, "note" as const, "forget" as const), type: name, id: name }),
  );
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
      const folder = mkdtempSync(join(dir, "run-"));
      const registry = new Registry(folder);
      const [resources, facts] = [new Map<string, string>(), new Set<string>()];
      for (const each of changes) {
        const key = JSON.stringify([each.type, each.id]);
        if (each.kind === "put") {
          registry.put(resource(each.type, each.id, each.value));
          resources.set(key, JSON.stringify(each.value));
        } else if (each.kind === "remove") {
          registry.remove(each.type, each.id);
          resources.delete(key);
        } else {
          registry[each.kind](each.type, each.id);
          if (each.kind === "note") facts.add(key);
          else facts.delete(key);
        }
      }
      const again = new Registry(folder);
      assert.equal(again.size, resources.size);
      for (const type of ["a", "b", "a b", "c/d"]) {
        for (const id of ["a", "b", "a b", "c/d"]) {
          const key = JSON.stringify([type, id]);
          assert.equal(JSON.stringify(again.get(type, id)?.inputs.value), resources.get(key));
          assert.equal(again.knows(type, id), facts.has(key));
        }
      }
    }),
  );
});

test("a file that was cut off is refused by name; a half-written new one does no harm", () => {
  const registry = new Registry(dir);
  registry.put(resource("t", "1"));
  const file = join(dir, "resources.json");
  assert.ok(!existsSync(`${file}.new`));
  writeFileSync(`${file}.new`, "{");
  assert.equal(new Registry(dir).size, 1);
  writeFileSync(file, readFileSync(file, "utf8").slice(0, 20));
  assert.throws(() => new Registry(dir), /resources\.json cannot be read/);
});

test("what is being made cannot be made again, until that failed", async () => {
  const registry = new Registry(dir);
  let fail = (_: Error) => {};
  const first = registry.makeOnce("t", "1", () => new Promise((_, reject) => (fail = reject)));
  await refused(
    registry.makeOnce("t", "1", async () => 2),
    409,
    /1 already exists/,
  );
  fail(new Error("broken"));
  await assert.rejects(first, /broken/);
  assert.equal(await registry.makeOnce("t", "1", async () => 3), 3);
});
