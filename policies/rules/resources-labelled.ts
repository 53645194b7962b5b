import { labelInputs, managedByLabel, stackLabelKeys } from "../../plan/labels";
import type { ResourceRule } from "../lib/rule";
import { object, shown } from "../lib/values";

/** Whoever finds a resource in the cloud sees which stack it belongs to, and that a change by hand does not last. */
export const resourcesLabelled: ResourceRule = {
  name: "resources-labelled",
  description: "Google Cloud resources say which stack and role declares them",
  plan: ["S4"],
  types: Object.keys(labelInputs),
  check: ({ type, props }) => {
    const input = labelInputs[type]!;
    const labels = object(props[input]);
    const missing = stackLabelKeys.filter((key) => !labels[key]);
    const by = labels[managedByLabel];
    return [
      ...missing.map((key) => `${input} has no ${key}; stacks/labels.ts sets it in every program`),
      ...(by === undefined || by === "pulumi" ? [] : [`${input}.${managedByLabel} is ${shown(by)}; set "pulumi"`]),
    ];
  },
};
