/** Objects of a copy brought onto the disk of this machine, each read once more and held against the marker's list. */
import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { copyFolder } from "../../plan/layout";
import { BATCH } from "./copy-repository";
import { batches, Findings } from "./listing";
import { type KeyedFile, readList } from "./lists";
import { checksumOfFile } from "./parts";
import { download } from "./rclone";

/** Where a copy lies, and where it is brought to. */
export interface Bringing {
  copiesBucket: string;
  site: string;
  /** Local file with the list of the copy's objects. */
  list: string;
  /** Folder that objects are brought into, by their names; `place` moves them on. */
  folder: string;
  transfers: number;
}

/** What was brought. */
export interface Brought {
  objects: number;
  bytes: number;
  /** Objects that are absent, or not what the list says. */
  findings: Findings;
}

/**
 * Brings the wanted objects, a batch at a time, wherever in the copy's layers they lie. In memory is a batch of names a layer.
 * @param place is handed each object that is what it should be, and where it lies now
 */
export async function bring(
  { copiesBucket, site, list, folder, transfers }: Bringing,
  wanted: (file: KeyedFile) => boolean,
  place: (file: KeyedFile, path: string) => Promise<void> = async () => {},
): Promise<Brought> {
  const brought: Brought = { objects: 0, bytes: 0, findings: new Findings() };
  const layers = new Map<string | undefined, ReturnType<typeof batches<KeyedFile>>>();
  for await (const file of readList(list, list)) {
    if (!wanted(file)) continue;
    const { layer } = file;
    const into =
      layers.get(layer) ??
      batches<KeyedFile>(BATCH, async (files) => {
        const from = { bucket: copiesBucket, prefix: copyFolder(site, layer) };
        await download(
          from,
          folder,
          files.map(({ name }) => name),
          transfers,
        );
        for (const each of files) {
          const path = join(folder, each.name);
          const problem = await difference(each, path);
          if (problem === undefined) {
            brought.objects++;
            brought.bytes += each.size;
            await place(each, path);
          } else {
            brought.findings.add(problem);
            await rm(path, { force: true });
          }
        }
      });
    layers.set(layer, into);
    await into.add(file);
  }
  for (const layer of layers.values()) await layer.end();
  return brought;
}

async function difference({ name, size, md5 }: KeyedFile, path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return `${name} is missing`;
  if (found.size !== size) return `${name} has ${found.size} bytes, expected ${size}`;
  const is = await checksumOfFile(path, size, md5);
  return is === md5 ? undefined : `${name} has md5 ${is}, expected ${md5}`;
}
