import * as k8s from "@pulumi/kubernetes";
import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import { freshnessSeconds } from "../plan/freshness";
import type { Cluster } from "./cluster";

/** Arguments of {@link Scrape}. */
export interface ScrapeArgs {
  cluster: Cluster;
  namespace: string;
  /** Labels of the pods. */
  pods: Record<string, string>;
  /** The port that serves `/metrics`; the namespace's network policy has to open it. */
  port: number;
}

/** Has GKE's managed collection scrape the metrics of some pods, for the plan's alerts. */
export class Scrape extends ComponentResource {
  constructor(name: string, args: ScrapeArgs, opts?: ComponentResourceOptions) {
    super("iconik:monitoring:Scrape", name, {}, opts);
    new k8s.apiextensions.CustomResource(
      `${name}-pods`,
      podMonitoring(args.namespace, args.namespace, args.pods, {
        port: args.port,
        interval: `${freshnessSeconds.scrape}s`,
      }),
      args.cluster.inside(this),
    );
    this.registerOutputs({});
  }
}

/** The object by which managed collection scrapes one endpoint of the pods with these labels; `more` of its specification. */
export function podMonitoring(
  name: string,
  namespace: string,
  pods: Record<string, string>,
  endpoint: { port: number; interval: string; [field: string]: unknown },
  more: Record<string, unknown> = {},
) {
  return {
    apiVersion: "monitoring.googleapis.com/v1",
    kind: "PodMonitoring",
    metadata: { name, namespace },
    spec: { selector: { matchLabels: pods }, endpoints: [endpoint], ...more },
  };
}
