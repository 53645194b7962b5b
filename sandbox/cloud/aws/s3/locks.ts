/**
 * Object Lock by the sandbox's clock. The server behind keeps every lock as one that its administrator may lift, so that time
 * can pass faster here than there; whether a lock holds is decided here. Source: "Locking objects with Object Lock".
 */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { CloudError } from "../../../lib/types";
import type { S3Store } from "./store";

export type Mode = "GOVERNANCE" | "COMPLIANCE";

/** Locks of a bucket. */
export interface BucketLocks {
  enabled: boolean;
  /** What a new version gets that brings none of its own. */
  retention?: { mode: Mode; days: number };
}

/** A lock as a request or a version has it. */
export interface Lock {
  mode: Mode;
  until: Date;
}

const DAY_MS = 86_400_000;
const MODE = "x-amz-object-lock-mode";
const UNTIL = "x-amz-object-lock-retain-until-date";
const HOLD = "x-amz-object-lock-legal-hold";

const denied = () => new CloudError(403, "AccessDenied", "Access Denied because object protected by object lock.");

export class Locks {
  /** Modes of the versions whose mode is not their bucket's default. */
  private readonly modes = new Map<string, Mode>();

  constructor(
    private readonly store: S3Store,
    private readonly now: () => Date,
  ) {}

  /**
   * The lock that a new version gets, from its request or the bucket.
   * @throws CloudError 400 when the request asks for one that there cannot be
   */
  ofNew(headers: IncomingHttpHeaders, locks: BucketLocks): Lock | undefined {
    const [mode, until] = [headers[MODE], headers[UNTIL]].map((each) => (each === undefined ? "" : String(each)));
    if ((mode || until || headers[HOLD]) && !locks.enabled)
      throw new CloudError(400, "InvalidRequest", "Bucket is missing Object Lock Configuration");
    if (Boolean(mode) !== Boolean(until))
      throw new CloudError(400, "InvalidArgument", `${MODE} and ${UNTIL} must both be supplied`);
    if (mode && until) return this.checked(mode, until);
    const { retention } = locks;
    return retention && { mode: retention.mode, until: new Date(this.now().getTime() + retention.days * DAY_MS) };
  }

  /**
   * S3 takes an object that gets a lock, and each part of one, only with a checksum of its content.
   * @throws CloudError 400
   */
  static checkIntegrity({ method, headers }: Pick<IncomingMessage, "method" | "headers">): void {
    if (method !== "PUT" || headers["content-md5"] !== undefined) return;
    const [brought, trailing] = [Object.keys(headers), String(headers["x-amz-trailer"] ?? "").split(",")];
    if ([...brought, ...trailing].some((name) => /^x-amz-checksum-(crc|sha|xxh|md5)/.test(name.trim()))) return;
    throw new CloudError(
      400,
      "InvalidRequest",
      "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters",
    );
  }

  /** Headers by which the server keeps a lock. */
  static headers({ until }: Lock): Record<string, string> {
    return { [MODE]: "GOVERNANCE", [UNTIL]: until.toISOString() };
  }

  /** Notes the mode of a version that was made. */
  note(bucket: string, key: string, versionId: string, mode: Mode): void {
    this.modes.set(`${bucket}/${key}?${versionId}`, mode);
  }

  /** The mode of a version that has a lock. */
  modeOf(bucket: string, key: string, versionId: string, { retention }: BucketLocks): Mode {
    return this.modes.get(`${bucket}/${key}?${versionId}`) ?? retention?.mode ?? "GOVERNANCE";
  }

  /**
   * Refuses to delete a version that is locked.
   * @param mayBypass whether the caller asks to lift a lock of mode GOVERNANCE and may
   * @throws CloudError 403
   */
  async checkDelete(
    bucket: string,
    key: string,
    versionId: string,
    locks: BucketLocks,
    mayBypass: () => boolean,
  ): Promise<void> {
    if (!locks.enabled) return;
    const found = await this.store.head(bucket, key, versionId);
    if (!found) return;
    if (found.get(HOLD) === "ON") throw denied();
    const lock = this.read(found, bucket, key, versionId, locks);
    if (lock && lock.until > this.now() && (lock.mode === "COMPLIANCE" || !mayBypass())) throw denied();
  }

  /**
   * The retention that a version is to get; undefined: none.
   * @throws CloudError 400 and 403 when it is none, or less than the version has
   */
  async checkChange(
    wanted: { mode?: string; until?: string },
    version: { bucket: string; key: string; versionId: string | undefined },
    locks: BucketLocks,
    mayBypass: () => boolean,
  ): Promise<{ lock: Lock | undefined; versionId: string }> {
    if (!locks.enabled) throw new CloudError(400, "InvalidRequest", "Bucket is missing Object Lock Configuration");
    const { bucket, key } = version;
    const found = await this.store.head(bucket, key, version.versionId);
    if (!found) throw new CloudError(404, "NoSuchKey", "The specified key does not exist.");
    const versionId = version.versionId ?? found.get("x-amz-version-id") ?? "null";
    const lock = wanted.mode || wanted.until ? this.checked(wanted.mode ?? "", wanted.until ?? "") : undefined;
    const old = this.read(found, bucket, key, versionId, locks);
    if (old && old.until > this.now()) {
      const longer = lock !== undefined && lock.until >= old.until;
      const same = longer && (lock.mode === old.mode || lock.mode === "COMPLIANCE");
      if (!same && (old.mode === "COMPLIANCE" || !mayBypass())) throw denied();
    }
    return { lock, versionId };
  }

  private read(found: Headers, bucket: string, key: string, versionId: string, locks: BucketLocks): Lock | undefined {
    const until = found.get(UNTIL);
    if (!until) return undefined;
    const id = found.get("x-amz-version-id") ?? versionId;
    return { mode: this.modeOf(bucket, key, id, locks), until: new Date(until) };
  }

  private checked(mode: string, until: string): Lock {
    const date = new Date(until);
    if (mode !== "GOVERNANCE" && mode !== "COMPLIANCE")
      throw new CloudError(400, "InvalidArgument", `Unknown wormMode directive "${mode}"`);
    if (Number.isNaN(date.getTime()) || date <= this.now())
      throw new CloudError(400, "InvalidArgument", "The retain until date must be in the future!");
    return { mode, until: date };
  }
}
