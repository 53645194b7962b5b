import { ClusterKeys } from "../components/cluster-keys";
import { CopiesBucket } from "../components/copies-bucket";
import { FailbackBucket } from "../components/failback-bucket";
import { Freshness } from "../components/freshness";
import { GkeCluster } from "../components/gke-cluster";
import { MarkerKey } from "../components/marker-key";
import { MediaBuckets } from "../components/media-buckets";
import { MediaReplication } from "../components/media-replication";
import { MediaRestoreIdentities } from "../components/media-restore-identities";
import { MediaRestores } from "../components/media-restores";
import { Namespaces } from "../components/namespaces";
import { Network } from "../components/network";
import { NetworkPolicies } from "../components/network-policies";
import { clusterServices, ProjectServices } from "../components/project-services";
import { Pruning } from "../components/pruning";
import { Registry } from "../components/registry";
import { Replication } from "../components/replication";
import { RestoreGrant } from "../components/restore-grant";
import { StandbyReader } from "../components/standby-reader";
import { Verification } from "../components/verification";
import { kubernetesAccount, WorkloadIdentity } from "../components/workload-identity";
import { regionRanges } from "../plan/addresses";
import { type IdentityId, identity } from "../plan/identities";
import { repository } from "../plan/layout";
import { maintenanceDays } from "../plan/maintenance";
import { mediaBucketsOf } from "../plan/media";
import {
  clusterName,
  namespaces,
  nodeAccountId,
  registries,
  registryAddress,
  serviceAccountEmail,
} from "../plan/names";
import { continentalMultiRegions, regions } from "../plan/regions";
import { copyTiers } from "../plan/retention";
import { schedules } from "../plan/schedules";
import { jobNodes, pools, verificationNodes } from "../plan/sizing";
import { standbySite } from "../plan/standby";
import type { VaultConfig } from "./config";
import { labelEverything } from "./labels";
import { monitorVault } from "./monitoring";
import type { Outputs } from "./program";
import { vaultTraffic } from "./traffic";

/** The second copies, who writes them, and who may read them for a while. It knows no production credential. */
export function vault(config: VaultConfig): Outputs {
  labelEverything(config.role);
  const { project, location, deletionProtection, copies } = config;
  const services = new ProjectServices("apis", {
    project,
    services: [
      "artifactregistry.googleapis.com",
      ...clusterServices,
      // The standby's tokens are exchanged in the pool's project.
      ...(config.standby ? ["sts.googleapis.com"] : []),
    ],
  });
  const network = new Network("network", { project, prefix: "vault", regions: [location] }, { dependsOn: [services] });
  const keys = new ClusterKeys(
    "cluster-keys",
    { project, clusters: { [location]: clusterName("vault", location) }, deletionProtection },
    { dependsOn: [services] },
  );
  const cluster = new GkeCluster(
    `cluster-${location}`,
    {
      project,
      clusterName: clusterName("vault", location),
      region: location,
      zones: regions.get(location)!.zones,
      network: network.network.id,
      subnetwork: network.subnets[location]!.id,
      nodeAccountId: nodeAccountId(location),
      pools: [
        {
          name: pools.jobs,
          machineType: jobNodes.machineType,
          diskGigabytes: jobNodes.diskGigabytes,
          perZone: { min: jobNodes.minPerZone, max: jobNodes.maxPerZone },
        },
        {
          name: pools.verification,
          machineType: verificationNodes.machineType,
          diskGigabytes: verificationNodes.diskGigabytes,
          perZone: { min: verificationNodes.minPerZone, max: verificationNodes.maxPerZone },
          dedicated: true,
        },
      ],
      authorizedNetworks: config.authorizedNetworks,
      secretsKey: keys.keys[location]!.id,
      maintenanceDays: maintenanceDays(),
      deletionProtection,
    },
    { dependsOn: [services, keys] },
  );
  const pulling = [...config.sites, ...config.restoreGrants];
  new Registry(
    "registry",
    {
      project,
      location,
      readers: {
        images: [...nodesOf({ project, regions: [location] }), ...pulling.flatMap(nodesOf)],
        // The vault's own cluster verifies copies with the servers that sites run.
        mirror: [...nodesOf({ project, regions: [location] }), ...pulling.flatMap(nodesOf)],
        charts: [...new Set(pulling.flatMap(({ deployer }) => deployer ?? []))],
      },
      writers: config.publishers,
      deletionProtection,
    },
    // The cluster brings the account of its nodes.
    { dependsOn: [services, cluster] },
  );
  const replicator = new WorkloadIdentity(
    "backup-replicator",
    { identity: "backup-replicator", project, poolProject: project },
    // The project's identity pool comes into being with its first cluster.
    { dependsOn: [cluster] },
  );
  const freshness = new WorkloadIdentity(
    "freshness",
    { identity: "freshness", project, poolProject: project },
    { dependsOn: [cluster] },
  );
  const verifier = new WorkloadIdentity(
    "verifier",
    { identity: "verifier", project, poolProject: project },
    { dependsOn: [cluster] },
  );
  const pruner = new WorkloadIdentity(
    "pruner",
    { identity: "pruner", project, poolProject: project },
    { dependsOn: [cluster] },
  );
  const grants = config.restoreGrants.map(
    (grant) =>
      new RestoreGrant(
        `restore-${grant.site}`,
        {
          project,
          site: grant.site,
          siteProject: grant.project,
          source: grant.source,
          copiesBucket: copies.bucket,
          expires: grant.expires,
          manifestReader: grant.manifestReader,
        },
        { dependsOn: [services] },
      ),
  );
  const copier =
    config.standby &&
    new StandbyReader(
      "standby-copier",
      {
        identity: "standby-copier",
        project,
        issuer: config.standby.issuer,
        ...(config.standby.failback && { others: ["standby-failback" as const] }),
      },
      { dependsOn: [services] },
    );
  const copying = copier ? [{ identity: "standby-copier" as const, member: copier.member }] : [];
  const primaries = config.sites.flatMap((site) => site.location ?? []);
  const bucket = new CopiesBucket(
    "copies",
    {
      project,
      bucket: copies.bucket,
      location,
      primaries: primaries.length > 0 ? primaries : continentalMultiRegions(location),
      retentionDays: copies.retentionDays,
      grants: [
        { identity: "deployer", member: config.deployer },
        { identity: "backup-replicator", member: `serviceAccount:${replicator.email}` },
        { identity: "freshness", member: `serviceAccount:${freshness.email}` },
        { identity: "verifier", member: `serviceAccount:${verifier.email}` },
        { identity: "pruner", member: `serviceAccount:${pruner.email}` },
        ...copying,
        ...grants.flatMap((grant) => grant.grants),
      ],
      accounts: [
        replicator.account,
        freshness.account,
        verifier.account,
        pruner.account,
        ...(copier ? [copier.account] : []),
        ...grants.map((grant) => grant.identity.account),
      ],
      deletionProtection,
    },
    { dependsOn: [services] },
  );
  const markerKey = new MarkerKey(
    "marker-key",
    {
      project,
      location,
      versions: copies.keyVersions,
      signers: [`serviceAccount:${replicator.email}`],
      accounts: [replicator.account],
      deletionProtection,
    },
    { dependsOn: [services] },
  );
  const returning = config.standby?.failback;
  // What the standby wrote is copied and verified as any site's.
  const copied = [...config.sites, ...(returning ? [returningSite(returning)] : [])];
  const failback =
    returning &&
    copier &&
    new FailbackBucket(
      "failback",
      {
        project,
        bucket: returning.bucket,
        location,
        pool: copier.pool,
        grants: [
          { identity: "deployer", member: config.deployer },
          { identity: "backup-replicator", member: `serviceAccount:${replicator.email}` },
        ],
        accounts: [replicator.account],
        deletionProtection,
      },
      { dependsOn: [services] },
    );
  const mediaReplicator =
    config.media &&
    new WorkloadIdentity(
      "media-replicator",
      { identity: "media-replicator", project, poolProject: project },
      { dependsOn: [cluster] },
    );
  const restores = config.media?.restores ?? [];
  const mediaRestorers =
    restores.length > 0
      ? new MediaRestoreIdentities("media-restorers", { project, restores }, { dependsOn: [cluster] })
      : undefined;
  const secondaries =
    mediaReplicator &&
    new MediaBuckets(
      "second-media",
      {
        project,
        buckets: mediaBucketsOf(config.media!.prefix),
        store: "secondMedia",
        location,
        primaries: [config.media!.location],
        // Noncurrent media go by lifecycle: the pruner has nothing to do there, nor the verifier.
        grants: [
          { identity: "deployer", member: config.deployer },
          { identity: "media-replicator", member: `serviceAccount:${mediaReplicator.email}` },
          ...copying,
        ],
        restores: { project, open: restores },
        accounts: [
          mediaReplicator.account,
          ...(copier ? [copier.account] : []),
          ...[...(mediaRestorers?.identities.values() ?? [])].map((each) => each.account),
        ],
        deletionProtection,
      },
      { dependsOn: [services] },
    );
  const spaces = new Namespaces("namespaces", { cluster, namespaces: { [namespaces.dr]: "restricted" } });
  const accountsOf = (row: IdentityId, { email }: WorkloadIdentity) =>
    identity(row).kubernetes.map((account) =>
      kubernetesAccount(account.name, account, email, { ...cluster.inside(cluster), dependsOn: [spaces] }),
    );
  new NetworkPolicies(
    "network-policies",
    { cluster, nodes: regionRanges(location).nodes, namespaces: vaultTraffic },
    { dependsOn: [spaces] },
  );
  new Replication(
    "replication",
    {
      cluster,
      copiesBucket: copies.bucket,
      sites: copied,
      image: config.images.jobs,
      markerKey,
      limits: copies.limits,
      snapshots: {
        cassandra: config.schedules.cassandraSnapshot ?? schedules.cassandraSnapshot.cron,
        elasticsearch: config.schedules.elasticsearchSnapshot ?? schedules.elasticsearchSnapshot.cron,
      },
      schedule: { ...schedules.replication, cron: config.schedules.replication ?? schedules.replication.cron },
    },
    {
      dependsOn: [
        ...accountsOf("backup-replicator", replicator),
        bucket.store.policy,
        ...(failback ? [failback.store.policy] : []),
        markerKey,
      ],
    },
  );
  new Freshness(
    "freshness",
    { cluster, copiesBucket: copies.bucket, sites: config.sites, image: config.images.jobs },
    { dependsOn: [...accountsOf("freshness", freshness), bucket.store.policy] },
  );
  new Verification(
    "verification",
    {
      cluster,
      copiesBucket: copies.bucket,
      sites: copied,
      image: config.images.jobs,
      mirror: registryAddress(location, project, registries.mirror),
      markerKeys: markerKey.publicKeys,
      schedule: { ...schedules.verification, cron: config.schedules.verification ?? schedules.verification.cron },
    },
    { dependsOn: [...accountsOf("verifier", verifier), bucket.store.policy, markerKey] },
  );
  new Pruning(
    "pruning",
    {
      cluster,
      copiesBucket: copies.bucket,
      sites: config.sites,
      image: config.images.jobs,
      markerKeys: markerKey.publicKeys,
      tiers: copyTiers,
      protectionDays: copies.retentionDays,
      distrusted: copies.distrusted,
      approvals: copies.pruneApprovals,
      schedule: { ...schedules.pruning, cron: config.schedules.pruning ?? schedules.pruning.cron },
    },
    { dependsOn: [...accountsOf("pruner", pruner), bucket.store.policy, markerKey] },
  );
  const repositories = config.sites.flatMap(({ name, repositories }) =>
    repositories.map((repository) => ({ site: name, repository })),
  );
  monitorVault(config, { copiesBucket: copies.bucket, repositories }, [services]);
  if (config.media && mediaReplicator && secondaries) {
    new MediaReplication(
      "media-replication",
      {
        cluster,
        buckets: mediaBucketsOf(config.media.prefix),
        breaker: config.media.breaker,
        approvals: config.media.approvals,
        restoring: restores.map(({ bucket }) => bucket),
        image: config.images.jobs,
        schedule: {
          ...schedules.mediaReplication,
          cron: config.schedules.mediaReplication ?? schedules.mediaReplication.cron,
        },
      },
      { dependsOn: [...accountsOf("media-replicator", mediaReplicator), secondaries] },
    );
  }
  if (mediaRestorers && secondaries) {
    const accounts = [...mediaRestorers.identities].flatMap(([row, made]) => accountsOf(row, made));
    new MediaRestores(
      "media-restores",
      { cluster, restores, image: config.images.jobs },
      { dependsOn: [...accounts, secondaries] },
    );
  }
  return {
    copiesBucket: bucket.store.bucket.name,
    markerKeys: markerKey.publicKeys,
    ...(secondaries && { secondMediaBuckets: secondaries.stores.map((store) => store.bucket.name) }),
    cluster: { name: cluster.clusterName, project, location, endpoint: cluster.cluster.endpoint },
    kubeconfig: cluster.kubeconfig,
    identities: {
      "backup-replicator": replicator.email,
      ...(mediaReplicator && { "media-replicator": mediaReplicator.email }),
      freshness: freshness.email,
      verifier: verifier.email,
      pruner: pruner.email,
      ...Object.fromEntries(grants.map((grant) => [grant.identity.email.split("@")[0]!, grant.identity.email])),
    },
  };
}

/** The standby's backups, where they arrive in a failback. */
function returningSite({ bucket, datacenter }: { bucket: string; datacenter: string }) {
  const kinds = ["cassandra", "elasticsearch"] as const;
  return { name: standbySite, bucket, repositories: kinds.map((kind) => repository(kind, datacenter)) };
}

/** IAM members of a site's nodes. */
function nodesOf({ project, regions: names }: { project: string; regions: string[] }): string[] {
  return names.map((name) => `serviceAccount:${serviceAccountEmail(nodeAccountId(name), project)}`);
}
