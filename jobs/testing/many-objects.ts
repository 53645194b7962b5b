/** A night of many objects through the parts that decide: for tests of what it takes in memory. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { place, selection, verify } from "../lib/compare";
import { Findings } from "../lib/listing";
import { type KeyedFile, ListWriter, readList } from "../lib/lists";
import type { Manifest } from "../lib/manifest";

const md5 = "0".repeat(32);

function* files(count: number, step = 1): Generator<KeyedFile> {
  for (let i = 0; i < count; i += step) {
    const name = `elasticsearch-emea/indices/${String(i).padStart(9, "0")}/0/__blob`;
    yield { name, key: name, size: 1, md5 };
  }
}
async function* stream(items: Iterable<KeyedFile>): AsyncGenerator<KeyedFile> {
  yield* items;
}

/** Copies and verifies `objects`; with `hold` it keeps them all, as a control. @returns how many were missing */
export default async function run({ objects, hold }: { objects: number; hold: boolean }): Promise<number> {
  const manifest = { kind: "elasticsearch", repository: "elasticsearch-emea", backup: "night-1" } as Manifest;
  const folder = mkdtempSync(join(tmpdir(), "dr-jobs-test-"));
  try {
    const writer = new ListWriter(join(folder, "list.jsonl"));
    const damage = new Findings();
    const selected = selection(manifest, stream(files(objects)), stream(files(objects)), damage);
    const held: KeyedFile[] = [];
    let lacking = 0;
    for await (const { file, missing } of place(selected, stream(files(objects, 2)), [], "copy-1")) {
      if (missing) lacking++;
      if (hold) held.push(file);
      await writer.add(file);
    }
    await writer.end();
    await verify(readList(writer.file, "the copy"), stream(files(objects)), [], damage);
    if (damage.count > 0) throw new Error(damage.shown().join());
    return lacking + (held.length > objects ? 1 : 0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
