/** Where the objects of a copy get, and what is noticed about them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { copyPath, filesPath, manifestPath } from "../../plan/layout";
import { underHeapLimit } from "../testing/heap";
import { foldersOf, generationProblem, type Placed, place, selection, verify } from "./compare";
import { byBytes, Findings } from "./listing";
import type { KeyedFile } from "./lists";
import type { Manifest } from "./manifest";

type Contents = Record<string, number>;

const hash = (content: number) => String(content).padStart(32, "0");
const file = (name: string, content: number): KeyedFile => ({ name, key: name, size: 1, md5: hash(content) });

async function* stream(contents: Contents): AsyncGenerator<KeyedFile> {
  for (const name of Object.keys(contents).sort(byBytes)) yield file(name, contents[name]!);
}

/** A second copy by place: a folder of objects and layers, as the storage has them. */
class SecondCopy {
  readonly stored = new Map<string, number>();

  private folder(layer?: string): Contents {
    const prefix = copyPath("s", { name: "", ...(layer && { layer }) });
    const inside = [...this.stored].filter(([path]) => path.startsWith(prefix));
    return Object.fromEntries(inside.map(([path, content]) => [path.slice(prefix.length), content]));
  }
  private layered(ids: readonly string[]) {
    return ids.map((id) => ({ id, listing: stream(this.folder(id)) }));
  }

  /** Copies a night as the job does. @returns its list and how much was copied */
  async night(source: Contents, layers: string[], id: string): Promise<{ list: Placed[]; copied: number }> {
    const list: Placed[] = [];
    for await (const each of place(stream(source), stream(this.folder()), this.layered(layers), id)) list.push(each);
    for (const { file, missing } of list) {
      const path = copyPath("s", file);
      if (!missing) continue;
      assert.ok(!this.stored.has(path), `${path} would be overwritten`);
      this.stored.set(path, source[file.name]!);
    }
    return { list, copied: list.filter(({ missing }) => missing).length };
  }

  async problems(list: Placed[]): Promise<string[]> {
    const used = [...new Set(list.flatMap(({ file }) => file.layer ?? []))];
    const found = new Findings();
    async function* lines() {
      for (const { file } of list) yield file;
    }
    await verify(lines(), stream(this.folder()), this.layered(used), found);
    return found.shown();
  }
}

const layersOf = (list: Placed[]) => [...new Set(list.flatMap(({ file }) => file.layer ?? []))].sort();

test("whatever a name held before, each night is whole, overwrites nothing and costs only what changed", async () => {
  const names = ["a", "a/b", "b", "elasticsearch-emea/index.latest", "é", "\u{1f600}"];
  const night = fc.dictionary(fc.constantFrom(...names), fc.integer({ min: 0, max: 3 }));
  await fc.assert(
    fc.asyncProperty(fc.array(night, { minLength: 1, maxLength: 5 }), async (nights) => {
      const copy = new SecondCopy();
      const lists: Placed[][] = [];
      for (const [index, source] of nights.entries()) {
        const { list } = await copy.night(source, layersOf(lists.at(-1) ?? []), `copy-${index}`);
        lists.push(list);
        const again = await copy.night(source, layersOf(list), `copy-${index}-again`);
        assert.equal(again.copied, 0, "the second run copies nothing");
      }
      for (const list of lists) assert.deepEqual(await copy.problems(list), []);
    }),
  );
});

test("a flipped, a lost and a forged object of a copy are each named", async () => {
  const copy = new SecondCopy();
  const { list } = await copy.night({ a: 1, b: 2, c: 3 }, [], "copy-1");
  copy.stored.set("s/objects/a", 9);
  copy.stored.delete("s/objects/b");
  assert.deepEqual(await copy.problems(list), [
    `a is 1 bytes, md5 ${hash(9)}, expected 1 bytes, md5 ${hash(1)}`,
    "b is missing",
  ]);
});

const cassandra = {
  kind: "cassandra",
  repository: "cassandra-emea",
  backup: "night-1",
  nodes: [{ host: "node-1" }, { host: "node-0" }],
} as Manifest;
const elasticsearch = { kind: "elasticsearch", repository: "elasticsearch-emea", backup: "night-1" } as Manifest;
const own = { [manifestPath("cassandra-emea", "night-1")]: 1, [filesPath("cassandra-emea", "night-1")]: 1 };

async function select(manifest: Manifest, source: Contents, files: Contents) {
  const damage = new Findings();
  const names: string[] = [];
  for await (const each of selection(manifest, stream(source), stream(files), damage)) names.push(each.name);
  return { names, damage: damage.shown() };
}

test("Cassandra's copy is the manifest's files, the pointers of its nodes and the manifest", async () => {
  const files = { "cassandra/node-1/data/x": 1 };
  const pointer = "cassandra/index/latest_backup/node-1/backup_name.txt";
  const others = {
    "cassandra/index/latest_backup/node-10/backup_name.txt": 1,
    "cassandra/node-1/data/newer": 1,
    [manifestPath("cassandra-emea", "night-0")]: 1,
  };
  assert.deepEqual(await select(cassandra, { ...files, ...own, ...others, [pointer]: 1 }, files), {
    names: [pointer, ...Object.keys(files), ...Object.keys(own).sort()],
    damage: [],
  });
  assert.deepEqual((await select(cassandra, own, { "elsewhere/x": 1 })).damage, ["elsewhere/x is missing"]);
  assert.deepEqual(foldersOf(cassandra), [
    "cassandra/node-1/",
    "cassandra/node-0/",
    "cassandra/index/",
    "manifests/cassandra-emea/",
  ]);
});

test("Elasticsearch's copy is all of it but its verification; generations may have gone on, nothing else", async () => {
  const source = { "elasticsearch-emea/index-8": 1, "elasticsearch-emea/tests-x/y": 1, "elasticsearch-emea/z": 1 };
  const { names, damage } = await select(elasticsearch, source, {
    "elasticsearch-emea/index-7": 1,
    "elasticsearch-emea/index.latest": 7,
    "elasticsearch-emea/z": 2,
  });
  assert.deepEqual(names, ["elasticsearch-emea/index-8", "elasticsearch-emea/z"]);
  assert.match(damage.join(), /^elasticsearch-emea\/z is 1 bytes, md5 0*1, expected 1 bytes, md5 0*2$/);
});

test("a repository without a generation, or with another one than before, is not still", () => {
  assert.match(generationProblem("elasticsearch-emea", [], []) ?? "", /no snapshot/);
  assert.match(generationProblem("elasticsearch-emea", ["index-1"], []) ?? "", /was index-1, is none/);
  assert.equal(generationProblem("elasticsearch-emea", ["index-1"], ["index-1"]), undefined);
  assert.equal(generationProblem("cassandra-emea", [], []), undefined);
});

test("100,000 objects go through in a heap that could not hold them", async () => {
  const entry = join(__dirname, "../testing/many-objects.ts");
  const run = (hold: boolean) => underHeapLimit<number>(entry, { objects: 100_000, hold }, 12);
  assert.equal(await run(false), 50_000);
  await assert.rejects(run(true), { code: "ERR_WORKER_OUT_OF_MEMORY" });
});
