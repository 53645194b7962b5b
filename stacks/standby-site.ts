/** The active standby: a site's stores, restored from S3, and the services over them (D4). */
import type * as aws from "@pulumi/aws";
import type { Resource } from "@pulumi/pulumi";
import type { EksCluster } from "../components/aws/eks-cluster";
import { Failback } from "../components/aws/failback";
import { GoogleAccess } from "../components/aws/google-access";
import { googleConfigMaps } from "../components/aws/s3-copier";
import { TargetBinding, targetHealthy } from "../components/aws/target-binding";
import { CassandraCluster } from "../components/cassandra";
import { ElasticsearchCluster } from "../components/elasticsearch";
import { InternodeCertificates } from "../components/internode-certificates";
import { elasticsearchUrl } from "../components/job-pod";
import { Restore } from "../components/restore";
import { SecretItem } from "../components/secret-item";
import { SuperuserSecret } from "../components/secrets";
import { Services } from "../components/services";
import { cassandraContactPoint, ServicesSchema } from "../components/services-schema";
import { Snapshots } from "../components/snapshots";
import { StoreDisks } from "../components/store-disks";
import { namespaces, secrets, serviceAccountEmail } from "../plan/names";
import { schedules } from "../plan/schedules";
import { type StandbyBuckets, s3Url, standbyRegion, standbyZones } from "../plan/standby";
import type { StandbyConfig } from "./config";
import type { FoundCopy } from "./copies";
import { serviceManifests } from "./manifests";
import { type StandbyPilot, standbyAccounts } from "./standby-pilot";
import type { StandbyStorage } from "./standby-storage";

/** What an activation builds on. */
export interface StandbySiteArgs {
  config: StandbyConfig;
  cluster: EksCluster;
  pilot: StandbyPilot;
  names: StandbyBuckets;
  storage: StandbyStorage;
  targetGroup: aws.lb.TargetGroup;
  /** What is restored; absent once `restored` says that it is done. */
  copy?: FoundCopy;
}

/**
 * Declares the stores, the restore, the services and their own backups, with the components of a site.
 * @returns what has to be there before the traffic turns
 */
export function standbySite(args: StandbySiteArgs): Resource[] {
  const { config, cluster, pilot, names, storage, copy } = args;
  const { datacenter, onePassword, images } = config;
  const { racks, nodesPerRegion: nodes, replicationFactor } = config.cassandra;
  const zones = [...standbyZones];
  const { operators, spaces } = pilot;
  const vault = onePassword.vault;
  const restoring = copy !== undefined;
  const accounts = standbyAccounts(
    cluster,
    [
      "standby-restorer",
      "standby-cassandra-backup",
      "standby-elasticsearch-backup",
      ...(config.vault.failbackBucket ? ["standby-failback" as const] : []),
    ],
    [spaces],
  );
  const superuser = new SuperuserSecret("superuser", { cluster, vault }, { dependsOn: [operators.onePassword] });
  const internode = new InternodeCertificates(
    `internode-${datacenter}`,
    { cluster, datacenter, vault },
    { dependsOn: [operators.certificates, operators.onePassword] },
  );
  const disks = new StoreDisks(
    "disks",
    { cluster, deletionProtection: config.deletionProtection },
    { dependsOn: [spaces] },
  );
  const searchUser = new SecretItem(
    "elasticsearch-user",
    {
      cluster,
      namespace: namespaces.elasticsearch,
      vault,
      item: secrets.servicesElasticsearch,
      // The form in which ECK takes a user.
      type: "kubernetes.io/basic-auth",
    },
    { dependsOn: [operators.onePassword] },
  );
  const elasticsearch = new ElasticsearchCluster(
    "elasticsearch",
    {
      cluster,
      zones,
      nodes: config.elasticsearch.nodes,
      mirror: images.mirror,
      s3: { role: storage.searchRole, region: standbyRegion },
      deletionProtection: config.deletionProtection,
    },
    { dependsOn: [operators.elasticsearch!, searchUser.item, disks, ...accounts, ...storage.serving] },
  );
  const cassandra = new CassandraCluster(
    "cassandra",
    {
      control: cluster,
      datacenters: [{ datacenter, zones, local: true }],
      racks,
      nodes,
      replicationFactor,
      bucket: names.backups,
      s3Region: standbyRegion,
      mirror: images.mirror,
      restoring,
      deletionProtection: config.deletionProtection,
    },
    {
      dependsOn: [operators.cassandra, superuser.item, internode.certificate, disks, ...accounts, ...storage.serving],
    },
  );
  const restore =
    copy &&
    new Restore("restore", {
      source: copy.source,
      marker: copy.marker,
      markerKeys: config.vault.markerKeys,
      copiesBucket: s3Url(names.copies),
      bucket: s3Url(names.backups),
      image: images.jobs,
      regions: [{ cluster, datacenter, elasticsearch }],
      // A site has more datacenters; one of them holds everything.
      leaveAbsent: true,
      cassandra,
      copyDependsOn: [...accounts, ...storage.serving],
    });
  const data: Resource[] = [cassandra, elasticsearch, ...(restore ? [restore] : [])];
  new Snapshots(
    "snapshots",
    {
      cluster,
      datacenter,
      bucket: s3Url(names.backups),
      image: images.jobs,
      nodes,
      racks,
      datacenters: [datacenter],
      schedules: {
        cassandraSnapshot: schedules.cassandraSnapshot,
        elasticsearchSnapshot: schedules.elasticsearchSnapshot,
      },
      approvedDrops: [],
      suspend: restoring,
    },
    { dependsOn: data },
  );
  const schema = new ServicesSchema(
    "services-schema",
    {
      cluster,
      datacenter,
      datacenters: [datacenter],
      replicationFactor,
      image: images.services,
      onePasswordVault: vault,
    },
    // An empty standby serves nobody.
    { dependsOn: data },
  );
  // Before the pods, which are ready when the load balancer has found them so: what is up is answered.
  const binding = new TargetBinding(
    "target-binding",
    { cluster, targetGroup: args.targetGroup },
    { dependsOn: [pilot.controller.release, spaces] },
  );
  const services = new Services(
    "services",
    {
      cluster,
      manifests: serviceManifests(),
      image: images.services,
      zones: zones.length,
      config: {
        REGION: standbyRegion,
        DATACENTER: datacenter,
        CASSANDRA_CONTACT_POINTS: cassandraContactPoint(datacenter),
        ELASTICSEARCH_URL: elasticsearchUrl,
        ELASTICSEARCH_CERTIFICATES: `${namespaces.elasticsearch}/${secrets.elasticCertificates}`,
        // What the product calls a bucket by, where it is written here, and where it is read when it is not there yet.
        MEDIA_BUCKETS: names.media.map(({ name, live }) => `${name}=${s3Url(live)}`).join(","),
        MEDIA_COPIES: names.media.map(({ copies }) => s3Url(copies)).join(","),
      },
      onePasswordVault: vault,
      readinessGates: { front: [targetHealthy] },
      customerBuckets: config.customerBuckets,
    },
    { dependsOn: [schema, binding, ...pilot.services] },
  );
  if (config.vault.failbackBucket) {
    const { project, projectNumber, failbackBucket } = config.vault;
    const configMap = googleConfigMaps.failback;
    const email = serviceAccountEmail("standby-failback", project);
    const google = new GoogleAccess(
      "google-failback",
      { cluster, configMap, projectNumber, email },
      { dependsOn: [spaces] },
    );
    new Failback(
      "failback",
      {
        cluster,
        image: images.jobs,
        datacenter,
        backups: names.backups,
        failbackBucket,
        media: names.media,
        configMap,
        google,
      },
      { dependsOn: [...data, ...accounts, ...storage.serving] },
    );
  }
  return [services];
}
