/** Operations on objects of one cluster. */
import { createHash } from "node:crypto";
import type { KubeConfig } from "@kubernetes/client-node";
import type { Props } from "../../lib/types";
import { ApiError, Connection, UnreachableError } from "./connection";
import { Discovery, isClusterScoped, NoKindError } from "./discovery";
import { annotated, apiVersionOf, type Gvk, gvkOf, type KubeObject } from "./types";

/** How an object is written. */
export interface WriteOptions {
  /** Name under which the API server remembers whose fields these are. */
  fieldManager: string;
  /** The server checks everything and stores nothing. */
  dryRun: boolean;
  /** Without server-side apply, create is a POST that refuses objects that exist. */
  serverSideApply: boolean;
  /** How long the kind may take to appear. */
  waitMs?: number;
}

/** Field manager of a resource: the same on every update, a different one for every resource. */
export function fieldManagerOf(urn: string): string {
  return `pulumi-kubernetes-${createHash("sha256").update(urn).digest("hex").slice(0, 8)}`;
}

const UNREACHABLE_FOR_MS = 10_000;

/** The objects of one cluster. */
export class Rest {
  readonly connection: Connection;
  readonly discovery: Discovery;
  private reached?: Promise<unknown>;

  constructor(kubeconfig: KubeConfig) {
    this.connection = new Connection(kubeconfig);
    this.discovery = new Discovery(this.connection);
  }

  /** Why the API server cannot be used, or undefined when it can. An answer is remembered, a failure for a while. */
  async unreachable(): Promise<string | undefined> {
    this.reached ??= this.connection.send({ method: "GET", path: "/version" }).catch((error: unknown) => {
      setTimeout(() => {
        this.reached = undefined;
      }, UNREACHABLE_FOR_MS).unref();
      throw error;
    });
    try {
      await this.reached;
      return undefined;
    } catch (error) {
      if (error instanceof UnreachableError || error instanceof ApiError) return error.message;
      throw error;
    }
  }

  /** True when objects of the kind live in namespaces; kinds that are not installed (yet) count as such. */
  async isNamespaced(gvk: Gvk): Promise<boolean> {
    if (isClusterScoped(gvk)) return false;
    try {
      return (await this.discovery.mapping(gvk)).namespaced;
    } catch {
      return true;
    }
  }

  /** The live object; undefined when it, its namespace or its kind does not exist. */
  async get(object: KubeObject): Promise<KubeObject | undefined> {
    return absentWhen404(async () =>
      this.connection.send<KubeObject>({ method: "GET", path: await this.path(object) }),
    );
  }

  /** Objects of a kind in a namespace that match a label selector. */
  async list(gvk: Gvk, namespace: string, labelSelector: string): Promise<KubeObject[]> {
    const { plural } = await this.discovery.mapping(gvk);
    const path = collection(gvk, plural, namespace);
    const { items } = await this.connection.send<{ items: KubeObject[] }>({
      method: "GET",
      path,
      query: { labelSelector },
    });
    return items;
  }

  /** Creates an object. With server-side apply it may exist already, unless somebody else owns a field that differs. */
  async create(object: KubeObject, options: WriteOptions): Promise<KubeObject> {
    if (options.serverSideApply && object.metadata.name) return this.apply(object, options);
    return this.connection.send<KubeObject>({
      method: "POST",
      path: await this.path({ ...object, metadata: { ...object.metadata, name: undefined } }, options.waitMs),
      query: writeQuery(options),
      body: object,
    });
  }

  /** Makes the live object's declared fields equal to these; fields that were declared before and are not now are removed. */
  async apply(object: KubeObject, options: WriteOptions): Promise<KubeObject> {
    return this.connection.send<KubeObject>({
      method: "PATCH",
      path: await this.path(object, options.waitMs),
      query: { ...writeQuery(options), force: String(annotated(object, "pulumi.com/patchForce")) },
      contentType: "application/apply-patch+yaml",
      body: object,
    });
  }

  /** Changes the live object by a JSON merge patch (no server-side apply). */
  async mergePatch(object: KubeObject, patch: Props, options: WriteOptions): Promise<KubeObject> {
    return this.connection.send<KubeObject>({
      method: "PATCH",
      path: await this.path(object, options.waitMs),
      query: writeQuery(options),
      contentType: "application/merge-patch+json",
      body: patch,
    });
  }

  /** Asks for the deletion of an object and, first, of what it owns. True when there was something to delete. */
  async remove(object: KubeObject, propagationPolicy = "Foreground"): Promise<boolean> {
    const answer = await absentWhen404(async () =>
      this.connection.send({
        method: "DELETE",
        path: await this.path(object),
        body: { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy },
      }),
    );
    return answer !== undefined;
  }

  private async path(object: KubeObject, waitMs = 0): Promise<string> {
    const gvk = gvkOf(object);
    const { plural, namespaced } = await this.discovery.mapping(gvk, waitMs);
    const base = collection(gvk, plural, namespaced ? object.metadata.namespace : undefined);
    return object.metadata.name ? `${base}/${encodeURIComponent(object.metadata.name)}` : base;
  }
}

function collection(gvk: Gvk, plural: string, namespace: string | undefined): string {
  const root = gvk.group ? `/apis/${apiVersionOf(gvk)}` : `/api/${gvk.version}`;
  return namespace ? `${root}/namespaces/${encodeURIComponent(namespace)}/${plural}` : `${root}/${plural}`;
}

function writeQuery(options: WriteOptions): Record<string, string> {
  return {
    fieldManager: options.fieldManager,
    fieldValidation: "Strict",
    ...(options.dryRun ? { dryRun: "All" } : {}),
  };
}

async function absentWhen404<T>(request: () => Promise<T>): Promise<T | undefined> {
  try {
    return await request();
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    if (error instanceof NoKindError) return undefined;
    throw error;
  }
}
