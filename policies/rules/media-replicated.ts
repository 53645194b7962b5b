import { mediaBuckets } from "../../plan/media";
import { isDrillProject } from "../../plan/names";
import { isMediaRestored, nightly } from "../lib/jobs";
import { judge } from "../lib/judge";
import type { StackRule } from "../lib/rule";
import { bucketsOf } from "../lib/stores";
import { textsIn } from "../lib/values";

/** The vault has a secondary of every media bucket, and a nightly job fills each. A drill's vault may go without. */
export const mediaReplicated: StackRule = {
  name: "media-replicated",
  description:
    "Every media bucket has its secondary in the vault, and every secondary its replication, which waits for restores alone",
  plan: ["S6"],
  checkStack: (resources) => {
    const secondaries = bucketsOf("secondMedia", resources);
    return [
      ...judge(bucketsOf("secondCopy", resources), ({ props }) => {
        if (isDrillProject(String(props.project))) return [];
        const names = secondaries.map((each) => each.props.name);
        return mediaBuckets
          .filter(({ secondary }) => !names.includes(secondary))
          .map(({ name, secondary }) => `media bucket ${name} has no secondary; declare ${secondary} in the vault`);
      }),
      ...judge(secondaries, ({ props }) => {
        const jobs = nightly(resources).filter(
          ({ command, config }) => command === "replicate-media" && textsIn(config).includes(String(props.name)),
        );
        if (jobs.length !== 1)
          return [`bucket ${props.name} has ${jobs.length} CronJobs that run replicate-media for it; declare one`];
        const { name, suspended } = jobs[0]!;
        if (suspended === isMediaRestored(props.name, resources)) return [];
        return suspended
          ? [`CronJob ${name} is suspended and nothing of its bucket is being restored; set suspend to false`]
          : [`CronJob ${name} would propagate what is half restored; set suspend to true while restore-media is there`];
      }),
    ];
  },
};
