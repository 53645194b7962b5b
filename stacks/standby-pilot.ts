/** What runs in the standby's cluster while nothing is lost: the operators, and the copier that pulls. */
import type * as aws from "@pulumi/aws";
import type { Resource } from "@pulumi/pulumi";
import { CustomerBuckets } from "../components/aws/customer-buckets";
import type { EksCluster } from "../components/aws/eks-cluster";
import { GoogleAccess } from "../components/aws/google-access";
import { LoadBalancerController } from "../components/aws/load-balancer-controller";
import { googleConfigMaps, S3Copier } from "../components/aws/s3-copier";
import { Namespaces } from "../components/namespaces";
import { NetworkPolicies } from "../components/network-policies";
import { Operators } from "../components/operators";
import { BootstrapToken } from "../components/secrets";
import { kubernetesAccount } from "../components/workload-identity";
import { firstAddress } from "../plan/addresses";
import { type IdentityId, identity } from "../plan/identities";
import { namespaces, rackNames, serviceAccountEmail } from "../plan/names";
import { type StandbyBuckets, standbyRanges, standbyRegion } from "../plan/standby";
import type { StandbyConfig } from "./config";
import { standbyServicesTraffic, standbyTraffic } from "./traffic";

/** What the cluster's inside builds on. */
export interface StandbyPilotArgs {
  config: StandbyConfig;
  /** Of the standby's account and region; nothing here may fall to another. */
  provider: aws.Provider;
  cluster: EksCluster;
  vpc: aws.ec2.Vpc;
  /** Name of the load balancer's target group. */
  targetGroup: string;
  names: StandbyBuckets;
  onePasswordToken: string;
  /** Comes before everything: where images are pulled from. */
  dependsOn: Resource[];
  /** Roles with their associations, and closed buckets. */
  copierDependsOn: Resource[];
}

/** The cluster's inside, for what an activation adds. */
export interface StandbyPilot {
  spaces: Namespaces;
  operators: Operators;
  controller: LoadBalancerController;
  /** What the services find there: their accounts, and the list of customers' buckets. */
  services: Resource[];
}

/** Declares what the pilot light keeps alive, so that an activation waits for nothing but data and machines. */
export function standbyPilot(args: StandbyPilotArgs): StandbyPilot {
  const { config, cluster, names } = args;
  const { primary, vault, states } = config;
  const spaces = new Namespaces(
    "namespaces",
    {
      cluster,
      protect: config.deletionProtection ? [namespaces.cassandra, namespaces.elasticsearch] : [],
      storeClients: [namespaces.services],
      namespaces: {
        [namespaces.certManager]: "restricted",
        [namespaces.elasticOperator]: "restricted",
        [namespaces.onepassword]: "restricted",
        [namespaces.loadBalancer]: "restricted",
        [namespaces.cassandra]: "baseline",
        [namespaces.elasticsearch]: "baseline",
        [namespaces.dr]: "restricted",
        [namespaces.services]: "restricted",
      },
    },
    { dependsOn: args.dependsOn },
  );
  new NetworkPolicies(
    "network-policies",
    {
      cluster,
      // Machines, pods and the control plane's addresses are all in the network.
      nodes: standbyRanges.network,
      apiService: firstAddress(standbyRanges.services),
      namespaces: standbyTraffic,
      beside: standbyServicesTraffic,
    },
    { dependsOn: [spaces] },
  );
  const token = new BootstrapToken(
    "bootstrap-token",
    { cluster, token: args.onePasswordToken },
    { dependsOn: [spaces] },
  );
  const operators = new Operators(
    "operators",
    {
      cluster,
      repository: config.charts.repository,
      mirror: config.images.mirror,
      // One cluster for all: its control plane drives the stores beside it.
      controlPlane: true,
      stores: true,
      deletionProtection: config.deletionProtection,
    },
    { dependsOn: [spaces, token] },
  );
  const controller = new LoadBalancerController(
    "load-balancer-controller",
    {
      account: config.account,
      region: standbyRegion,
      cluster,
      vpc: args.vpc,
      repository: config.charts.repository,
      mirror: config.images.mirror,
      targetGroup: args.targetGroup,
    },
    { providers: { aws: args.provider }, dependsOn: [spaces] },
  );
  const accounts = standbyAccounts(cluster, ["standby-copier", ...(states ? ["state-reader" as const] : [])], [spaces]);
  const google = (name: string, configMap: string, row: IdentityId, of: { project: string; projectNumber: string }) =>
    new GoogleAccess(
      name,
      { cluster, configMap, projectNumber: of.projectNumber, email: serviceAccountEmail(row, of.project) },
      { dependsOn: [spaces] },
    );
  new S3Copier(
    "copier",
    {
      cluster,
      image: config.images.jobs,
      site: primary.site,
      copiesBucket: vault.copiesBucket,
      markerKeys: vault.markerKeys,
      buckets: names,
      topology: {
        datacenter: config.datacenter,
        nodes: config.cassandra.nodesPerRegion,
        racks: rackNames(config.cassandra.racks),
      },
      google: {
        copies: google("google-copies", googleConfigMaps.copies, "standby-copier", vault),
        ...(states && {
          states: {
            access: google("google-states", googleConfigMaps.states, "state-reader", states),
            buckets: states.buckets,
          },
        }),
      },
      approvals: config.media.approvals,
      suspend: config.active,
    },
    { dependsOn: [...accounts, ...args.copierDependsOn] },
  );
  const services = standbyAccounts(cluster, ["standby-services"], [spaces]);
  const { customerBuckets: buckets, images, active: suspend } = config;
  const customers =
    buckets.length > 0
      ? [
          new CustomerBuckets(
            "customers",
            { cluster, image: images.services, buckets, suspend },
            { dependsOn: [spaces, ...services] },
          ),
        ]
      : [];
  return { spaces, operators, controller, services: [...services, ...customers] };
}

/** The Kubernetes accounts of some identities of AWS. */
export function standbyAccounts(cluster: EksCluster, ids: IdentityId[], dependsOn: Resource[]): Resource[] {
  return ids.flatMap((id) =>
    identity(id).kubernetes.map((account) =>
      kubernetesAccount(account.name, account, undefined, { ...cluster.inside(cluster), dependsOn }),
    ),
  );
}
