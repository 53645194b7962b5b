import type { Resource } from "@pulumi/pulumi";
import { CassandraCluster } from "../components/cassandra";
import { ControlPlaneAccess } from "../components/control-plane-access";
import type { GkeCluster } from "../components/gke-cluster";
import { Namespaces } from "../components/namespaces";
import { NetworkPolicies } from "../components/network-policies";
import { Operators } from "../components/operators";
import { Scrape } from "../components/scrape";
import { BootstrapToken, SuperuserSecret } from "../components/secrets";
import { regionRanges } from "../plan/addresses";
import { namespaces } from "../plan/names";
import { ports } from "../plan/ports";
import { isInRing } from "../plan/region-states";
import type { SiteConfig } from "./config";
import type { Region } from "./region";
import { controlTraffic } from "./traffic";

/** What the control cluster builds on. */
export interface ControlArgs {
  config: SiteConfig;
  cluster: GkeCluster;
  /** The regions it drives, in the configuration's order. */
  regions: Region[];
  onePasswordToken: string;
  /** The primary bucket's policy: from then on Medusa may use it. */
  bucketPolicy: Resource;
  restoring: boolean;
}

/** Declares what runs in the site's control cluster, and with it Cassandra over all regions. */
export function control(args: ControlArgs): CassandraCluster {
  const { config, cluster, regions } = args;
  const { racks, nodesPerRegion: nodes, replicationFactor } = config.cassandra;
  const spaces = new Namespaces("namespaces-control", {
    cluster,
    protect: config.deletionProtection ? [namespaces.cassandra] : [],
    namespaces: {
      [namespaces.certManager]: "restricted",
      [namespaces.onepassword]: "restricted",
      [namespaces.cassandra]: "restricted",
    },
  });
  new NetworkPolicies(
    "network-control",
    {
      cluster,
      nodes: regionRanges(config.controlRegion).nodes,
      namespaces: controlTraffic(config.regions.map(({ name }) => regionRanges(name))),
    },
    { dependsOn: [spaces] },
  );
  const token = new BootstrapToken(
    "bootstrap-token-control",
    { cluster, token: args.onePasswordToken },
    { dependsOn: [spaces] },
  );
  const operators = new Operators(
    "operators-control",
    {
      cluster,
      repository: config.charts.repository,
      mirror: config.images.mirror,
      controlPlane: true,
      deletionProtection: config.deletionProtection,
    },
    { dependsOn: [spaces, token] },
  );
  new Scrape(
    "scrape-cert-manager-control",
    {
      cluster,
      namespace: namespaces.certManager,
      pods: { "app.kubernetes.io/name": "cert-manager" },
      port: ports.certManagerMetrics,
    },
    { dependsOn: [operators] },
  );
  const superuser = new SuperuserSecret(
    "superuser",
    { cluster, vault: config.onePassword.vault },
    { dependsOn: [operators.onePassword] },
  );
  const access = regions.map(
    (region) =>
      new ControlPlaneAccess(
        `control-${region.datacenter}`,
        { control: cluster, region: region.cluster, datacenter: region.datacenter },
        { dependsOn: [operators.cassandra, region.spaces] },
      ),
  );
  return new CassandraCluster(
    "cassandra",
    {
      control: cluster,
      datacenters: config.regions.filter(isInRing),
      racks,
      nodes,
      replicationFactor,
      bucket: config.backups.bucket,
      mirror: config.images.mirror,
      restoring: args.restoring,
      deletionProtection: config.deletionProtection,
    },
    {
      dependsOn: [
        operators.cassandra,
        superuser.item,
        args.bucketPolicy,
        ...access.map(({ clientConfig }) => clientConfig),
        ...regions.flatMap(({ cassandraOperator, internode, disks, accounts }) => [
          cassandraOperator,
          internode.certificate,
          disks,
          ...accounts,
        ]),
      ],
    },
  );
}
