import { alertLabel, labelInputs, roleLabel } from "../../plan/labels";
import { isDrillProject } from "../../plan/names";
import { isRestoring } from "../lib/jobs";
import { judge } from "../lib/judge";
import { projectOf } from "../lib/kubernetes";
import type { Declared, StackRule } from "../lib/rule";
import { types } from "../lib/types";
import { at, object, texts } from "../lib/values";

/** An alert of the plan, and the role whose stacks declare it. */
export interface ExpectedAlert {
  id: string;
  owner: string;
  /** It may be off while a site is restored. */
  pausedByRestore?: true;
}

/**
 * What does not happen in time is noticed: each alert of the plan is declared once by the stack that owns it, on, and tells
 * somebody. A drill's stacks may go without, and tell nobody.
 */
export const alertsDeclared = (alerts: readonly ExpectedAlert[]): StackRule => ({
  name: "alerts-declared",
  description: "Every alert of the plan is declared once, is on and tells somebody",
  plan: ["S1", "S2", "S3", "S6", "D1", "D3", "D5"],
  checkStack: (resources) => {
    const policies = resources.filter(({ type }) => type === types.alertPolicy);
    const labelled = resources.find((each) => roleOf(each) !== undefined);
    const drill = labelled !== undefined && isDrillProject(projectOf(labelled) ?? "");
    const expected =
      drill && policies.length === 0 ? [] : alerts.filter(({ owner }) => labelled && owner === roleOf(labelled));
    const paused = (props: Record<string, unknown>) =>
      isRestoring(resources) &&
      alerts.some(({ id, pausedByRestore }) => pausedByRestore && id === at(props, "userLabels", alertLabel));
    return [
      ...judge(expected, ({ id }) => {
        const found = policies.filter(({ props }) => at(props, "userLabels", alertLabel) === id);
        return found.length === 1
          ? []
          : [
              `alert ${id} is declared ${found.length} times; declare one alert policy with userLabels.${alertLabel} "${id}"`,
            ];
      }),
      ...judge(policies, ({ name, props }) => [
        ...(props.enabled === false && !paused(props) ? [`alert policy ${name} is off; set enabled to true`] : []),
        // The channels' names are not known before they exist.
        ...(drill || texts(Object.getOwnPropertyDescriptor(props, "notificationChannels")?.value).length > 0
          ? []
          : [`alert policy ${name} tells nobody; set notificationChannels`]),
      ]),
    ];
  },
});

/** The role that a resource's labels name. */
function roleOf({ type, props }: Declared): string | undefined {
  const input = labelInputs[type];
  const role = input && object(props[input])[roleLabel];
  return typeof role === "string" ? role : undefined;
}
