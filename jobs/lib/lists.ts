/**
 * Lists of objects as jobs keep them: one line of JSON for each, ordered by the UTF-8 bytes of the names. They go through a
 * local folder and are read as streams, so memory does not grow with them; the disk takes about 150 bytes an object.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { filesPath, manifestPath } from "../../plan/layout";
import { ordered, rawName } from "./listing";
import { JobError } from "./log";
import { fileSchema, type ListRef, type Manifest, manifestSchema, parseDocument } from "./manifest";
import { checksumPattern } from "./parts";
import {
  bucketUrl,
  downloadFile,
  linesOf,
  readObject,
  removeObject,
  type StoredFile,
  uploadFile,
  writeObject,
} from "./rclone";

/** A line of a list. */
export interface ListedFile extends StoredFile {
  /** Layer of the second copy that has it; only in lists of copies. */
  layer?: string;
}

/** A line with the name it is ordered by. */
export type KeyedFile = ListedFile & { key: string };

/** A folder that is gone when `work` has ended. */
export async function withScratch<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "dr-jobs-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What is known of a list when its last line is written. */
export type Written = Omit<ListRef, "path">;

/** Characters that are written at once. */
const CHUNK = 64 * 1024;

/** Writes a list to a local file. */
export class ListWriter {
  private readonly stream;
  private readonly hash = createHash("sha256");
  private pending = "";
  private objects = 0;
  private bytes = 0;

  constructor(readonly file: string) {
    this.stream = createWriteStream(file);
    // Reported by `end`.
    this.stream.on("error", () => undefined);
  }

  async add({ name, size, md5, layer }: ListedFile): Promise<void> {
    this.pending += `${JSON.stringify({ name, size, md5, ...(layer !== undefined && { layer }) })}\n`;
    this.objects++;
    this.bytes += size;
    if (this.pending.length >= CHUNK) await this.flush();
  }

  private async flush(): Promise<void> {
    const text = this.pending;
    this.pending = "";
    this.hash.update(text);
    if (!this.stream.write(text) && !this.stream.errored) await once(this.stream, "drain");
  }

  /** @throws when the disk did not take all of it */
  async end(): Promise<Written> {
    await this.flush();
    this.stream.end();
    await finished(this.stream);
    return { sha256: this.hash.digest("hex"), objects: this.objects, bytes: this.bytes };
  }
}

/**
 * Lines of a local list, in order.
 * @param where the list's name, for messages
 * @throws JobError when a line is none of a list, or they are out of order
 */
export async function* readList(file: string, where: string): AsyncGenerator<KeyedFile> {
  yield* ordered(where, parsed(file, where));
}

async function* parsed(file: string, where: string): AsyncGenerator<KeyedFile> {
  for await (const line of linesOf(createReadStream(file, "utf8"))) {
    const { layer, ...entry } = plain(line) ?? parseDocument(fileSchema, line, `a line of ${where}`);
    yield { ...entry, ...(layer !== undefined && { layer }), key: rawName(entry.name) };
  }
}

/** A line that is right, faster than by its schema; undefined: the schema says what is wrong. */
function plain(line: string): ListedFile | undefined {
  try {
    const { name, size, md5, layer } = JSON.parse(line) as Record<string, unknown>;
    const right =
      typeof name === "string" &&
      name !== "" &&
      Number.isSafeInteger(size) &&
      (size as number) >= 0 &&
      checksumPattern.test(String(md5)) &&
      (layer === undefined || /^copy-\d{8}t\d{6}z$/.test(String(layer)));
    return right ? ({ name, size, md5, ...(layer !== undefined && { layer }) } as ListedFile) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Brings a list into a local file and compares it with what refers to it, so that it can be believed from its first line on.
 * @throws JobError when it is not the one referred to
 */
export async function fetchList(bucket: string, { path, sha256 }: ListRef, file: string): Promise<void> {
  await rm(file, { force: true });
  await downloadFile(bucket, path, file);
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  const found = hash.digest("hex");
  if (found === sha256) return;
  throw new JobError(`${bucketUrl(bucket)}/${path} is not the list that was written`, {
    value: `SHA-256 ${found}`,
    allowed: `SHA-256 ${sha256}`,
    fix: "somebody changed it: take another backup or copy, and find out who",
  });
}

/** Stores a local list; an object that is there is never replaced. */
export async function storeList(bucket: string, path: string, file: string, written: Written): Promise<ListRef> {
  await uploadFile(bucket, path, file);
  return { path, ...written };
}

/** A backup's list of objects as a local file. */
export interface LocalList {
  file: string;
  written: Written;
}

/** Writes a backup's manifest, the list of its objects first. */
export async function writeManifest<M extends Manifest>(
  bucket: string,
  manifest: Omit<M, "files">,
  { file, written }: LocalList,
): Promise<M> {
  const { repository, backup } = manifest;
  const stored = await storeList(bucket, filesPath(repository, backup), file, written);
  const whole = parseDocument(
    manifestSchema,
    JSON.stringify({ ...manifest, files: stored }),
    manifestPath(repository, backup),
  );
  await writeObject(bucket, manifestPath(repository, backup), JSON.stringify(whole));
  return whole as M;
}

/** Removes a backup's manifest, by which it is found, and then the list of its objects. May be repeated. */
export async function removeManifest(bucket: string, repository: string, backup: string): Promise<void> {
  await removeObject(bucket, manifestPath(repository, backup));
  await removeObject(bucket, filesPath(repository, backup));
}

/** Reads a backup's manifest. @throws JobError when it is none that this version reads */
export async function readManifest(bucket: string, repository: string, backup: string): Promise<Manifest> {
  const path = manifestPath(repository, backup);
  return parseDocument(manifestSchema, await readObject(bucket, path), path);
}
