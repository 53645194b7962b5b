/** What is known of a resource before an update has run. */
import type { Props } from "../../lib/types";
import type { ResourceRef } from "../provider";
import { containsUnknown, UNKNOWN } from "../values";
import type { ResourceType } from "./table";

/** Outputs of a new resource. */
export function unknownOutputs(type: ResourceType): Props {
  // An optional input that the program leaves out may get its value from the cloud too; left out of the answer, it
  // counts as not known during a preview.
  return Object.fromEntries(
    type.outputs.filter((name) => !(name in type.properties)).map((name) => [name, UNKNOWN] as const),
  );
}

/** What is known before an update: the new inputs, and of the outputs what the cloud chose and an update leaves alone. */
export function previewUpdate(oldInputs: Props, oldOutputs: Props, inputs: Props, volatile: readonly string[]): Props {
  const chosen = Object.entries(oldOutputs).filter(([name]) => !(name in oldInputs));
  const kept = chosen.map(([name, value]) => [name, volatile.includes(name) ? UNKNOWN : value] as const);
  return { ...Object.fromEntries(kept), ...inputs };
}

/** @throws Error when an input is not known although the update runs */
export function mustBeKnown(req: ResourceRef, inputs: Props): void {
  const unknown = Object.keys(inputs).filter((name) => containsUnknown(inputs[name]));
  if (unknown.length === 0) return;
  throw new Error(`${req.name}: ${unknown.join(", ")} not known during the update; this is a defect of the sandbox`);
}
