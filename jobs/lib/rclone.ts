/**
 * Cloud Storage and S3 through rclone: listing, copying inside the cloud and between them, reading and creating small objects.
 * A bucket is Cloud Storage's unless it is written as `s3://NAME`.
 *
 * The identity is the pod's (application default credentials). No call needs buckets.get, none means to overwrite, and
 * only {@link removeObject} deletes. Copies between buckets are made by the storage itself (rewrite), bytes don't pass through the job.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { s3Url, standbyRegion } from "../../plan/standby";

/** An object as a listing knows it; `name` is its full name in the site's primary bucket, `md5` is hexadecimal. */
export interface StoredFile {
  name: string;
  size: number;
  md5: string;
}

/** A place in a bucket; `prefix` without leading or trailing slash, empty for the bucket itself. */
export interface Place {
  bucket: string;
  prefix: string;
}

/** rclone ended with an error; `denied` when the storage refused the identity. */
export class StorageError extends Error {
  constructor(
    message: string,
    readonly denied: boolean,
  ) {
    super(message);
    this.name = "StorageError";
  }
}

/** What every rclone of this process may ask of the storage; see rclone's `--tpslimit` and `--bwlimit`. */
export interface Limits {
  transactionsPerSecond?: number | undefined;
  /** E.g. `20M`, in a second. */
  bandwidth?: string | undefined;
}

const limits: NodeJS.ProcessEnv = {};

/** Limits each rclone that is started from now on. */
export function limitEach({ transactionsPerSecond, bandwidth }: Limits): void {
  if (transactionsPerSecond !== undefined) limits.RCLONE_TPSLIMIT = String(transactionsPerSecond);
  if (bandwidth !== undefined) limits.RCLONE_BWLIMIT = bandwidth;
}

const REMOTE = "store";
const S3_REMOTE = "aws";
const running = new Set<ChildProcess>();

/** Ends every rclone of this process; for signal handlers. */
export function stopCopies(): void {
  for (const child of running) {
    child.kill("SIGKILL");
  }
}

function environment(): NodeJS.ProcessEnv {
  return {
    RCLONE_GCS_ENV_AUTH: "true",
    ...process.env,
    ...limits,
    // No file: nothing to read, nothing to write.
    RCLONE_CONFIG: "",
    [`RCLONE_CONFIG_${REMOTE.toUpperCase()}_TYPE`]: "google cloud storage",
    RCLONE_GCS_BUCKET_POLICY_ONLY: "true",
    RCLONE_GCS_NO_CHECK_BUCKET: "true",
    // Names stay as the storage has them, whatever they look like.
    RCLONE_GCS_ENCODING: "None",
    ...s3Environment(),
  };
}

/**
 * S3 with the pod's role. Objects go up in single parts up to S3's 5 GiB: their ETag is then their MD5, which listings compare
 * and Medusa checks.
 */
function s3Environment(): NodeJS.ProcessEnv {
  return {
    [`RCLONE_CONFIG_${S3_REMOTE.toUpperCase()}_TYPE`]: "s3",
    RCLONE_S3_PROVIDER: "AWS",
    RCLONE_S3_ENV_AUTH: "true",
    RCLONE_S3_REGION: process.env.AWS_REGION ?? standbyRegion,
    RCLONE_S3_NO_CHECK_BUCKET: "true",
    RCLONE_S3_UPLOAD_CUTOFF: "5Gi",
    RCLONE_S3_COPY_CUTOFF: "5Gi",
    RCLONE_S3_ENCODING: "None",
    // A checksum with every upload: a bucket whose objects are locked by default refuses what brings none, and rclone knows no
    // MD5 beforehand of objects that Cloud Storage composed. ETags stay MD5.
    RCLONE_S3_USE_DATA_INTEGRITY_PROTECTIONS: process.env.RCLONE_S3_USE_DATA_INTEGRITY_PROTECTIONS ?? "true",
    // Else each object in a listing would be asked for its time.
    RCLONE_USE_SERVER_MODTIME: "true",
    ...(process.env.RCLONE_S3_PROVIDER && { RCLONE_S3_PROVIDER: process.env.RCLONE_S3_PROVIDER }),
  };
}

/** A place as rclone names it. */
export function remote({ bucket, prefix }: Place): string {
  const [name, of] = isS3(bucket) ? [S3_REMOTE, bucket.slice(S3_SCHEME.length)] : [REMOTE, bucket];
  return `${name}:${of}${prefix === "" ? "" : `/${prefix}`}`;
}

const S3_SCHEME = s3Url("");

/** Is a bucket S3's? */
export function isS3(bucket: string): boolean {
  return bucket.startsWith(S3_SCHEME);
}

/** A bucket as a person writes it. */
export function bucketUrl(bucket: string): string {
  return isS3(bucket) ? bucket : `gs://${bucket}`;
}

/** Starts rclone. `ended` fails with a {@link StorageError} unless it ends well; its standard output is to be read. */
function start(args: readonly string[]) {
  const child = spawn("rclone", [...args, "--log-level", "NOTICE", "--stats", "0"], { env: environment() });
  running.add(child);
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-4000);
  });
  // A child that ends early closes its input; its exit code tells more than EPIPE.
  child.stdin.on("error", () => undefined);
  const ended = new Promise<void>((resolve, reject) => {
    child.on("error", (error) =>
      reject(new StorageError(`rclone cannot be started: ${error.message}; it has to be on PATH`, false)),
    );
    child.on("close", (code) => {
      running.delete(child);
      if (code === 0) return resolve();
      const denied =
        /Error 40[13]|\bStatusCode: 40[13]\b|\b(AccessDenied|forbidden|unauthorized)\b|does not have storage\./i.test(
          errors,
        );
      reject(new StorageError(`rclone ${args[0]} ended with code ${code ?? -1}: ${errors.trim()}`, denied));
    });
  });
  // Whoever awaits it is told; until then it must not end this process.
  ended.catch(() => undefined);
  return { child, ended };
}

/** Runs rclone with this input. @throws StorageError when it fails */
export async function run(
  args: readonly string[],
  io: { input?: string; onLine?: (line: string) => void } = {},
): Promise<void> {
  const { child, ended } = start(args);
  child.stdin.end(io.input ?? "");
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => io.onLine?.(line));
  const read = new Promise<void>((resolve) => lines.on("close", resolve));
  await ended;
  await read;
}

/** Lines of a text stream, no faster than they are taken. */
export async function* linesOf(stream: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
  if (rest !== "") yield rest;
}

/**
 * What rclone prints, line by line and no faster than it is taken: whatever it lists, some pages of it are in memory.
 * @throws StorageError after the last line when rclone failed: until the end is reached, the lines may not be all
 */
export async function* output(args: readonly string[]): AsyncGenerator<string> {
  const { child, ended } = start(args);
  child.stdin.end();
  try {
    yield* linesOf(child.stdout.setEncoding("utf8"));
    await ended;
  } finally {
    child.kill("SIGKILL");
  }
}

/**
 * Every object below a place by its name relative to that place; an absent prefix is empty.
 * @throws StorageError when the listing fails, also when the bucket is absent
 */
export async function list(place: Place): Promise<Map<string, StoredFile>> {
  const files = new Map<string, StoredFile>();
  const args = ["lsjson", remote(place), "-R", "--files-only", "--hash", "--hash-type", "md5"];
  await run([...args, "--fast-list", "--no-mimetype", "--no-modtime"], {
    onLine: (line) => {
      if (!line.startsWith("{")) {
        return;
      }
      const entry = JSON.parse(line.replace(/,$/, "")) as { Path: string; Size: number; Hashes?: { md5?: string } };
      files.set(entry.Path, { name: entry.Path, size: entry.Size, md5: entry.Hashes?.md5 ?? "" });
    },
  });
  return files;
}

/** {@link list} with names relative to the bucket, as manifests and markers use them. Without prefix: the whole bucket. */
export async function listUnder(bucket: string, prefix = ""): Promise<Map<string, StoredFile>> {
  const clean = prefix.replace(/\/$/, "");
  const files = await list({ bucket, prefix: clean });
  if (clean === "") {
    return files;
  }
  return new Map(
    [...files.values()].map((file) => [`${clean}/${file.name}`, { ...file, name: `${clean}/${file.name}` }]),
  );
}

/**
 * Names of the objects below a prefix, for an identity that may list and nothing else. A prefix in the remote's path makes
 * rclone ask for an object of that name first, which is refused and looks like an intruder in the audit logs.
 */
export function namesBelow(bucket: string, prefix: string): Promise<string[]> {
  return namesMatching(bucket, `${prefix.replace(/\/$/, "")}/**`);
}

/** {@link namesBelow} by rclone's pattern, from the bucket's root; folders that it does not match are not listed. */
export async function namesMatching(bucket: string, pattern: string): Promise<string[]> {
  const names: string[] = [];
  const filter = ["--include", `/${pattern}`];
  await run(["lsf", remote({ bucket, prefix: "" }), "-R", "--files-only", ...filter], {
    onLine: (line) => names.push(line),
  });
  return names;
}

/**
 * Copies the named objects (relative to both places). An object that is already at the target is left as it is:
 * whether it is the same one is for the comparison afterwards to say.
 */
export async function copy(from: Place, to: Place, names: readonly string[], transfers: number): Promise<void> {
  if (names.length === 0) {
    return;
  }
  const parallel = ["--transfers", String(transfers), "--checkers", String(transfers)];
  await run(
    ["copy", remote(from), remote(to), "--files-from-raw", "-", "--no-traverse", "--ignore-existing", ...parallel],
    { input: `${names.join("\n")}\n` },
  );
}

/** Contents of small objects by name. @throws StorageError when one is absent. */
export async function readObjects(bucket: string, names: readonly string[]): Promise<Map<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), "dr-jobs-"));
  try {
    const contents = new Map<string, string>();
    if (names.length > 0) {
      await run(["copy", remote({ bucket, prefix: "" }), folder, "--files-from-raw", "-", "--no-traverse"], {
        input: `${names.join("\n")}\n`,
      });
    }
    for (const name of names) {
      try {
        contents.set(name, await readFile(join(folder, name), "utf8"));
      } catch {
        throw new StorageError(`object ${bucketUrl(bucket)}/${name} is absent; it was expected there`, false);
      }
    }
    return contents;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Content of one small object. @throws StorageError when it is absent. */
export async function readObject(bucket: string, name: string): Promise<string> {
  return (await readObjects(bucket, [name])).get(name)!;
}

/**
 * Creates an object and reads back that it is there whole.
 * @throws StorageError when the storage refuses; an identity without the right to delete cannot replace an object.
 */
export async function writeObject(bucket: string, name: string, content: string): Promise<void> {
  await run(["rcat", remote({ bucket, prefix: name }), "--checksum"], { input: content });
}

/**
 * {@link writeObject} of an object that nobody may have written before, in S3 too, where a write else replaces what is there.
 * @throws StorageError when it is there
 */
export async function createObject(bucket: string, name: string, content: string): Promise<void> {
  const onlyNew = isS3(bucket) ? ["--header-upload", "If-None-Match: *"] : [];
  await run(["rcat", remote({ bucket, prefix: name }), "--checksum", ...onlyNew], { input: content });
}

/** Creates an object from a local file and compares it; like {@link writeObject}, however large it is. */
export async function uploadFile(bucket: string, name: string, file: string): Promise<void> {
  await run(["copyto", file, remote({ bucket, prefix: name }), "--checksum", "--no-update-modtime"]);
}

/** Copies an object into a local file. @throws StorageError when it is absent. */
export async function downloadFile(bucket: string, name: string, file: string): Promise<void> {
  await run(["copyto", remote({ bucket, prefix: name }), file]);
  // What is absent rclone takes for an empty folder.
  if (!existsSync(file)) {
    throw new StorageError(`object ${bucketUrl(bucket)}/${name} is absent; it was expected there`, false);
  }
}

/** Removes one object; one that is absent is removed already. */
export async function removeObject(bucket: string, name: string): Promise<void> {
  // A filter instead of a path: it does not fail on an absent object.
  const slash = name.lastIndexOf("/");
  const place = { bucket, prefix: name.slice(0, Math.max(0, slash)) };
  await run(["delete", remote(place), "--files-from-raw", "-"], { input: `${name.slice(slash + 1)}\n` });
}

/**
 * Copies the named objects (relative to the place) into a folder of this machine; each is compared with its md5 on the way.
 * What is there already and equal stays.
 */
export async function download(
  from: Place,
  folder: string,
  names: readonly string[],
  transfers: number,
): Promise<void> {
  if (names.length === 0) return;
  const parallel = ["--transfers", String(transfers), "--checkers", String(transfers)];
  await run(["copy", remote(from), folder, "--files-from-raw", "-", "--no-traverse", ...parallel], {
    input: `${names.join("\n")}\n`,
  });
}
