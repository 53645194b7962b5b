/** What CronJobs and Jobs of the plan run. */
import { CONFIG_VARIABLE } from "../../jobs/config";
import { containers, kubernetesObjects, nameOf } from "./kubernetes";
import type { Declared } from "./rule";
import { types } from "./types";
import { json, object, objects, texts, type Values } from "./values";

/** One command of `dr-jobs`. */
export interface Command {
  /** Name of the CronJob or Job. */
  name: string;
  command: string;
  config: Values;
  suspended: boolean;
  schedule: unknown;
}

/** What a resource runs; nothing when it is no CronJob and no Job. */
export function commandsOf(resource: Declared): Command[] {
  if (resource.type !== types.cronJob && resource.type !== types.job) return [];
  return kubernetesObjects(resource).flatMap((each) =>
    containers(each).map((container) => {
      const variable = objects(container.env).find(({ name }) => name === CONFIG_VARIABLE);
      const { suspend, schedule } = object(each.body.spec);
      return {
        name: nameOf(each) === "?" ? resource.name : nameOf(each),
        command: texts(container.args)[0] ?? "",
        config: json(variable?.value, `${CONFIG_VARIABLE} of ${resource.name}`),
        suspended: suspend === true,
        schedule,
      };
    }),
  );
}

/** The commands that CronJobs run. */
export function nightly(resources: Declared[]): Command[] {
  return resources.filter(({ type }) => type === types.cronJob).flatMap(commandsOf);
}

/** Is the stack bringing a copy back? */
export function isRestoring(resources: Declared[]): boolean {
  return resources
    .filter(({ type }) => type === types.job)
    .some((job) => commandsOf(job).some(({ command }) => command === "restore-copy"));
}

/** Is a media bucket being brought back? `secondary` is its second copy. */
export function isMediaRestored(secondary: unknown, resources: Declared[]): boolean {
  return resources
    .filter(({ type }) => type === types.job)
    .flatMap(commandsOf)
    .some(({ command, config }) => command === "restore-media" && config.secondary === secondary);
}
