import * as k8s from "@pulumi/kubernetes";
import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import { freshnessPort } from "../plan/freshness";
import { namespaces } from "../plan/names";
import type { Cluster } from "./cluster";
import { exporterPod } from "./exporter-pod";
import { jobAccess } from "./job-access";
import type { ReplicatedSite } from "./replication";
import { Scrape } from "./scrape";

/** Arguments of {@link Freshness}. */
export interface FreshnessArgs {
  cluster: Cluster;
  copiesBucket: string;
  /** Sites whose backups and copies are watched. */
  sites: ReplicatedSite[];
  image: string;
}

const name = "freshness";

/**
 * Measures how old the newest backups and copies are (S2, D2), in the vault, so that it goes on when a site is lost. It is
 * ready before the sites are: a bucket that is not there yet is an alert, not a reason to hold an update up.
 */
export class Freshness extends ComponentResource {
  constructor(resource: string, args: FreshnessArgs, opts?: ComponentResourceOptions) {
    super("iconik:backup:Freshness", resource, {}, opts);
    const inside = args.cluster.inside(this);
    const access = jobAccess(`${resource}-access`, "freshness", namespaces.dr, name, inside);
    const pod = freshnessPod(args);
    const exporter = new k8s.apps.v1.Deployment(
      `${resource}-exporter`,
      {
        metadata: { name, namespace: namespaces.dr },
        spec: { replicas: 1, selector: { matchLabels: pod.metadata.labels }, template: pod },
      },
      { ...inside, dependsOn: [access] },
    );
    new Scrape(
      `${resource}-scrape`,
      { cluster: args.cluster, namespace: namespaces.dr, pods: pod.metadata.labels, port: freshnessPort },
      // By then the collection that admits the object answers as well: it runs on the same machines.
      { parent: this, dependsOn: [exporter] },
    );
    this.registerOutputs({});
  }
}

function freshnessPod({ copiesBucket, sites, image }: FreshnessArgs) {
  return exporterPod({
    command: "freshness",
    image,
    serviceAccount: name,
    port: freshnessPort,
    config: {
      sites: sites.map((site) => ({ name: site.name, bucket: site.bucket, repositories: site.repositories })),
      copiesBucket,
      cronJobsIn: namespaces.dr,
    },
  });
}
