import { BackupBucket } from "../components/backup-bucket";
import { GkeCluster } from "../components/gke-cluster";
import { Network } from "../components/network";
import { ProjectServices } from "../components/project-services";
import { Restore } from "../components/restore";
import { WorkloadIdentity } from "../components/workload-identity";
import type { IdentityId } from "../plan/identities";
import { clusterName, datacenterDomain, nodeAccountId, restorerAccountId, serviceAccountEmail } from "../plan/names";
import { databaseNodes, databaseNodesPerZone, serviceNodes } from "../plan/sizing";
import type { SiteConfig } from "./config";
import type { FoundCopy } from "./copies";
import type { Outputs } from "./program";
import { type Region, region } from "./region";

/** Identities that the site owns. */
const own = ["cassandra-backup", "elasticsearch-backup"] as const satisfies IdentityId[];

/** Cassandra between nodes, plain and encrypted: datacenters reach each other across regions. */
const cassandraPorts = ["7000", "7001"];

/**
 * A site: network, a GKE cluster per region, Cassandra over all regions, an Elasticsearch cluster per region, nightly
 * backups. With a copy to restore, `up` ends when the data is back and checked; until then every backup is suspended.
 */
export function site(config: SiteConfig, onePasswordToken: string, copy?: FoundCopy): Outputs {
  const { project, deletionProtection, vault } = config;
  const services = new ProjectServices("apis", {
    project,
    services: [
      "cloudresourcemanager.googleapis.com",
      "compute.googleapis.com",
      "container.googleapis.com",
      "dns.googleapis.com",
      "iam.googleapis.com",
      "iamcredentials.googleapis.com",
      "logging.googleapis.com",
      "monitoring.googleapis.com",
      "storage.googleapis.com",
    ],
  });
  const network = new Network(
    "network",
    {
      project,
      prefix: config.site,
      regions: config.regions.map(({ name }) => name),
      podPorts: cassandraPorts,
    },
    { dependsOn: [services] },
  );
  const clusters = config.regions.map(
    ({ name, datacenter, zones }) =>
      new GkeCluster(
        `cluster-${name}`,
        {
          project,
          clusterName: clusterName(config.site, name),
          region: name,
          zones,
          network: network.network.id,
          subnetwork: network.subnets[name]!.id,
          nodeAccountId: nodeAccountId(name),
          dnsDomain: datacenterDomain(datacenter),
          pools: [
            {
              name: "databases",
              machineType: databaseNodes.machineType,
              diskGigabytes: databaseNodes.diskGigabytes,
              perZone: databaseNodesPerZone(config, zones.length),
              dedicated: true,
            },
            {
              name: "services",
              machineType: serviceNodes.machineType,
              diskGigabytes: serviceNodes.diskGigabytes,
              perZone: { min: serviceNodes.minPerZone, max: serviceNodes.maxPerZone },
            },
          ],
          authorizedNetworks: config.authorizedNetworks,
          deletionProtection,
        },
        { dependsOn: [services] },
      ),
  );
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
        ...(copy ? [{ identity: "restorer" as const, member: `serviceAccount:${restorer}` }] : []),
      ],
      accounts: identities.map((identity) => identity.account),
      deletionProtection,
    },
    { dependsOn: [services] },
  );
  const emails = Object.fromEntries(own.map((id, index) => [id, identities[index]!.email]));

  const regions: Region[] = [];
  for (const [index, entry] of config.regions.entries()) {
    regions.push(
      region({
        config,
        region: entry,
        cluster: clusters[index]!,
        // The copy runs in the first region; its account exists only while the site is being restored.
        emails: copy && index === 0 ? { ...emails, restorer } : emails,
        onePasswordToken,
        bucketPolicy: bucket.store.policy,
        firstDatacenter: regions[0]?.cassandra,
        restoring: copy !== undefined,
      }),
    );
  }
  if (copy) {
    new Restore("restore", {
      source: copy.source,
      marker: copy.marker,
      copiesBucket: vault.copiesBucket,
      bucket: config.backups.bucket,
      image: config.images.jobs,
      regions,
      copyDependsOn: [...regions[0]!.accounts, bucket.store.policy],
    });
  }
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
    backupBucket: bucket.store.bucket.name,
    identities: emails,
    ...(copy && { restored: copy.marker }),
  };
}
