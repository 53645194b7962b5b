import { getStack, runtime } from "@pulumi/pulumi";
import { labelInputs, stackLabels } from "../plan/labels";
import type { StackConfig } from "./config";

/**
 * Gives everything that the stack declares from now on its labels. Each role's program begins with it, so that no component
 * has to think of them; labels of a component's own stay.
 */
export function labelEverything(role: StackConfig["role"]): void {
  const labels = stackLabels(getStack(), role);
  runtime.registerStackTransformation(({ type, props, opts }) => {
    const input = labelInputs[type];
    return input ? { props: { ...props, [input]: { ...props[input], ...labels } }, opts } : undefined;
  });
}
