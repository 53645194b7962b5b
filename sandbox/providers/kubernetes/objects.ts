/** Creates, reads, changes and deletes objects of the API server for the engine. */
import type { Props } from "../../lib/types";
import type { ReadResult } from "../provider";
import { awaitGone, awaitReady, NotReadyError } from "./await";
import { mergePatch, pruned } from "./changes";
import { ApiError } from "./connection";
import { NoKindError } from "./discovery";
import { fieldManagerOf, type Rest, type WriteOptions } from "./rest";
import { annotation, asObject, describe, type Gvk, type KubeObject } from "./types";

/** One request about one object. */
export interface ObjectRequest {
  urn: string;
  preview: boolean;
  timeoutSeconds: number;
}

/** The kind or namespace of an object may be made by the same update: a preview cannot check it then. */
export class NotYetCheckable extends Error {}

/** How long a namespace or kind of the same update may take to appear. */
const APPEAR_MS = 15_000;

/** The objects of one cluster as resources. */
export class Objects {
  constructor(
    private readonly rest: Rest,
    private readonly settings: { enableServerSideApply: boolean },
    private readonly signal: AbortSignal,
  ) {}

  /**
   * Creates an object and waits until it is ready; in a preview the server only checks it.
   *
   * @throws NotReadyError when it exists but does not become ready, NotYetCheckable in a preview
   */
  async create(inputs: Props, request: ObjectRequest): Promise<KubeObject> {
    const object = asObject(inputs);
    const options = this.options(request);
    if (request.preview) return this.checkCreate(object, options);
    const written = await this.explained(object, options, () => this.createWhenPossible(object, options));
    return this.ready(written, object, request);
  }

  /** Changes an object in place and waits until it is ready; in a preview the server only checks the change. */
  async update(oldInputs: Props, news: Props, request: ObjectRequest): Promise<KubeObject> {
    const object = asObject(news);
    const options = this.options(request);
    const live = await this.rest.get(object);
    if (!live) {
      throw new Error(`${describe(object)} does not exist any more: run "pulumi refresh", then repeat the update`);
    }
    const written = await this.explained(object, options, () =>
      this.settings.enableServerSideApply
        ? this.rest.apply(object, options)
        : this.rest.mergePatch(object, mergePatch(asObject(oldInputs), object), options),
    );
    return request.preview ? written : this.ready(written, object, request);
  }

  /** The live object and the inputs that would declare what it is now; undefined: it is gone. */
  async read(gvk: Gvk, apiVersion: string, id: string, inputs: Props): Promise<ReadResult | undefined> {
    const imported = Object.keys(inputs).length === 0;
    const object = imported ? fromId(id, apiVersion, gvk.kind) : asObject(inputs);
    const live = await this.rest.get(object);
    if (!live) return undefined;
    return {
      id: idOf(live),
      inputs: imported ? declared(live) : (pruned(live, inputs) as Props),
      outputs: withoutManagedFields(live),
    };
  }

  /** Deletes an object with what it owns and waits until it is gone. What is gone already is fine. */
  async delete(outputs: Props, request: Pick<ObjectRequest, "timeoutSeconds">): Promise<void> {
    const object = asObject(outputs);
    const policy = annotation(object, "pulumi.com/deletionPropagationPolicy");
    const existed = await this.rest.remove(object, policy ? capitalized(policy) : "Foreground");
    if (existed) await awaitGone(this.rest, object, { ...request, signal: this.signal });
  }

  private options(request: ObjectRequest): WriteOptions {
    return {
      fieldManager: fieldManagerOf(request.urn),
      dryRun: request.preview,
      serverSideApply: this.settings.enableServerSideApply,
      waitMs: request.preview ? 0 : APPEAR_MS,
    };
  }

  private async checkCreate(object: KubeObject, options: WriteOptions): Promise<KubeObject> {
    try {
      return await this.explained(object, options, () => this.rest.create(object, options));
    } catch (error) {
      if (error instanceof NoKindError || notServedYet(error)) throw new NotYetCheckable();
      // The object that this one replaces is still there: a dry run under its name would be an update of it.
      const replaced = error instanceof ApiError && [409, 422].includes(error.status) && (await this.rest.get(object));
      if (!replaced) throw error;
      const name = `${object.metadata.name}-${Math.random().toString(36).slice(2, 7)}`;
      return this.rest.create({ ...object, metadata: { ...object.metadata, name } }, options);
    }
  }

  private async createWhenPossible(object: KubeObject, options: WriteOptions): Promise<KubeObject> {
    const deadline = Date.now() + APPEAR_MS;
    for (let delay = 500; ; delay *= 2) {
      try {
        return await this.rest.create(object, options);
      } catch (error) {
        if (!notServedYet(error) || Date.now() + delay > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, delay));
      }
    }
  }

  private async ready(written: KubeObject, object: KubeObject, request: ObjectRequest): Promise<KubeObject> {
    const patience = { timeoutSeconds: request.timeoutSeconds, signal: this.signal };
    try {
      return withoutManagedFields(await awaitReady(this.rest, written, patience));
    } catch (error) {
      if (error instanceof NotReadyError) throw new NotReadyError(withoutManagedFields(error.live), error.reasons);
      throw new Error(`${describe(object)} was written, but cannot be watched: ${String(error)}`);
    }
  }

  private async explained<T>(object: KubeObject, options: WriteOptions, write: () => Promise<T>): Promise<T> {
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const conflict = error.status === 409 && options.serverSideApply;
      const fix = conflict
        ? `. Another manager owns these fields: stop declaring them, or take them over with the annotation "pulumi.com/patchForce": "true"`
        : "";
      const message = `${describe(object)} was refused by the Kubernetes API server: ${error.message}${fix}`;
      throw new ApiError(error.status, error.reason, message, error.details);
    }
  }
}

/** Id of an object for the engine. */
export function idOf(object: KubeObject): string {
  const { namespace, name } = object.metadata;
  return namespace ? `${namespace}/${name}` : String(name);
}

function fromId(id: string, apiVersion: string, kind: string): KubeObject {
  const [first = "", second] = id.split("/");
  return { apiVersion, kind, metadata: second === undefined ? { name: first } : { namespace: first, name: second } };
}

/** What a live object would have been declared as. */
function declared(live: KubeObject): Props {
  const { status: _, metadata, ...rest } = live;
  const { name, namespace, labels, annotations } = metadata;
  const kept = Object.entries({ name, namespace, labels, annotations }).filter(([, value]) => value !== undefined);
  return { ...rest, metadata: Object.fromEntries(kept) };
}

/** Who set which field is of no use to a program, and changes without need. */
function withoutManagedFields(live: KubeObject): KubeObject {
  const { managedFields: _, ...metadata } = live.metadata;
  return { ...live, metadata };
}

/** The namespace is missing, or a kind that discovery lists already is not served yet. */
function notServedYet(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}

function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1).toLowerCase();
}
