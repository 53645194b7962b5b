/** What operators see and change of a cluster: reads come from a cache that watches keep current, as in a real operator. */
import {
  ApiException,
  CustomObjectsApi,
  type KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  PatchStrategy,
  setHeaderOptions,
} from "@kubernetes/client-node";
import { type Watched, watchAll } from "../nodes/watch";

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

/** How long an own write counts although the watch has not brought it. */
const OWN_WRITE_MS = 5000;

const keyOf = ({ metadata }: KubernetesObject): string => `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`;
const versionOf = ({ metadata }: KubernetesObject): bigint => BigInt(metadata?.resourceVersion ?? 0);

/** The paths of kinds, which the library finds out for its own requests. */
class Api extends KubernetesObjectApi {
  pathOf({ apiVersion, kind }: Kind, namespace?: string): Promise<string> {
    return this.specUriPath({ apiVersion, kind, metadata: { namespace } }, "list");
  }
}

/** The objects of one kind. An own write is seen at once: a reconciler that reads what was before it would repeat it. */
class Cache {
  private readonly written = new Map<string, { object: KubernetesObject; at: number }>();

  constructor(private readonly watched: Watched<KubernetesObject>) {}

  all(): Map<string, KubernetesObject> {
    const objects = new Map(this.watched.list().map((object) => [keyOf(object), object]));
    for (const [key, { object, at }] of this.written) {
      const seen = objects.get(key);
      if ((seen && versionOf(seen) >= versionOf(object)) || performance.now() - at > OWN_WRITE_MS)
        this.written.delete(key);
      else objects.set(key, object);
    }
    return objects;
  }

  wrote(object: KubernetesObject): void {
    this.written.set(keyOf(object), { object, at: performance.now() });
  }

  removed(object: KubernetesObject): void {
    this.written.delete(keyOf(object));
  }

  stop(): Promise<void> {
    return this.watched.stop();
  }
}

/** API access of an operator. */
export class Objects {
  private readonly api: Api;
  private readonly custom: CustomObjectsApi;
  private readonly caches = new Map<string, Promise<Cache>>();
  /** What was applied last, as JSON by object. */
  private readonly applied = new Map<string, string>();
  private waiting: (() => void)[] = [];
  /** Counts the changes seen. */
  changes = 0;

  constructor(
    private readonly config: KubeConfig,
    /** The only namespace that may be read; without one all are. */
    private readonly namespace?: string,
  ) {
    this.api = config.makeApiClient(Api);
    this.custom = config.makeApiClient(CustomObjectsApi);
  }

  /** Every object of a kind, in one namespace or all. */
  async list<T extends KubernetesObject>(kind: Kind, namespace?: string): Promise<T[]> {
    const objects = [...(await this.cache(kind)).all().values()] as T[];
    return objects
      .filter((object) => namespace === undefined || object.metadata?.namespace === namespace)
      .map((object) => ({ ...object, apiVersion: kind.apiVersion, kind: kind.kind }));
  }

  /** Undefined: there is none. */
  async get<T extends KubernetesObject>(kind: Kind, namespace: string, name: string): Promise<T | undefined> {
    const found = (await this.cache(kind)).all().get(`${namespace}/${name}`);
    return found && { ...(found as T), apiVersion: kind.apiVersion, kind: kind.kind };
  }

  /** Creates the object or makes it what is given, by server-side apply. What was applied before is only read again. */
  async apply<T extends KubernetesObject>(object: T): Promise<T> {
    const { apiVersion = "", kind = "", metadata } = object;
    const key = `${apiVersion} ${kind} ${keyOf(object)}`;
    const wanted = JSON.stringify(object);
    if (this.applied.get(key) === wanted) {
      const live = await this.get<T>({ apiVersion, kind }, metadata?.namespace ?? "", metadata?.name ?? "");
      if (live && !live.metadata?.deletionTimestamp) return live;
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
    return this.wrote({ ...live, apiVersion, kind });
  }

  /** Creates the object; one that is there already stays as it is. */
  async create<T extends KubernetesObject>(object: T): Promise<void> {
    try {
      const { apiVersion, kind } = object;
      const live = (await this.api.create(object as never)) as KubernetesObject;
      await this.wrote({ ...live, apiVersion, kind });
    } catch (error) {
      if (!isStatus(error, 409)) throw error;
    }
  }

  /** Merges into metadata or spec. */
  async merge(object: KubernetesObject & Record<string, unknown>): Promise<void> {
    const { apiVersion, kind } = object;
    const live = (await this.api.patch(
      object as never,
      undefined,
      undefined,
      undefined,
      undefined,
      PatchStrategy.MergePatch,
    )) as KubernetesObject;
    await this.wrote({ ...live, apiVersion, kind });
  }

  /** Merges into the status subresource. `plural` is the resource's name in URLs. */
  async status(object: KubernetesObject, plural: string, status: object): Promise<void> {
    const { apiVersion = "", kind, metadata } = object;
    const [group = "", version = ""] = apiVersion.split("/");
    const live = (await this.custom.patchNamespacedCustomObjectStatus(
      {
        group,
        version,
        plural,
        namespace: metadata?.namespace ?? "",
        name: metadata?.name ?? "",
        body: { status },
      },
      setHeaderOptions("Content-Type", "application/merge-patch+json"),
    )) as KubernetesObject;
    await this.wrote({ ...live, apiVersion, kind });
  }

  /** Deleting what is gone succeeds. */
  async delete(object: KubernetesObject): Promise<void> {
    try {
      await this.api.delete(object as never);
    } catch (error) {
      if (!isStatus(error, 404)) throw error;
    }
  }

  /** Resolves when more than `known` changes of kinds that were read have been seen, at the latest after `ms`. */
  changed(known: number, ms: number): Promise<void> {
    if (this.changes !== known) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Ends all watches. */
  async stop(): Promise<void> {
    const caches = await Promise.allSettled(this.caches.values());
    await Promise.all(caches.map((cache) => (cache.status === "fulfilled" ? cache.value.stop() : undefined)));
  }

  private async wrote<T extends KubernetesObject>(object: T): Promise<T> {
    (await this.cache(object as Kind)).wrote(object);
    return object;
  }

  private cache(kind: Kind): Promise<Cache> {
    const key = `${kind.apiVersion} ${kind.kind}`;
    const found = this.caches.get(key) ?? this.watch(kind);
    this.caches.set(key, found);
    found.catch(() => this.caches.delete(key));
    return found;
  }

  private async watch(kind: Kind): Promise<Cache> {
    const cache: { now?: Cache } = {};
    const watched = await watchAll<KubernetesObject>(
      this.config,
      await this.api.pathOf(kind, this.namespace),
      () => this.api.list(kind.apiVersion, kind.kind, this.namespace),
      (object, gone) => {
        if (gone) cache.now?.removed(object);
        this.changes++;
        for (const wake of this.waiting.splice(0)) wake();
      },
    );
    cache.now = new Cache(watched);
    return cache.now;
  }
}

export const isStatus = (error: unknown, code: number): boolean => error instanceof ApiException && error.code === code;
