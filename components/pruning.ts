import * as k8s from "@pulumi/kubernetes";
import { ComponentResource, type ComponentResourceOptions, type Input, output } from "@pulumi/pulumi";
import { namespaces } from "../plan/names";
import type { Tiers } from "../plan/retention";
import type { Schedule } from "../plan/schedules";
import { cronJob } from "./cron-job";
import type { GkeCluster } from "./gke-cluster";
import { jobAccess } from "./job-access";
import { jobPod } from "./job-pod";
import type { ReplicatedSite } from "./replication";

/** A day on which the pruner may remove more of a site's objects than its breaker lets pass. */
export interface PruneApproval {
  site: string;
  /** UTC, `YYYY-MM-DD`. */
  date: string;
  objects: number;
}

/** Arguments of {@link Pruning}. */
export interface PruningArgs {
  cluster: GkeCluster;
  copiesBucket: string;
  sites: ReplicatedSite[];
  /** Image of the jobs, by digest. */
  image: string;
  /** Public keys that markers may be signed with; without that of an old one nothing is removed. */
  markerKeys: Input<string[]>;
  /** Copies that stay. */
  tiers: Tiers;
  /** Days in which nothing goes: the bucket's own locked retention. */
  protectionDays: number;
  /** Markers that people know to be none, with their sites. */
  distrusted: { site: string; marker: string }[];
  approvals: PruneApproval[];
  schedule: Schedule;
}

const account = "pruner";

/** The weekly removal of second copies that no tier keeps (S2): one job per site, by an identity that reads no backup. */
export class Pruning extends ComponentResource {
  constructor(name: string, args: PruningArgs, opts?: ComponentResourceOptions) {
    super("iconik:backup:Pruning", name, {}, opts);
    const inside = args.cluster.inside(this);
    const access = jobAccess(`${name}-access`, "prune", namespaces.dr, account, inside);
    for (const site of args.sites) {
      new k8s.batch.v1.CronJob(
        `${name}-${site.name}`,
        cronJob({
          name: `prune-${site.name}`,
          namespace: namespaces.dr,
          schedule: args.schedule,
          suspend: false,
          pod: jobPod({
            command: "prune",
            image: args.image,
            serviceAccount: account,
            config: output(args.markerKeys).apply((markerKeys) => configOf(site.name, args, markerKeys)),
          }),
        }),
        { ...inside, dependsOn: [access] },
      );
    }
    this.registerOutputs({});
  }
}

function configOf(site: string, args: PruningArgs, markerKeys: string[]) {
  const { copiesBucket, tiers, protectionDays } = args;
  return {
    site,
    copiesBucket,
    markerKeys,
    tiers,
    protectionDays,
    distrusted: args.distrusted.filter((each) => each.site === site).map(({ marker }) => marker),
    approvals: args.approvals.filter((each) => each.site === site).map(({ date, objects }) => ({ date, objects })),
    leaseIn: namespaces.dr,
  };
}
