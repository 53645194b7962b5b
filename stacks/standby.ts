import * as aws from "@pulumi/aws";
import type { Resource } from "@pulumi/pulumi";
import { Account } from "../components/aws/account";
import { Alarms } from "../components/aws/alarms";
import { StandbyCertificate } from "../components/aws/certificate";
import { EksCluster } from "../components/aws/eks-cluster";
import type { EksPoolArgs } from "../components/aws/eks-nodes";
import { DomainZone, FailoverDns } from "../components/aws/failover-dns";
import { Keys } from "../components/aws/keys";
import { StandbyLoadBalancer } from "../components/aws/load-balancer";
import { LogsBucket } from "../components/aws/logs-bucket";
import { StandbyNetwork } from "../components/aws/network";
import { StandbyRegistry } from "../components/aws/registry";
import { TrafficSwitch } from "../components/aws/traffic-switch";
import { Trail } from "../components/aws/trail";
import { standbyAlerts } from "../plan/alerts";
import type { Server } from "../plan/failover";
import { imagePath, images } from "../plan/images";
import { registries } from "../plan/names";
import { databaseNodesPerZone, pools, standbyNodes } from "../plan/sizing";
import {
  ownImages,
  standbyBuckets,
  standbyClusterName,
  standbyRanges,
  standbyRegion,
  standbyZones,
} from "../plan/standby";
import { appDomain } from "../plan/traffic";
import { charts, eksVersion } from "../plan/versions";
import type { StandbyConfig } from "./config";
import type { FoundCopy } from "./copies";
import { labelEverything } from "./labels";
import type { Outputs } from "./program";
import { standbyPilot } from "./standby-pilot";
import { standbySite } from "./standby-site";
import { filters, standbyStorage } from "./standby-storage";

/**
 * The standby on AWS (S7, D4). Until it is active, a pilot light: copies that are pulled every night, the cluster with its
 * operators, the load balancer, certificate and DNS records that need nobody's call when Google is lost. Active, it is a site:
 * `up` ends when the data is back from S3, the services answer and the traffic has turned.
 * @param copy what is restored; only with `active`, and until `restored` says that it is done
 */
export function standby(config: StandbyConfig, onePasswordToken: string, copy?: FoundCopy): Outputs {
  labelEverything(config.role);
  const { account, deletionProtection, active, deployer, previewer } = config;
  const provider = new aws.Provider("aws", { region: standbyRegion, allowedAccountIds: [account] });
  const opts = { providers: { aws: provider } };
  const names = standbyBuckets(config.buckets.prefix, config.media.prefix, config.activation);
  const deployers = [deployer, ...(previewer ? [previewer] : [])];
  const { keys } = new Keys("keys", { account, region: standbyRegion, deployer, deletionProtection }, opts);
  new Account("account", { volumesKey: keys.volumes }, opts);
  const logs = new LogsBucket(
    "logs",
    { account, region: standbyRegion, bucket: names.logs, trail: standbyClusterName, deletionProtection },
    opts,
  );
  const watched = [names.copies, ...names.media.map(({ copies }) => copies), names.states, names.traffic];
  new Trail("trail", { trailName: standbyClusterName, logs, buckets: watched, deletionProtection }, opts);
  const network = new StandbyNetwork(
    "network",
    {
      networkName: standbyClusterName,
      region: standbyRegion,
      zones: standbyZones,
      ranges: standbyRanges,
      everyZone: active,
      logs,
    },
    opts,
  );
  const registry = new StandbyRegistry(
    "registry",
    { repositories: repositories(), publishers: config.publishers, deletionProtection },
    opts,
  );
  const cluster = new EksCluster(
    "cluster",
    {
      account,
      region: standbyRegion,
      clusterName: standbyClusterName,
      version: eksVersion,
      subnets: network.private,
      serviceRange: standbyRanges.services,
      authorizedNetworks: config.authorizedNetworks,
      deployer,
      ...(previewer && { previewer }),
      secretsKey: keys.secrets,
      volumesKey: keys.volumes,
      logsKey: keys.logs,
      pools: standbyPools(config),
      machinesDependOn: network.routes,
      deletionProtection,
    },
    opts,
  );
  const storage = standbyStorage({ config, names, deployers, logs: logs.bucket, cluster }, opts);

  // Who serves is said first: while Google comes and goes during the restore, its data is not served again.
  const serves: Server = active ? "standby" : "primary";
  const trafficSwitch = new TrafficSwitch(
    "traffic",
    {
      region: standbyRegion,
      bucket: names.traffic,
      deployers: [deployer],
      serves,
      logs: logs.bucket,
      deletionProtection,
    },
    opts,
  );
  const { zone } = new DomainZone("zone", { domain: appDomain, deletionProtection }, opts);
  const certificate = new StandbyCertificate("certificate", { domain: appDomain, zone, deletionProtection }, opts);
  const balancer = new StandbyLoadBalancer(
    "load-balancer",
    {
      loadBalancerName: standbyClusterName,
      network,
      pods: cluster.securityGroup,
      domain: appDomain,
      certificate: certificate.issued,
      logs,
      deletionProtection,
    },
    opts,
  );
  const pilot = standbyPilot({
    config,
    provider,
    cluster,
    vpc: network.vpc,
    targetGroup: standbyClusterName,
    names,
    onePasswordToken,
    dependsOn: registry.repositories,
    copierDependsOn: storage.copying,
  });
  const serving: Resource[] = active
    ? standbySite({ config, cluster, pilot, names, storage, targetGroup: balancer.targetGroup, ...(copy && { copy }) })
    : [];
  const dns = new FailoverDns(
    "dns",
    {
      domain: appDomain,
      zone,
      primary: {
        address: config.primary.address,
        ...(config.primary.certificateRecord && { certificateRecord: config.primary.certificateRecord }),
      },
      loadBalancer: balancer.loadBalancer,
      trafficSwitch,
      serves,
      dependsOn: [...balancer.listeners, ...serving],
    },
    opts,
  );
  new Alarms(
    "alarms",
    {
      account,
      alerts: standbyAlerts,
      scope: {
        copies: names.copies,
        media: names.media.map(({ name, copies }) => ({ name, copies })),
        watched,
        ...filters,
        jobMetrics: "iconik/standby",
        active,
      },
      resources: {
        "primary-check": dns.primary.id,
        "named-check": dns.named.id,
        "reachable-check": dns.reachable.id,
        "load-balancer": balancer.metricName,
        "target-group": balancer.targetGroup.arnSuffix,
        certificate: certificate.issued,
      },
      jobLogs: cluster.podLogs,
      logsKey: keys.logs,
      subscribers: config.notifications,
    },
    opts,
  );
  return {
    active,
    // What the vault's and the bootstrap's configuration trust: `standby.issuer` and `stateReader.issuer`.
    issuer: cluster.issuer,
    // What the parent zone delegates to.
    nameServers: zone.nameServers,
    cluster: { name: cluster.clusterName, region: standbyRegion, endpoint: cluster.cluster.endpoint },
    kubeconfig: cluster.kubeconfig,
    loadBalancer: balancer.loadBalancer.dnsName,
    buckets: names,
    ...(copy && { restored: copy.marker }),
  };
}

/** Every image and chart that the standby pulls. */
function repositories(): string[] {
  return [
    ...ownImages,
    ...Object.values(images).map((image) => `${registries.mirror}/${imagePath(image)}`),
    ...Object.values(charts).map(({ name }) => `${registries.charts}/${name}`),
  ];
}

/** Machines: the pilot's always, the others while the standby is active. */
function standbyPools({ active, cassandra, elasticsearch }: StandbyConfig): EksPoolArgs[] {
  const { pilot, databases, services } = standbyNodes;
  const stores = databaseNodesPerZone({ cassandra, elasticsearch }, standbyZones.length);
  return [
    {
      name: pools.pilot,
      instanceType: pilot.instanceType,
      diskGigabytes: pilot.diskGigabytes,
      count: { total: pilot.count },
      max: pilot.max,
    },
    {
      name: pools.databases,
      instanceType: databases.instanceType,
      diskGigabytes: databases.diskGigabytes,
      count: { perZone: active ? stores : 0 },
      dedicated: true,
    },
    {
      name: pools.services,
      instanceType: services.instanceType,
      diskGigabytes: services.diskGigabytes,
      count: { perZone: active ? services.perZone : 0 },
    },
  ];
}
