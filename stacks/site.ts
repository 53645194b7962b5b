import { BackupBucket } from "../components/backup-bucket";
import { CanarySchema } from "../components/canary";
import { ClusterKeys } from "../components/cluster-keys";
import { GkeCluster, type NodePoolArgs, networkTag, type PassingRegion } from "../components/gke-cluster";
import { Network } from "../components/network";
import { clusterServices, ProjectServices } from "../components/project-services";
import { Restore } from "../components/restore";
import { WorkloadIdentity } from "../components/workload-identity";
import { regionRanges } from "../plan/addresses";
import type { IdentityId } from "../plan/identities";
import { maintenanceDays } from "../plan/maintenance";
import { clusterName, nodeAccountId, restorerAccountId, serviceAccountEmail } from "../plan/names";
import { ports } from "../plan/ports";
import { isActive, isPassing, isSaved } from "../plan/region-states";
import { regions as knownRegions } from "../plan/regions";
import { controlNodes, databaseNodes, databaseNodesPerZone, pools, serviceNodes } from "../plan/sizing";
import { app } from "./app";
import type { SiteConfig } from "./config";
import { control } from "./control";
import { labelEverything } from "./labels";
import { monitorSite } from "./monitoring";
import type { Outputs } from "./program";
import { recover } from "./recover";
import { canaries, region, snapshots } from "./region";

/** Identities that the site owns. */
const own = ["cassandra-backup", "elasticsearch-backup", "services"] as const satisfies IdentityId[];

/**
 * A site: network, a GKE cluster per region and one that drives Cassandra over all of them, an Elasticsearch cluster per
 * region, nightly backups. With a copy to restore, `up` ends when the data is back and checked; until then every backup is suspended.
 */
export function site(config: SiteConfig, onePasswordToken: string): Outputs {
  labelEverything(config.role);
  const { project, deletionProtection, vault, controlRegion } = config;
  const names = config.regions.map(({ name }) => name);
  const services = new ProjectServices("apis", {
    project,
    services: clusterServices,
  });
  const network = new Network(
    "network",
    {
      project,
      prefix: config.site,
      regions: [...names, controlRegion],
      podAccess: [
        // Datacenters are one ring.
        ...(names.length > 1
          ? [
              {
                name: "pods-between-regions",
                from: names,
                on: networkTag(pools.databases),
                ports: [ports.cassandraInternode],
              },
            ]
          : []),
        // The control plane asks the nodes.
        {
          name: "pods-from-control",
          from: [controlRegion],
          on: networkTag(pools.databases),
          ports: [ports.cassandraManagement],
        },
      ],
    },
    { dependsOn: [services] },
  );
  const keys = new ClusterKeys(
    "cluster-keys",
    {
      project,
      clusters: Object.fromEntries([...names, controlRegion].map((name) => [name, clusterName(config.site, name)])),
      deletionProtection,
    },
    { dependsOn: [services] },
  );
  const cluster = (
    region: string,
    zones: string[],
    authorizedNetworks: string[],
    pools: NodePoolArgs[],
    passing?: PassingRegion,
  ) =>
    new GkeCluster(
      `cluster-${region}`,
      {
        project,
        clusterName: clusterName(config.site, region),
        region,
        zones,
        network: network.network.id,
        subnetwork: network.subnets[region]!.id,
        nodeAccountId: nodeAccountId(region),
        pools,
        authorizedNetworks,
        secretsKey: keys.keys[region]!.id,
        maintenanceDays: maintenanceDays(names.includes(region) ? names.indexOf(region) : undefined),
        deletionProtection,
        ...(passing && { passing }),
      },
      { dependsOn: [services, keys] },
    );
  const fromControl = regionRanges(controlRegion);
  const clusters = config.regions.map(({ name, datacenter, zones, state }) =>
    cluster(
      name,
      zones,
      [...config.authorizedNetworks, fromControl.nodes, fromControl.pods],
      regionPools(config, zones),
      isPassing(state) ? { state, datacenter } : undefined,
    ),
  );
  const controlCluster = cluster(controlRegion, knownRegions.get(controlRegion)!.zones, config.authorizedNetworks, [
    { name: pools.control, ...controlNodes },
  ]);
  const identities = own.map(
    (id) =>
      new WorkloadIdentity(
        id,
        { identity: id, project, poolProject: project },
        // The project's identity pool comes into being with its first cluster.
        { dependsOn: clusters.slice(0, 1) },
      ),
  );
  const restorer = serviceAccountEmail(restorerAccountId(config.site), vault.project);
  const bucket = new BackupBucket(
    "backups",
    {
      project,
      bucket: config.backups.bucket,
      location: config.backups.location,
      grants: [
        { identity: "deployer", member: config.deployer },
        ...own.map((id, index) => ({ identity: id, member: `serviceAccount:${identities[index]!.email}` })),
        {
          identity: "backup-replicator",
          member: `serviceAccount:${serviceAccountEmail("backup-replicator", vault.project)}`,
        },
        { identity: "freshness", member: `serviceAccount:${serviceAccountEmail("freshness", vault.project)}` },
        ...(config.restore ? [{ identity: "restorer" as const, member: `serviceAccount:${restorer}` }] : []),
      ],
      accounts: identities.map((identity) => identity.account),
      deletionProtection,
    },
    { dependsOn: [services] },
  );
  const emails = Object.fromEntries(own.map((id, index) => [id, identities[index]!.email]));

  const restoring = config.restore !== undefined;
  const regions = config.regions.map((entry, index) =>
    region({
      config,
      region: entry,
      cluster: clusters[index]!,
      // The copy runs in the first region; its account exists only while the site is being restored.
      emails: restoring && index === 0 ? { ...emails, restorer } : emails,
      onePasswordToken,
      restoring,
      recovering: config.recoveries.some(({ kind, datacenter }) => kind === "table" && datacenter === entry.datacenter),
    }),
  );
  const bucketPolicy = bucket.store.policy;
  const cassandra = control({
    config,
    cluster: controlCluster,
    regions,
    onePasswordToken,
    bucketPolicy,
    restoring,
  });
  // A datacenter that has left the ring has nothing to save, and one that joins nothing of its own.
  for (const each of regions.filter((_, index) => isSaved(config.regions[index]!)))
    snapshots(each, { config, cassandra, bucketPolicy, restoring });
  const restore =
    config.restore &&
    new Restore("restore", {
      source: config.restore.site,
      marker: config.restore.marker,
      ...(config.restore.before !== undefined && { before: config.restore.before }),
      copiesBucket: vault.copiesBucket,
      markerKeys: vault.markerKeys,
      bucket: config.backups.bucket,
      image: config.images.jobs,
      regions,
      cassandra,
      copyDependsOn: [...regions[0]!.accounts, bucketPolicy],
    });
  // A site that is being restored has the canaries of the old one; its own would hide how old they are.
  if (!restoring) {
    const writing = regions.filter((_, index) => isActive(config.regions[index]!));
    const schema = new CanarySchema(
      "canary-schema",
      {
        cluster: writing[0]!.cluster,
        datacenter: writing[0]!.datacenter,
        datacenters: writing.map(({ datacenter }) => datacenter),
        replicationFactor: config.cassandra.replicationFactor,
        image: config.images.jobs,
        onePasswordVault: config.onePassword.vault,
      },
      { dependsOn: [cassandra] },
    );
    for (const each of writing) canaries(each, config, schema);
  }
  app({
    config,
    network,
    regions,
    // An empty site serves nobody.
    dependsOn: [services],
    dataDependsOn: [cassandra, ...(restore ? [restore] : [])],
  });
  recover(config, regions, [cassandra, bucketPolicy]);
  monitorSite(
    config,
    {
      clusters: [...clusters, controlCluster].map(({ clusterName: each }) => each),
      regions: config.regions.filter(isSaved).length,
      canaries: config.regions.filter(isActive).length,
      backupBucket: config.backups.bucket,
    },
    restoring,
    [services],
  );
  return {
    site: config.site,
    regions: config.regions.map(({ name, datacenter }, index) => ({
      name,
      datacenter,
      cluster: clusters[index]!.clusterName,
      project,
      endpoint: clusters[index]!.cluster.endpoint,
      kubeconfig: clusters[index]!.kubeconfig,
    })),
    control: {
      name: controlRegion,
      cluster: controlCluster.clusterName,
      project,
      endpoint: controlCluster.cluster.endpoint,
      kubeconfig: controlCluster.kubeconfig,
    },
    backupBucket: bucket.store.bucket.name,
    identities: emails,
  };
}

/** Machines of a region: the stores have theirs to themselves. */
function regionPools(config: SiteConfig, zones: string[]): NodePoolArgs[] {
  return [
    {
      name: pools.databases,
      machineType: databaseNodes.machineType,
      diskGigabytes: databaseNodes.diskGigabytes,
      perZone: databaseNodesPerZone(config, zones.length),
      dedicated: true,
    },
    {
      name: pools.services,
      machineType: serviceNodes.machineType,
      diskGigabytes: serviceNodes.diskGigabytes,
      perZone: { min: serviceNodes.minPerZone, max: serviceNodes.maxPerZone },
    },
  ];
}
