import type { ResourceRule } from "../lib/rule";
import { types } from "../lib/types";
import { at, shown } from "../lib/values";

/** Replicas are compared and mended on a schedule, so that corruption in one of them does not stay. */
export const repairScheduled: ResourceRule = {
  name: "repair-scheduled",
  description: "Reaper repairs every keyspace on a schedule",
  plan: ["D3", "S1"],
  types: [types.cassandra],
  check: ({ props }) => {
    const enabled = at(props, "spec", "reaper", "autoScheduling", "enabled");
    return enabled === true ? [] : [`spec.reaper.autoScheduling.enabled is ${shown(enabled)}; set true`];
  },
};
