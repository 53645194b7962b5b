/** What the provider makes of a program's inputs before anything is compared or sent. */
import type { Props } from "../../lib/types";
import type { ResourceRef } from "../provider";
import { containsUnknown, isRecord, isUnknown } from "../values";
import { apiVersionOf, gvkOfToken } from "./types";

/** Annotation of objects whose name the provider made up. */
export const AUTONAMED = "pulumi.com/autonamed";

/**
 * The object that will be sent: apiVersion, kind, a name and, for namespaced kinds, a namespace.
 *
 * @param defaultNamespace namespace of objects that name none; undefined when the kind is cluster-scoped
 * @param olds checked inputs of the last update: an automatic name is kept
 */
export function checkedInputs(
  ref: ResourceRef & { olds: Props; news: Props; randomSeed: Uint8Array },
  defaultNamespace: string | undefined,
): Props {
  const gvk = gvkOfToken(ref.type);
  const inputs: Props = { ...ref.news, apiVersion: apiVersionOf(gvk), kind: gvk.kind };
  if (isUnknown(ref.news.metadata)) return inputs;
  const metadata: Props = { ...(isRecord(ref.news.metadata) ? ref.news.metadata : {}) };
  inputs.metadata = metadata;
  if (defaultNamespace !== undefined && (metadata.namespace === undefined || metadata.namespace === "")) {
    metadata.namespace = defaultNamespace;
  }
  if (metadata.name === undefined && metadata.generateName === undefined) autoname(ref, metadata);
  return gvk.group === "" && gvk.kind === "Secret" ? encodedSecret(inputs) : inputs;
}

function autoname(ref: ResourceRef & { olds: Props; randomSeed: Uint8Array }, metadata: Props): void {
  const old = isRecord(ref.olds.metadata) ? ref.olds.metadata : {};
  const oldAnnotations = isRecord(old.annotations) ? old.annotations : {};
  const kept = oldAnnotations[AUTONAMED] === "true" && typeof old.name === "string" ? old.name : undefined;
  metadata.name = kept ?? `${ref.name}-${suffix(ref.randomSeed)}`;
  metadata.annotations = { ...(isRecord(metadata.annotations) ? metadata.annotations : {}), [AUTONAMED]: "true" };
}

/** The engine's seed makes the preview and the update agree on a name. */
function suffix(seed: Uint8Array): string {
  const bytes = seed.length >= 4 ? seed.slice(0, 4) : crypto.getRandomValues(new Uint8Array(4));
  return Buffer.from(bytes).toString("hex");
}

/** stringData is write-only for the API server: it becomes data, so that the live object can be compared. */
function encodedSecret(inputs: Props): Props {
  const { stringData, ...rest } = inputs;
  if (!isRecord(stringData) || containsUnknown(stringData)) return inputs;
  const encoded = Object.fromEntries(
    Object.entries(stringData).map(([key, value]) => [key, Buffer.from(String(value)).toString("base64")]),
  );
  return { ...rest, data: { ...(isRecord(inputs.data) ? inputs.data : {}), ...encoded } };
}
