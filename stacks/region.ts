import type { Resource } from "@pulumi/pulumi";
import { CassandraDatacenter } from "../components/cassandra";
import { ElasticsearchCluster } from "../components/elasticsearch";
import type { GkeCluster } from "../components/gke-cluster";
import { Namespaces } from "../components/namespaces";
import { Operators } from "../components/operators";
import { BootstrapToken, SuperuserSecret } from "../components/secrets";
import { Snapshots } from "../components/snapshots";
import { kubernetesAccount } from "../components/workload-identity";
import { type IdentityId, identity } from "../plan/identities";
import { namespaces } from "../plan/names";
import { schedules } from "../plan/schedules";
import type { SiteConfig } from "./config";

/** What a region's stores and jobs build on. */
export interface RegionArgs {
  config: SiteConfig;
  region: SiteConfig["regions"][number];
  cluster: GkeCluster;
  /** E-mail addresses of the identities whose Kubernetes accounts the cluster gets. */
  emails: Partial<Record<IdentityId, string>>;
  onePasswordToken: string;
  /** The primary bucket's policy: from then on the identities may use it. */
  bucketPolicy: Resource;
  /** The datacenter that bootstraps the cluster; absent for that one itself. */
  firstDatacenter?: Resource;
  restoring: boolean;
}

/** One region of a site: everything inside its GKE cluster. */
export interface Region {
  cluster: GkeCluster;
  datacenter: string;
  cassandra: CassandraDatacenter;
  elasticsearch: ElasticsearchCluster;
  /** Kubernetes accounts. */
  accounts: Resource[];
}

/** Declares what runs in one region's cluster, in the order in which it can work. */
export function region(args: RegionArgs): Region {
  const { config, cluster, restoring } = args;
  const { name, datacenter, zones } = args.region;
  const { bucket } = config.backups;
  const { racks, nodesPerRegion: nodes, replicationFactor } = config.cassandra;
  const spaces = new Namespaces(`namespaces-${name}`, {
    cluster,
    namespaces: {
      [namespaces.certManager]: "restricted",
      [namespaces.elasticOperator]: "restricted",
      [namespaces.onepassword]: "restricted",
      [namespaces.cassandra]: "baseline",
      [namespaces.elasticsearch]: "baseline",
      [namespaces.dr]: "restricted",
    },
  });
  const accounts = kubernetesAccounts(args, [spaces]);
  const token = new BootstrapToken(
    `bootstrap-token-${name}`,
    { cluster, token: args.onePasswordToken },
    { dependsOn: [spaces] },
  );
  const operators = new Operators(
    `operators-${name}`,
    { cluster, repository: config.charts.repository },
    { dependsOn: [spaces, token] },
  );
  const superuser = new SuperuserSecret(
    `superuser-${name}`,
    { cluster, vault: config.onePassword.vault },
    { dependsOn: [operators.onePassword] },
  );
  const { deletionProtection } = config;
  const cassandra = new CassandraDatacenter(
    `cassandra-${datacenter}`,
    {
      cluster,
      datacenter,
      datacenters: config.regions.map((entry) => entry.datacenter),
      zones,
      racks,
      nodes,
      replicationFactor,
      bucket,
      restoring,
      deletionProtection,
    },
    {
      dependsOn: [
        operators.cassandra,
        superuser.item,
        args.bucketPolicy,
        ...accounts,
        ...(args.firstDatacenter ? [args.firstDatacenter] : []),
      ],
    },
  );
  const elasticsearch = new ElasticsearchCluster(
    `elasticsearch-${datacenter}`,
    { cluster, zones, nodes: config.elasticsearch.nodes, deletionProtection },
    { dependsOn: [operators.elasticsearch, ...accounts] },
  );
  const { cassandraSnapshot, elasticsearchSnapshot } = schedules;
  new Snapshots(
    `snapshots-${datacenter}`,
    {
      cluster,
      datacenter,
      bucket,
      image: config.images.jobs,
      nodes,
      racks,
      schedules: {
        cassandraSnapshot: {
          ...cassandraSnapshot,
          cron: config.schedules.cassandraSnapshot ?? cassandraSnapshot.cron,
        },
        elasticsearchSnapshot: {
          ...elasticsearchSnapshot,
          cron: config.schedules.elasticsearchSnapshot ?? elasticsearchSnapshot.cron,
        },
      },
      suspend: restoring,
    },
    { dependsOn: [cassandra, elasticsearch, args.bucketPolicy] },
  );
  return { cluster, datacenter, cassandra, elasticsearch, accounts };
}

/** The Kubernetes accounts of every identity that lives in the cluster. */
function kubernetesAccounts({ cluster, emails, region, restoring }: RegionArgs, dependsOn: Resource[]): Resource[] {
  return (Object.keys(emails) as IdentityId[]).flatMap((id) =>
    identity(id)
      .kubernetes.filter((account) => restoring || account.name !== "restore-runner")
      .map((account) =>
        kubernetesAccount(`${account.name}-${region.name}`, account, emails[id]!, {
          ...cluster.inside(cluster),
          dependsOn,
        }),
      ),
  );
}
