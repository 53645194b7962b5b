/** Waiting until an object is ready, or gone. */
import { sleep } from "../../lib/process";
import { ApiError, UnreachableError } from "./connection";
import { NoKindError } from "./discovery";
import { type Check, readinessCheck } from "./readiness";
import type { Rest } from "./rest";
import { annotated, annotation, describe, type KubeObject } from "./types";
import { WAIT_FOR, waitForCheck } from "./wait-for";
import { podReports } from "./why";

/** The object exists but is not ready; `live` is its last state. */
export class NotReadyError extends Error {
  constructor(
    readonly live: KubeObject,
    readonly reasons: string[],
  ) {
    super(reasons.join("; "));
    this.name = "NotReadyError";
  }
}

/** How long to wait. */
export interface Patience {
  /** Timeout of the program's `customTimeouts`; 0: none. */
  timeoutSeconds: number;
  /** Aborted when the engine asks operations to stop. */
  signal: AbortSignal;
}

const DEFAULT_SECONDS = 600;
const POLL_MS = 400;
/** A server that is away for longer than this is not coming back. */
const AWAY_MS = 60_000;

/** Seconds that creating, changing or deleting an object may take. */
export function patienceOf(object: KubeObject, { timeoutSeconds }: Pick<Patience, "timeoutSeconds">): number {
  const annotated = Number(annotation(object, "pulumi.com/timeoutSeconds"));
  return timeoutSeconds || annotated || DEFAULT_SECONDS;
}

/**
 * Returns the live object as soon as it is ready: by its `pulumi.com/waitFor`, else by what its kind means by ready.
 *
 * @throws NotReadyError when it fails, or is not ready in time
 */
export async function awaitReady(rest: Rest, written: KubeObject, patience: Patience): Promise<KubeObject> {
  const check = checkOf(written);
  if (!check) return written;
  const seconds = patienceOf(written, patience);
  const deadline = Date.now() + seconds * 1000;
  let live = written;
  let seen = Date.now();
  const giveUp = async (reason: string) =>
    new NotReadyError(live, [
      `the Kubernetes API server reported that ${describe(live)} failed to fully initialize or become live: ${reason}`,
      ...(await podReports(rest, live)),
    ]);
  for (;;) {
    const current = await look(rest, live);
    if (current === "gone") throw new NotReadyError(live, [`${describe(live)} was deleted while it was waited for`]);
    if (current !== "away") {
      live = current;
      seen = Date.now();
    } else if (Date.now() - seen > AWAY_MS) {
      throw await giveUp(`the API server has not answered for ${AWAY_MS / 1000} seconds`);
    }
    const readiness = check(live);
    if (current !== "away" && readiness.state === "ready") return live;
    if (readiness.state === "failed") throw await giveUp(readiness.reason);
    const reason = readiness.state === "waiting" ? readiness.reason : "the API server does not answer";
    if (patience.signal.aborted) throw await giveUp(`the wait was cancelled: ${reason}`);
    if (Date.now() > deadline) throw await giveUp(`timed out after ${seconds} seconds: ${reason}`);
    await sleep(POLL_MS);
  }
}

/**
 * Returns when an object is gone.
 *
 * @throws when it is still there after the time it may take; the message names the finalizers that hold it
 */
export async function awaitGone(rest: Rest, object: KubeObject, patience: Patience): Promise<void> {
  const seconds = patienceOf(object, patience);
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const live = await rest.get(object);
    // Another object of the same name is not the one that was to go.
    if (!live || (object.metadata.uid && live.metadata.uid !== object.metadata.uid)) return;
    if (patience.signal.aborted || Date.now() > deadline) {
      const finalizers = live.metadata.finalizers;
      const held = Array.isArray(finalizers) && finalizers.length > 0 ? `; held by finalizers ${finalizers}` : "";
      const why = patience.signal.aborted ? "the wait was cancelled" : `timed out after ${seconds} seconds`;
      throw new Error(`${describe(live)} is not deleted: ${why}${held}`);
    }
    await sleep(POLL_MS);
  }
}

function checkOf(object: KubeObject): Check | undefined {
  if (annotated(object, "pulumi.com/skipAwait")) return undefined;
  const waitFor = annotation(object, WAIT_FOR);
  return waitFor === undefined ? readinessCheck(object) : waitForCheck(waitFor);
}

async function look(rest: Rest, object: KubeObject): Promise<KubeObject | "gone" | "away"> {
  try {
    return (await rest.get(object)) ?? "gone";
  } catch (error) {
    const away = error instanceof UnreachableError || (error instanceof ApiError && error.status >= 500);
    if (away || error instanceof NoKindError) return "away";
    throw error;
  }
}
