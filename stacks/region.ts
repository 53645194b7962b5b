import type { Resource } from "@pulumi/pulumi";
import { Canary } from "../components/canary";
import type { CassandraCluster } from "../components/cassandra";
import { CassandraMetrics } from "../components/cassandra-metrics";
import { ElasticsearchCluster, elasticsearchUsers } from "../components/elasticsearch";
import type { GkeCluster } from "../components/gke-cluster";
import { InternodeCertificates } from "../components/internode-certificates";
import { elasticsearchUrl } from "../components/job-pod";
import { Namespaces } from "../components/namespaces";
import { NetworkPolicies } from "../components/network-policies";
import { Operators } from "../components/operators";
import { Scrape } from "../components/scrape";
import { SecretItem } from "../components/secret-item";
import { BootstrapToken } from "../components/secrets";
import { type Manifest, Services } from "../components/services";
import { cassandraContactPoint } from "../components/services-schema";
import { Snapshots } from "../components/snapshots";
import { StoreDisks } from "../components/store-disks";
import { kubernetesAccount } from "../components/workload-identity";
import { regionRanges } from "../plan/addresses";
import { type IdentityId, identity } from "../plan/identities";
import { mediaBucketsOf } from "../plan/media";
import { namespaces, secrets } from "../plan/names";
import { ports } from "../plan/ports";
import { isActive } from "../plan/region-states";
import { schedules } from "../plan/schedules";
import type { SiteConfig } from "./config";
import { regionTraffic } from "./traffic";

/** What a region's stores and jobs build on. */
export interface RegionArgs {
  config: SiteConfig;
  region: SiteConfig["regions"][number];
  cluster: GkeCluster;
  /** E-mail addresses of the identities whose Kubernetes accounts the cluster gets. */
  emails: Partial<Record<IdentityId, string>>;
  onePasswordToken: string;
  restoring: boolean;
  /** Something is brought back in place here. */
  recovering: boolean;
}

/** One region of a site: everything inside its GKE cluster. */
export interface Region {
  cluster: GkeCluster;
  datacenter: string;
  spaces: Namespaces;
  /** The keystores of the region's Cassandra nodes. */
  internode: InternodeCertificates;
  disks: StoreDisks;
  /** CassandraDatacenter and Medusa's resources work from then on. */
  cassandraOperator: Resource;
  elasticsearch: ElasticsearchCluster;
  /** Kubernetes accounts. */
  accounts: Resource[];
}

/** Declares what runs in one region's cluster, in the order in which it can work. */
export function region(args: RegionArgs): Region {
  const { config, cluster } = args;
  const { name, datacenter, zones } = args.region;
  const spaces = new Namespaces(`namespaces-${name}`, {
    cluster,
    protect: config.deletionProtection ? [namespaces.cassandra, namespaces.elasticsearch] : [],
    storeClients: [namespaces.services],
    namespaces: {
      [namespaces.certManager]: "restricted",
      [namespaces.elasticOperator]: "restricted",
      [namespaces.onepassword]: "restricted",
      [namespaces.cassandra]: "baseline",
      [namespaces.elasticsearch]: "baseline",
      [namespaces.dr]: "restricted",
      [namespaces.services]: "restricted",
    },
  });
  new NetworkPolicies(
    `network-${name}`,
    {
      cluster,
      nodes: regionRanges(name).nodes,
      namespaces: regionTraffic(
        config.regions.filter((other) => other.name !== name).map((other) => regionRanges(other.name)),
        regionRanges(config.controlRegion),
      ),
    },
    { dependsOn: [spaces] },
  );
  const accounts = kubernetesAccounts(args, [spaces]);
  const token = new BootstrapToken(
    `bootstrap-token-${name}`,
    { cluster, token: args.onePasswordToken },
    { dependsOn: [spaces] },
  );
  const operators = new Operators(
    `operators-${name}`,
    {
      cluster,
      repository: config.charts.repository,
      mirror: config.images.mirror,
      controlPlane: false,
      deletionProtection: config.deletionProtection,
    },
    { dependsOn: [spaces, token] },
  );
  const internode = new InternodeCertificates(
    `internode-${datacenter}`,
    { cluster, datacenter, vault: config.onePassword.vault },
    { dependsOn: [operators.certificates, operators.onePassword] },
  );
  const disks = new StoreDisks(
    `disks-${name}`,
    { cluster, deletionProtection: config.deletionProtection },
    { dependsOn: [spaces] },
  );
  // Managed collection admits these objects by a webhook in the cluster: it answers once the operators, too, have machines.
  new CassandraMetrics(`metrics-${datacenter}`, { cluster }, { dependsOn: [operators] });
  const searchUsers = elasticsearchUsers.map(
    (item) =>
      new SecretItem(
        // The services' one came first, and has the name of then.
        `${item === secrets.servicesElasticsearch ? "elasticsearch-user" : item}-${datacenter}`,
        {
          cluster,
          namespace: namespaces.elasticsearch,
          vault: config.onePassword.vault,
          item,
          // The form in which ECK takes a user.
          type: "kubernetes.io/basic-auth",
        },
        { dependsOn: [operators.onePassword] },
      ),
  );
  new Scrape(
    `scrape-cert-manager-${name}`,
    {
      cluster,
      namespace: namespaces.certManager,
      pods: { "app.kubernetes.io/name": "cert-manager" },
      port: ports.certManagerMetrics,
    },
    { dependsOn: [operators] },
  );
  const elasticsearch = new ElasticsearchCluster(
    `elasticsearch-${datacenter}`,
    {
      cluster,
      zones,
      nodes: config.elasticsearch.nodes,
      mirror: config.images.mirror,
      deletionProtection: config.deletionProtection,
    },
    { dependsOn: [operators.elasticsearch!, ...searchUsers.map(({ item }) => item), disks, ...accounts] },
  );
  return {
    cluster,
    datacenter,
    spaces,
    internode,
    disks,
    cassandraOperator: operators.cassandra,
    elasticsearch,
    accounts,
  };
}

/** What the nightly snapshots of a region need besides the region itself. */
export interface SnapshotsOfArgs {
  config: SiteConfig;
  cassandra: CassandraCluster;
  /** The primary bucket's policy: from then on the identities may use it. */
  bucketPolicy: Resource;
  restoring: boolean;
}

/** Declares a region's nightly snapshots. */
export function snapshots(region: Region, { config, cassandra, bucketPolicy, restoring }: SnapshotsOfArgs): void {
  const { cluster, datacenter, elasticsearch } = region;
  const { cassandraSnapshot, elasticsearchSnapshot } = schedules;
  new Snapshots(
    `snapshots-${datacenter}`,
    {
      cluster,
      datacenter,
      bucket: config.backups.bucket,
      image: config.images.jobs,
      nodes: config.cassandra.nodesPerRegion,
      racks: config.cassandra.racks,
      datacenters: config.regions.filter(isActive).map((each) => each.datacenter),
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
      approvedDrops: config.approvedDrops,
      suspend: restoring,
    },
    { dependsOn: [cassandra, elasticsearch, bucketPolicy] },
  );
}

/** Declares a region's canaries. `schema` has made what they need in Cassandra. */
export function canaries({ cluster, datacenter, elasticsearch }: Region, config: SiteConfig, schema: Resource): void {
  new Canary(
    `canary-${datacenter}`,
    { cluster, datacenter, image: config.images.jobs, onePasswordVault: config.onePassword.vault },
    { dependsOn: [elasticsearch, schema] },
  );
}

/** What the services of a region need besides the region itself. */
export interface ServicesOfArgs {
  config: SiteConfig;
  region: SiteConfig["regions"][number];
  manifests: Manifest[];
  /** Comes before them: the load balancer's groups, their schema, and a restore that is under way. */
  dependsOn: Resource[];
}

/** Declares a region's services. */
export function services(region: Region, { config, region: entry, manifests, dependsOn }: ServicesOfArgs): Services {
  const { cluster, datacenter, accounts, elasticsearch } = region;
  return new Services(
    `services-${datacenter}`,
    {
      cluster,
      manifests,
      image: config.images.services,
      zones: entry.zones.length,
      config: {
        REGION: entry.name,
        DATACENTER: datacenter,
        CASSANDRA_CONTACT_POINTS: cassandraContactPoint(datacenter),
        ELASTICSEARCH_URL: elasticsearchUrl,
        ELASTICSEARCH_CERTIFICATES: `${namespaces.elasticsearch}/${secrets.elasticCertificates}`,
        MEDIA_BUCKETS: mediaBucketsOf(config.media.prefix)
          .map(({ name }) => name)
          .join(","),
      },
      onePasswordVault: config.onePassword.vault,
    },
    { dependsOn: [elasticsearch, ...accounts, ...dependsOn] },
  );
}

/** The Kubernetes accounts of every identity that lives in the cluster. */
function kubernetesAccounts(
  { cluster, emails, region, restoring, recovering }: RegionArgs,
  dependsOn: Resource[],
): Resource[] {
  return (Object.keys(emails) as IdentityId[]).flatMap((id) =>
    identity(id)
      .kubernetes.filter((account) => restoring || recovering || account.name !== "restore-runner")
      .map((account) =>
        kubernetesAccount(`${account.name}-${region.name}`, account, emails[id]!, {
          ...cluster.inside(cluster),
          dependsOn,
        }),
      ),
  );
}
