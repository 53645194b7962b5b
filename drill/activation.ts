/** The standby's activation in a drill: refused while Google serves, killed and repeated when Google is lost, and timed. */
import type { OutputMap, Stack } from "@pulumi/pulumi/automation";
import { PROD } from "./config";
import { criticalPath, dependenciesOf, type Step, Stopwatch } from "./critical-path";
import { STANDBY, STANDBY_REGION, type StandbyStage, standbyConfig } from "./standby-config";
import { dyingUp, type Progress, refusedPreview, setConfig, up } from "./workspace";

/** Where an activation is killed, the worst first: the stores and their restores, what serves, and what these stand on. */
export const DEATHS: readonly string[] = [
  `restore-${STANDBY_REGION.datacenter}-cassandra`,
  "services-deployment-front",
  "services-schema-job",
  "cassandra-k8ssandra",
  "restore-copy",
  `restore-${STANDBY_REGION.datacenter}-elasticsearch`,
  "elasticsearch-elasticsearch",
  "cluster-nodes-databases-1",
  "services-deployment-worker",
  "snapshots-elasticsearch",
  "snapshots-cassandra",
  "services-deployment-api",
  "target-binding-binding",
  `internode-${STANDBY_REGION.datacenter}-certificate`,
  "disks-class",
];

/** Most deaths of one activation: of two places that come together only one can be died at, so that there are half as many more. */
export const MOST_DEATHS = Math.floor(DEATHS.length / 1.5);

export class Activation {
  /** What the last one waited for. */
  criticalPath: Step[] = [];
  /** Where it was killed, in this order. */
  readonly diedAt: string[] = [];
  /** Why one was refused while Google served. */
  refusal: string | null = null;

  /** @param kills times that it is killed before it may end, each at another place, {@link MOST_DEATHS} at most */
  constructor(private readonly kills: number) {}

  /**
   * Nobody activates by mistake: while Google serves and nobody says that it is fenced, a preview is refused, as it asks before it
   * declares anything.
   * @throws when it is not refused, or for another reason
   */
  async refuse(standby: Stack, stage: StandbyStage, progress: Progress): Promise<void> {
    setConfig(STANDBY, standbyConfig({ ...stage, active: true }));
    const said = await refusedPreview(standby, progress);
    const wanted = `site "${PROD}" still answers at ${stage.address}`;
    if (!said.includes(wanted)) throw new Error(`it was to be refused because ${wanted}, and was because\n${said}`);
    this.refusal = wanted;
    progress(said);
    setConfig(STANDBY, standbyConfig(stage));
  }

  /** Google is lost: it asks again, finds nobody and goes on. @returns the stack's outputs */
  async run(standby: Stack, stage: StandbyStage, progress: Progress): Promise<OutputMap> {
    setConfig(STANDBY, standbyConfig({ ...stage, active: true }));
    const places = new Set(DEATHS.slice(0, Math.floor(this.kills * 1.5)));
    for (let left = this.kills; left > 0; ) {
      const at = await dyingUp(standby, [...places], progress);
      places.delete(at);
      this.diedAt.push(at);
      progress(`killed at ${at}; ${--left} more`);
    }
    const watch = new Stopwatch();
    const outputs = await up(standby, progress, { hear: watch.hear });
    const { deployment } = await standby.exportStack();
    this.criticalPath = criticalPath(watch.spans, dependenciesOf(deployment), watch.began);
    return outputs;
  }
}
