/** What a resource provider implements; {@link ./server} speaks the engine's protocol for it. */
import type { Props } from "../lib/types";

/** A refusal of one input property; an empty `property` means the whole resource. */
export interface CheckFailure {
  property: string;
  reason: string;
}

/** How one property path changes, e.g. `spec.replicas` or `rules[0].action`. */
export type DiffKind = "add" | "add-replace" | "delete" | "delete-replace" | "update" | "update-replace";

/** What {@link Provider.diff} answers. */
export interface DiffResult {
  changes: boolean;
  /** Property paths that force a replacement. */
  replaces: string[];
  /** Top-level properties that differ. */
  diffs: string[];
  deleteBeforeReplace?: boolean;
  /** Changes by property path, for the diff shown to the user. */
  detailed?: Record<string, DiffKind>;
}

/** Which resource a request is about. */
export interface ResourceRef {
  urn: string;
  /** Pulumi type token, e.g. `gcp:storage/bucket:Bucket`. */
  type: string;
  /** Name in the program, the last part of the URN. */
  name: string;
}

/** A resource that exists, found by its id. */
export interface ReadResult {
  id: string;
  inputs: Props;
  outputs: Props;
}

/**
 * A resource provider. Values are plain JSON: secrets are unwrapped and, during a preview only, a value that is not yet
 * known is `UNKNOWN` (see values.ts). Any thrown error fails the step with its message.
 *
 * create, update and read may throw {@link InitializationError}: the resource exists but did not become ready.
 */
export interface Provider {
  name: string;
  version: string;
  /** The package schema as JSON text; `{}` when the SDK is already generated. */
  schema(): string;
  /** Config of the provider resource. Values other than strings arrive as JSON text: that is how the SDKs send them. */
  configure?(inputs: Props): Promise<void>;
  /** Refusals of the provider's config; the inputs are kept as the program gave them. */
  checkConfig?(news: Props): Promise<CheckFailure[]>;
  /** Without it the engine updates the provider in place whenever its config changes. */
  diffConfig?(olds: Props, news: Props): Promise<DiffResult>;
  /** `olds` are the checked inputs of the last update; empty for a new resource. */
  check(
    req: ResourceRef & { olds: Props; news: Props; randomSeed: Uint8Array },
  ): Promise<{ inputs: Props; failures: CheckFailure[] }>;
  diff(
    req: ResourceRef & { id: string; oldInputs: Props; oldOutputs: Props; news: Props; ignoreChanges: string[] },
  ): Promise<DiffResult>;
  /** In a preview nothing may be changed and `id` is ignored. */
  create(
    req: ResourceRef & { inputs: Props; preview: boolean; timeoutSeconds: number },
  ): Promise<{ id: string; outputs: Props }>;
  /** Undefined: it is gone. `inputs` and `outputs` are empty for an import. */
  read(req: ResourceRef & { id: string; inputs: Props; outputs: Props }): Promise<ReadResult | undefined>;
  update(
    req: ResourceRef & {
      id: string;
      oldInputs: Props;
      oldOutputs: Props;
      news: Props;
      preview: boolean;
      timeoutSeconds: number;
    },
  ): Promise<Props>;
  delete(req: ResourceRef & { id: string; inputs: Props; outputs: Props; timeoutSeconds: number }): Promise<void>;
  invoke(token: string, args: Props): Promise<{ outputs: Props; failures?: CheckFailure[] }>;
  /** The engine asks running operations to stop. */
  cancel?(): void;
}

/** The resource exists in the cloud but did not become ready: the engine records it and reports the reasons. */
export class InitializationError extends Error {
  constructor(
    readonly id: string,
    readonly outputs: Props,
    readonly reasons: string[],
    readonly inputs?: Props,
  ) {
    super(reasons.join("; "));
    this.name = "InitializationError";
  }
}
