/** What operators share: a reconcile loop over one kind, owner references and conditions. */
import { ApiException, type KubernetesObject } from "@kubernetes/client-node";
import { sleep } from "../lib/process";
import type { Kind, Objects } from "./objects";

/** What the API server said, or the error's own message. */
function reason(error: Error): string {
  if (!(error instanceof ApiException)) return error.message;
  try {
    return JSON.parse(String(error.body)).message;
  } catch {
    return String(error.body);
  }
}

/** Owner reference that makes the garbage collector remove what an object owns. */
export function ownedBy(owner: KubernetesObject) {
  return [
    {
      apiVersion: owner.apiVersion ?? "",
      kind: owner.kind ?? "",
      name: owner.metadata?.name ?? "",
      uid: owner.metadata?.uid ?? "",
      controller: true,
      blockOwnerDeletion: true,
    },
  ];
}

/** Parts that stop together. */
export function together(...parts: { stop(): Promise<void> }[]): { stop(): Promise<void> } {
  return {
    stop: async () => {
      await Promise.all(parts.map((part) => part.stop()));
    },
  };
}

/** A condition of a status. */
export interface Condition {
  type: string;
  status: "True" | "False";
  lastTransitionTime: string;
  reason?: string;
  message?: string;
}

/** The condition with a new moment only when its status changed. */
export function condition(before: Condition[] | undefined, type: string, holds: boolean, message = ""): Condition {
  const status = holds ? "True" : "False";
  const old = before?.find((each) => each.type === type);
  const lastTransitionTime = old?.status === status ? old.lastTransitionTime : new Date().toISOString();
  return { type, status, lastTransitionTime, ...(message ? { message } : {}) };
}

/** What takes time outside of the API (a server that does not answer yet) is looked at this often. */
const ROUND_MS = 1000;
/** How long a burst of changes is collected. */
const SETTLE_MS = 100;

/**
 * Calls `work` for every object of a kind after each change and once a second, one call at a time per object, until
 * stopped. Errors are logged once each; what failed is tried again in the next round.
 */
export function reconcile<T extends KubernetesObject>(options: {
  objects: Objects;
  kind: Kind;
  work: (object: T) => Promise<void>;
  log: (message: string) => void;
}): { stop(): Promise<void> } {
  let stopped = false;
  const busy = new Map<string, Promise<void>>();
  const ended = new Map<string, number>();
  const said = new Map<string, string>();
  const complain = (key: string, message: string) => {
    if (said.get(key) !== message && !stopped) options.log(`${options.kind.kind} ${key}: ${message}`);
    said.set(key, message);
  };
  const round = async () => {
    const listed = performance.now();
    for (const object of await options.objects.list<T>(options.kind)) {
      const key = `${object.metadata?.namespace}/${object.metadata?.name}`;
      // What was listed before its work ended may not show what the work did.
      if (busy.has(key) || stopped || (ended.get(key) ?? 0) >= listed) continue;
      busy.set(
        key,
        options
          .work(object)
          .then(() => void said.delete(key))
          .catch((error: Error) => complain(key, reason(error)))
          .finally(() => {
            ended.set(key, performance.now());
            busy.delete(key);
          }),
      );
    }
  };
  const loop = (async () => {
    while (!stopped) {
      const known = options.objects.changes;
      await round().catch((error: Error) => complain("list", reason(error)));
      await sleep(SETTLE_MS);
      await options.objects.changed(known, ROUND_MS);
    }
  })();
  return {
    stop: async () => {
      stopped = true;
      await loop;
    },
  };
}
