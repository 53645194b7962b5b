import * as k8s from "@pulumi/kubernetes";
import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import { cassandraClusterName, namespaces } from "../plan/names";
import { ports } from "../plan/ports";
import type { Cluster } from "./cluster";
import { podMonitoring } from "./scrape";

/** Arguments of {@link CassandraMetrics}. */
export interface CassandraMetricsArgs {
  /** A datacenter's cluster, with managed Prometheus. */
  cluster: Cluster;
}

/** Seconds between two looks. */
const interval = "30s";

/** Lets managed Prometheus collect the metrics of a region's Cassandra nodes and of its Reaper (S1, D3). */
export class CassandraMetrics extends ComponentResource {
  constructor(name: string, args: CassandraMetricsArgs, opts?: ComponentResourceOptions) {
    super("iconik:cassandra:Metrics", name, {}, opts);
    const monitored = (
      what: string,
      labels: Record<string, string>,
      endpoint: { port: number; [field: string]: unknown },
      rackLabel: boolean,
    ) =>
      new k8s.apiextensions.CustomResource(
        `${name}-${what}`,
        podMonitoring(
          what,
          namespaces.cassandra,
          labels,
          { interval, ...endpoint },
          {
            targetLabels: {
              metadata: ["pod", "container", "node"],
              fromPod: [
                { from: "cassandra.datastax.com/datacenter", to: "datacenter" },
                ...(rackLabel ? [{ from: "cassandra.datastax.com/rack", to: "rack" }] : []),
              ],
            },
          },
        ),
        args.cluster.inside(this),
      );
    monitored(
      "cassandra",
      { "cassandra.datastax.com/cluster": cassandraClusterName },
      // Of each table's latencies, its counts and sums do; each other bucket would be a series per table and node.
      {
        port: ports.cassandraMetrics,
        metricRelabeling: [{ action: "drop", sourceLabels: ["__name__"], regex: ".*_table_.*_(bucket|5m.*|15m.*)" }],
      },
      true,
    );
    monitored(
      "reaper",
      { "app.kubernetes.io/name": "reaper" },
      { port: ports.reaperAdmin, path: "/prometheusMetrics" },
      false,
    );
    this.registerOutputs({});
  }
}
