/**
 * What every recovery in place shares: which backup it uses, kept in `recoveries/<id>.json` of the site's own bucket, so that
 * one that was killed goes on with the same backup, and one that is done is never done again.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { backupOfManifest, manifestsPrefix, momentOf, recoveryPath } from "../../plan/layout";
import { type RecoveryKind, recoveryKinds } from "../../plan/recovery";
import { canonical } from "./canonical";
import { readManifest } from "./lists";
import { JobError, log, some } from "./log";
import { type Manifest, parseDocument } from "./manifest";
import { bucketUrl, listUnder, readObject, writeObject } from "./rclone";

/** `recoveries/<id>.json`. */
export const recoverySchema = z.object({
  version: z.literal(1),
  id: z.string().min(1),
  kind: z.enum(recoveryKinds),
  /** SHA-256 of what was asked for: an id is used once. */
  request: z.string(),
  repository: z.string().min(1),
  backup: z.string().min(1),
  /** `changing`: living data may have been touched. */
  state: z.enum(["started", "changing", "done"]),
  startedAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  /** Steps that must not be done twice, with their moment. */
  steps: z.record(z.string(), z.iso.datetime()),
  /** What the recovery found and did. */
  result: z.record(z.string(), z.unknown()),
});
export type RecoveryRecord = z.infer<typeof recoverySchema>;

/** What is asked for: everything that makes it another recovery. */
export interface RecoveryRequest {
  id: string;
  kind: RecoveryKind;
  bucket: string;
  repository: string;
  /** A backup's name, or the moment at or before which the newest complete one was started. */
  backup?: string | undefined;
  before?: string | undefined;
  /** The rest of the request. */
  what: Record<string, unknown>;
}

/** A recovery that is under way, or was done. */
export class Recovery {
  private constructor(
    private readonly bucket: string,
    private record: RecoveryRecord,
    /** The backup's manifest. */
    readonly manifest: Manifest,
  ) {}

  /**
   * Begins a recovery, or goes on with the one of this id. Nothing is written yet: see {@link step}.
   * @throws JobError when the id was used for something else, or there is no such backup
   */
  static async open(request: RecoveryRequest): Promise<Recovery> {
    const { id, kind, bucket, repository } = request;
    const digest = digestOf(request);
    const known = await read(bucket, id);
    if (known !== undefined && known.request !== digest) {
      throw new JobError(`recovery "${id}" was something else`, {
        value: `${known.kind} of ${known.repository} from ${known.backup}, ${known.state} at ${known.updatedAt}`,
        allowed: "an id that was not used before",
        fix: "give the new recovery an id of its own; a done one may be removed from the configuration",
        final: true,
      });
    }
    const backup = known?.backup ?? (await chosen(request));
    const now = new Date().toISOString();
    const record: RecoveryRecord = known ?? {
      version: 1,
      id,
      kind,
      request: digest,
      repository,
      backup,
      state: "started",
      startedAt: now,
      updatedAt: now,
      steps: {},
      result: {},
    };
    const recovery = new Recovery(bucket, record, await readManifest(bucket, repository, backup));
    log(known ? "goes on with a recovery" : "begins a recovery", { recovery: id, backup, state: record.state });
    if (known === undefined) await recovery.write({});
    return recovery;
  }

  get backup(): string {
    return this.record.backup;
  }

  get done(): boolean {
    return this.record.state === "done";
  }

  get result(): Record<string, unknown> {
    return this.record.result;
  }

  /** Was this step recorded, by this run or one before it? */
  did(step: string): boolean {
    return step in this.record.steps;
  }

  /** Records that living data is touched from now on. */
  async changing(): Promise<void> {
    if (this.record.state === "started") await this.write({ state: "changing" });
  }

  /** Does something that must not be done twice, and records it. Killed in between, it is done again. */
  async once(step: string, work: () => Promise<void>): Promise<void> {
    if (this.did(step)) return;
    await work();
    await this.write({ steps: { ...this.record.steps, [step]: new Date().toISOString() } });
  }

  /** Records the end. */
  async finish(result: Record<string, unknown>): Promise<void> {
    await this.write({ state: "done", result });
  }

  private async write(change: Partial<RecoveryRecord>): Promise<void> {
    this.record = { ...this.record, ...change, updatedAt: new Date().toISOString() };
    await writeObject(this.bucket, recoveryPath(this.record.id), JSON.stringify(this.record));
  }
}

function digestOf({ id: _, bucket: __, ...request }: RecoveryRequest): string {
  return createHash("sha256").update(canonical(request)).digest("hex");
}

async function read(bucket: string, id: string): Promise<RecoveryRecord | undefined> {
  const path = recoveryPath(id);
  if (!(await listUnder(bucket, "recoveries")).has(path)) return undefined;
  return parseDocument(recoverySchema, await readObject(bucket, path), path);
}

/** The backup that the request means. @throws JobError naming those that there are */
async function chosen({ bucket, repository, backup, before }: RecoveryRequest): Promise<string> {
  const paths = [...(await listUnder(bucket, manifestsPrefix(repository))).keys()];
  const found = backupFor(repository, paths, { backup, before });
  if (found !== undefined) return found;
  const present = backupsOf(repository, paths);
  throw new JobError(
    backup === undefined
      ? `there is no complete backup of ${repository} at or before ${before}`
      : `there is no complete backup "${backup}" of ${repository}`,
    {
      value: `${bucketUrl(bucket)}/${manifestsPrefix(repository)}`,
      allowed: present.length === 0 ? "none: the bucket has no manifest of it" : some(present.reverse()),
      fix: "name one of these, or a later moment; a backup without its manifest was not complete",
      final: true,
    },
  );
}

/** Complete backups of a repository by name, the oldest first. Names that carry no moment are none of ours. */
export function backupsOf(repository: string, paths: readonly string[]): string[] {
  return paths
    .flatMap((path) => backupOfManifest(repository, path) ?? [])
    .filter((name) => !Number.isNaN(started(name)))
    .sort((a, b) => started(a) - started(b));
}

/** The named backup, or the newest one at or before a moment; undefined when there is none. */
export function backupFor(
  repository: string,
  paths: readonly string[],
  { backup, before }: { backup?: string | undefined; before?: string | undefined },
): string | undefined {
  const present = backupsOf(repository, paths);
  if (backup !== undefined) return present.find((name) => name === backup);
  const until = Date.parse(before ?? "");
  return present.filter((name) => started(name) <= until).at(-1);
}

function started(backup: string): number {
  try {
    return momentOf(backup).getTime();
  } catch {
    return Number.NaN;
  }
}

/** First number of a version. */
export const major = (version: string): number => Number.parseInt(version, 10);

/** A backup of a newer major version cannot be read. @throws JobError */
export function notNewer(store: string, written: string, here: string): void {
  if (major(written) <= major(here)) return;
  throw new JobError(`the backup was written by ${store} ${written}`, {
    value: written,
    allowed: `${store} ${major(here)} or older: this site runs ${here}`,
    fix: "upgrade the site first, or name an older backup",
    final: true,
  });
}
