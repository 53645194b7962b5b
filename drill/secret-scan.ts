/**
 * Looks for secret values where none may be (S5): in git, in Pulumi's state, in backups and copies, in logs and in what
 * Pulumi prints. Every file is read as a stream; memory is bounded by one chunk and the longest form.
 */
import { createReadStream, type Dirent, readdirSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";

/** A value that must not show up, with a name to speak of it. */
export interface Secret {
  name: string;
  value: string;
}

/** Where a secret was found, and how it was written there; never the value. */
export interface Leak {
  place: string;
  secret: string;
  form: string;
}

/** What a scan saw. */
export interface ScanResult {
  /** Files and texts. */
  scanned: number;
  bytes: number;
  leaks: Leak[];
}

/** A form of a secret as bytes. */
interface Needle {
  secret: string;
  form: string;
  bytes: Buffer;
}

/** Shorter values would be found everywhere by chance. */
const SHORTEST = 12;
const CHUNK = 1 << 20;

/**
 * The forms in which a value is looked for: plain, base64 at each of the three positions that it can have within a larger
 * text, base64 for URLs likewise, URL-encoded, and escaped in JSON once and twice.
 * @throws Error when the value is too short to be told from chance
 */
export function forms({ name, value }: Secret): Needle[] {
  if (value.length < SHORTEST) {
    throw new Error(`secret "${name}" has ${value.length} characters; ${SHORTEST} or more can be looked for`);
  }
  const escaped = JSON.stringify(value).slice(1, -1);
  const texts: [form: string, text: string][] = [
    ["plain", value],
    ...[0, 1, 2].map((offset): [string, string] => [`base64 at ${offset}`, base64At(value, offset)]),
    ...[0, 1, 2].map((offset): [string, string] => [
      `base64url at ${offset}`,
      base64At(value, offset).replaceAll("+", "-").replaceAll("/", "_"),
    ]),
    ["URL-encoded", encodeURIComponent(value)],
    ["JSON", escaped],
    ["JSON in JSON", JSON.stringify(escaped).slice(1, -1)],
  ];
  const seen = new Set<string>();
  return texts
    .filter(([, text]) => !seen.has(text) && seen.add(text))
    .map(([form, text]) => ({ secret: name, form, bytes: Buffer.from(text) }));
}

/** The part of base64 that depends on the value alone when `offset` bytes precede it in a group of three. */
function base64At(value: string, offset: number): string {
  const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(value)]);
  const text = bytes.toString("base64").replace(/=+$/, "");
  return text.slice([0, 2, 3][offset], bytes.length % 3 === 0 ? undefined : -1);
}

/** Scans places for secrets. One object counts over all of its scans. */
export class SecretScan {
  readonly result: ScanResult = { scanned: 0, bytes: 0, leaks: [] };
  private readonly needles: Needle[];
  private readonly overlap: number;

  constructor(secrets: Secret[]) {
    if (secrets.length === 0) throw new Error("there is no secret to look for, so that nothing could be found");
    this.needles = secrets.flatMap(forms);
    this.overlap = Math.max(...this.needles.map(({ bytes }) => bytes.length)) - 1;
  }

  /** A text that somebody could have kept. */
  async text(place: string, text: string): Promise<void> {
    await this.stream(place, Readable.from([Buffer.from(text)]));
  }

  /** A file; what gzip packed is unpacked. One that is gone meanwhile is not counted. */
  async file(path: string, place = path): Promise<void> {
    const source = createReadStream(path, { highWaterMark: CHUNK });
    try {
      if (!path.endsWith(".gz")) return await this.stream(place, source);
      const unpacked = createGunzip();
      source.on("error", (error) => unpacked.destroy(error));
      await this.stream(place, source.pipe(unpacked));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }

  /** Every file below a folder whose path `wanted` says yes to. */
  async folder(folder: string, wanted: (path: string) => boolean = () => true): Promise<void> {
    for (const path of filesBelow(folder)) if (wanted(path)) await this.file(path);
  }

  private async stream(place: string, source: Readable): Promise<void> {
    let tail: Buffer = Buffer.alloc(0);
    const left = new Set(this.needles);
    let bytes = 0;
    for await (const chunk of source as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      const window = tail.length > 0 ? Buffer.concat([tail, chunk]) : chunk;
      for (const needle of left) {
        if (!window.includes(needle.bytes)) continue;
        left.delete(needle);
        this.result.leaks.push({ place, secret: needle.secret, form: needle.form });
      }
      tail = window.subarray(Math.max(0, window.length - this.overlap));
    }
    this.result.scanned += 1;
    this.result.bytes += bytes;
  }
}

/** Paths of the files below a folder; what goes away or cannot be entered meanwhile is left out, links are not followed. */
function* filesBelow(folder: string): Generator<string> {
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (["ENOENT", "EACCES"].includes((error as NodeJS.ErrnoException).code ?? "")) return;
    throw error;
  }
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (entry.isFile()) yield path;
  }
}
