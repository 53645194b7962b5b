/** What operators share: a reconcile loop over one kind, server-side apply of what they own, status updates. */
import {
  ApiException,
  CustomObjectsApi,
  type KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  PatchStrategy,
  setHeaderOptions,
} from "@kubernetes/client-node";
import { sleep } from "../lib/process";

/** A custom object: whatever its operator knows of it. */
export interface CustomObject<Spec = Record<string, unknown>, Status = Record<string, unknown>>
  extends KubernetesObject {
  spec?: Spec;
  status?: Status;
}

/** Kind of object to reconcile. */
export interface Kind {
  apiVersion: string;
  kind: string;
}

const FIELD_MANAGER = "operator";

/** API access of an operator. */
export class Objects {
  private readonly api: KubernetesObjectApi;
  private readonly custom: CustomObjectsApi;
  /** What was applied last, as JSON by object. */
  private readonly applied = new Map<string, string>();

  constructor(config: KubeConfig) {
    this.api = KubernetesObjectApi.makeApiClient(config);
    this.custom = config.makeApiClient(CustomObjectsApi);
  }

  /** Every object of a kind, in one namespace or all. */
  async list<T extends KubernetesObject>({ apiVersion, kind }: Kind, namespace?: string): Promise<T[]> {
    const found = await this.api.list<T>(apiVersion, kind, namespace);
    return found.items.map((item) => ({ ...item, apiVersion, kind }));
  }

  /** Undefined: there is none. */
  async get<T extends KubernetesObject>(kind: Kind, namespace: string, name: string): Promise<T | undefined> {
    try {
      return (await this.api.read<T>({ ...kind, metadata: { namespace, name } } as never)) as T;
    } catch (error) {
      if (isStatus(error, 404)) return undefined;
      throw error;
    }
  }

  /** Creates the object or makes it what is given, by server-side apply. What was applied before is only read again. */
  async apply<T extends KubernetesObject>(object: T): Promise<T> {
    const { apiVersion = "", kind = "", metadata } = object;
    const key = [apiVersion, kind, metadata?.namespace, metadata?.name].join(" ");
    const wanted = JSON.stringify(object);
    if (this.applied.get(key) === wanted) {
      const live = await this.get<T>({ apiVersion, kind }, metadata?.namespace ?? "", metadata?.name ?? "");
      if (live && !live.metadata?.deletionTimestamp) return { ...live, apiVersion, kind };
    }
    const live = (await this.api.patch(
      object as never,
      undefined,
      undefined,
      FIELD_MANAGER,
      true,
      PatchStrategy.ServerSideApply,
    )) as T;
    this.applied.set(key, wanted);
    return live;
  }

  /** Creates the object; one that is there already stays as it is. */
  async create<T extends KubernetesObject>(object: T): Promise<void> {
    try {
      await this.api.create(object as never);
    } catch (error) {
      if (!isStatus(error, 409)) throw error;
    }
  }

  /** Merges into metadata or spec. */
  async merge(object: KubernetesObject & Record<string, unknown>): Promise<void> {
    await this.api.patch(object as never, undefined, undefined, undefined, undefined, PatchStrategy.MergePatch);
  }

  /** Merges into the status subresource. `plural` is the resource's name in URLs. */
  async status({ apiVersion = "", metadata }: KubernetesObject, plural: string, status: object): Promise<void> {
    const [group = "", version = ""] = apiVersion.split("/");
    await this.custom.patchNamespacedCustomObjectStatus(
      {
        group,
        version,
        plural,
        namespace: metadata?.namespace ?? "",
        name: metadata?.name ?? "",
        body: { status },
      },
      setHeaderOptions("Content-Type", "application/merge-patch+json"),
    );
  }

  /** Deleting what is gone succeeds. */
  async delete(object: KubernetesObject): Promise<void> {
    try {
      await this.api.delete(object as never);
    } catch (error) {
      if (!isStatus(error, 404)) throw error;
    }
  }
}

export const isStatus = (error: unknown, code: number): boolean => error instanceof ApiException && error.code === code;

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

/**
 * Calls `work` for every object of a kind again and again, one call at a time per object, until stopped. Errors are logged
 * once each; what failed is tried again in the next round.
 */
export function reconcile<T extends KubernetesObject>(options: {
  objects: Objects;
  kind: Kind;
  work: (object: T) => Promise<void>;
  log: (message: string) => void;
  everyMs?: number;
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
      await round().catch((error: Error) => complain("list", reason(error)));
      await sleep(options.everyMs ?? 1000);
    }
  })();
  return {
    stop: async () => {
      stopped = true;
      await loop;
    },
  };
}
