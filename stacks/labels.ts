import { getStack, type Input, output, runtime } from "@pulumi/pulumi";
import { labelInputs, stackLabels } from "../plan/labels";
import type { Role } from "./config";

/**
 * Gives everything that the stack declares from now on its labels. Each role's program begins with it, so that no component
 * has to think of them; labels of a component's own stay.
 */
export function labelEverything(role: Role): void {
  const labels = stackLabels(getStack(), role);
  runtime.registerStackTransformation(({ type, props, opts }) => {
    const input = labelInputs[type];
    if (!input) return undefined;
    return { props: { ...props, [input]: withLabels(props[input], labels) }, opts };
  });
}

/** Plain where they can be: what is plain is known in every preview. */
function withLabels(own: unknown, labels: Record<string, string>): Input<Record<string, string>> {
  return isPlain(own) ? { ...own, ...labels } : output(own).apply((known) => ({ ...(known as object), ...labels }));
}

function isPlain(own: unknown): own is Record<string, string> | undefined {
  if (own === undefined || own === null) return true;
  return typeof own === "object" && Object.values(own).every((value) => typeof value === "string");
}
