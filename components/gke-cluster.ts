import * as gcp from "@pulumi/gcp";
import * as k8s from "@pulumi/kubernetes";
import {
  all,
  ComponentResource,
  type ComponentResourceOptions,
  type CustomResourceOptions,
  type Input,
  type Output,
  type Resource,
} from "@pulumi/pulumi";
import { datacenterLabel, regionStateLabel } from "../plan/labels";
import { maintenanceWindow } from "../plan/maintenance";
import type { PassingState } from "../plan/region-states";
import { type Cluster, poolLabel } from "./cluster";
import { access, kubelet, observability, services } from "./cluster-settings";
import { kubeconfig } from "./kubeconfig";
import { podRange, serviceRange } from "./network";

/** A node pool: the same number of machines in each zone. */
export interface NodePoolArgs {
  /** Name of the pool and value of the label `iconik.io/pool`. */
  name: string;
  machineType: string;
  diskGigabytes: number;
  /** Machines per zone: fixed, or between two bounds. */
  perZone: number | { min: number; max: number };
  /** Keep everything off that does not tolerate `iconik.io/pool=<name>:NoSchedule`. Default: false. */
  dedicated?: boolean;
}

/** A region that comes or goes. */
export interface PassingRegion {
  state: PassingState;
  datacenter: string;
}

/** Arguments of {@link GkeCluster}. */
export interface GkeClusterArgs {
  project: string;
  /** Name in Google Cloud. */
  clusterName: string;
  region: string;
  /** Zones of the region that nodes run in. */
  zones: string[];
  network: Input<string>;
  subnetwork: Input<string>;
  /** Account id of the nodes' own service account. */
  nodeAccountId: string;
  pools: NodePoolArgs[];
  /** Networks that may reach the control plane, CIDR, the deployer's among them. Besides them only the cluster's nodes may. */
  authorizedNetworks: string[];
  /** Key in the cluster's region that its Secrets are encrypted with; GKE's account has to be able to use it. */
  secretsKey: Input<string>;
  /** Days of its maintenance window, see plan/maintenance.ts. */
  maintenanceDays: readonly string[];
  deletionProtection: boolean;
  /** Its region comes or goes: labels say so, and Google lets the cluster of a retired one be deleted. Pulumi's protection stays. */
  passing?: PassingRegion;
}

/** Network tag of a pool's machines: firewall rules open what a pool serves on these and no others. */
export const networkTag = (pool: string) => `pool-${pool}`;

/**
 * A regional, private GKE cluster with Workload Identity, Dataplane V2 and encrypted Secrets (S4). Stateful on its own: losing it loses
 * the region's disks, so it refuses deletion while `deletionProtection` is on.
 */
export class GkeCluster extends ComponentResource implements Cluster {
  readonly cloud = "google";
  readonly clusterName: string;
  readonly region: string;
  readonly cluster: gcp.container.Cluster;
  /** The control plane's address within the network. */
  readonly privateEndpoint: Output<string>;
  /** How a person or a program reaches the cluster with an identity of its own; it holds no secret. */
  readonly kubeconfig: Output<string>;
  readonly provider: k8s.Provider;
  /** IAM member that the nodes act as. */
  readonly nodes: Output<string>;

  constructor(name: string, args: GkeClusterArgs, opts?: ComponentResourceOptions) {
    super("iconik:cluster:GkeCluster", name, {}, opts);
    const { project, region, passing } = args;
    this.clusterName = args.clusterName;
    this.region = region;

    const nodes = new gcp.serviceaccount.Account(
      `${name}-nodes`,
      {
        project,
        accountId: args.nodeAccountId,
        displayName: `Nodes of ${args.clusterName}`,
        // A prepared project has it already, so that the vault's registry can name it.
        createIgnoreAlreadyExists: true,
      },
      { parent: this },
    );
    this.nodes = nodes.member;
    const nodeRole = new gcp.projects.IAMMember(
      `${name}-nodes`,
      { project, role: "roles/container.defaultNodeServiceAccount", member: nodes.member },
      { parent: this },
    );
    this.cluster = new gcp.container.Cluster(
      `${name}-cluster`,
      {
        project,
        name: args.clusterName,
        location: region,
        nodeLocations: args.zones,
        network: args.network,
        subnetwork: args.subnetwork,
        networkingMode: "VPC_NATIVE",
        datapathProvider: "ADVANCED_DATAPATH",
        ipAllocationPolicy: { clusterSecondaryRangeName: podRange, servicesSecondaryRangeName: serviceRange },
        privateClusterConfig: {
          enablePrivateNodes: true,
          enablePrivateEndpoint: false,
          // The site's control cluster, in another region, reaches this control plane within the network.
          masterGlobalAccessConfig: { enabled: true },
        },
        masterAuthorizedNetworksConfig: {
          cidrBlocks: args.authorizedNetworks.map((cidrBlock) => ({ cidrBlock })),
          gcpPublicCidrsAccessEnabled: false,
        },
        databaseEncryption: { state: "ENCRYPTED", keyName: args.secretsKey },
        ...access,
        ...observability,
        ...services,
        workloadIdentityConfig: { workloadPool: `${project}.svc.id.goog` },
        enableShieldedNodes: true,
        releaseChannel: { channel: "REGULAR" },
        maintenancePolicy: { recurringWindow: maintenanceWindow(args.maintenanceDays) },
        nodePoolDefaults: { nodeConfigDefaults: kubelet },
        // The default pool is replaced by pools of our own, which name their account.
        removeDefaultNodePool: true,
        initialNodeCount: 1,
        // Until then its machine is like ours; without an account it would act as the project's Editor, if at all.
        nodeConfig: machine(nodes.email),
        ...(passing && {
          resourceLabels: { [regionStateLabel]: passing.state, [datacenterLabel]: passing.datacenter },
        }),
        deletionProtection: args.deletionProtection && passing?.state !== "retired",
      },
      {
        parent: this,
        dependsOn: [nodeRole],
        protect: args.deletionProtection,
        // Of a pool that is gone: a change must not replace the cluster.
        ignoreChanges: ["nodeConfig"],
        customTimeouts: { create: "45m", delete: "45m" },
      },
    );
    this.privateEndpoint = this.cluster.privateClusterConfig.privateEndpoint;
    const pools = args.pools.map(
      (pool) =>
        new gcp.container.NodePool(
          `${name}-${pool.name}`,
          { project, cluster: this.cluster.id, name: pool.name, ...nodePool(pool, nodes.email) },
          {
            parent: this,
            dependsOn: [nodeRole],
            // What a pool began with; the autoscaler has moved on, and a change would replace its machines.
            ignoreChanges: ["initialNodeCount"],
            customTimeouts: { create: "45m" },
          },
        ),
    );
    this.kubeconfig = all([this.cluster.endpoint, this.cluster.masterAuth]).apply(([endpoint, auth]) =>
      kubeconfig({ name: args.clusterName, endpoint, clusterCaCertificate: auth.clusterCaCertificate }),
    );
    this.provider = new k8s.Provider(
      `${name}-kubernetes`,
      {
        kubeconfig: this.kubeconfig,
        // Else another certificate or address of the same cluster would replace everything in it.
        clusterIdentifier: `projects/${project}/locations/${region}/clusters/${args.clusterName}`,
      },
      // Workloads start when there are nodes for them.
      { parent: this, dependsOn: pools },
    );
    this.registerOutputs({ clusterName: this.clusterName, endpoint: this.cluster.endpoint });
  }

  /**
   * Options of an object inside the cluster. When the cluster goes, the object is gone with it: destroying a site whose
   * cluster is lost must not wait for an API server that will not answer.
   */
  inside(parent: Resource): CustomResourceOptions {
    return { parent, provider: this.provider, deletedWith: this.cluster };
  }
}

/** Inputs of a node pool that follow from its arguments. */
function nodePool(pool: NodePoolArgs, serviceAccount: Input<string>) {
  const scaling =
    typeof pool.perZone === "number"
      ? { nodeCount: pool.perZone }
      : {
          initialNodeCount: pool.perZone.min,
          autoscaling: { minNodeCount: pool.perZone.min, maxNodeCount: pool.perZone.max },
        };
  return {
    ...scaling,
    management: { autoRepair: true, autoUpgrade: true },
    upgradeSettings: { maxSurge: 1, maxUnavailable: 0 },
    nodeConfig: {
      ...machine(serviceAccount),
      machineType: pool.machineType,
      diskSizeGb: pool.diskGigabytes,
      diskType: "pd-balanced",
      labels: { [poolLabel]: pool.name },
      tags: [networkTag(pool.name)],
      taints: pool.dedicated ? [{ key: poolLabel, value: pool.name, effect: "NO_SCHEDULE" }] : [],
      gvnic: { enabled: true },
      kubeletConfig: kubelet,
      // Elasticsearch maps its index files into memory.
      linuxNodeConfig: { sysctls: { "vm.max_map_count": "1048576" } },
    },
  };
}

/** What every machine is, whatever its pool. */
function machine(serviceAccount: Input<string>) {
  return {
    imageType: "COS_CONTAINERD",
    serviceAccount,
    oauthScopes: ["https://www.googleapis.com/auth/cloud-platform"],
    shieldedInstanceConfig: { enableSecureBoot: true, enableIntegrityMonitoring: true },
    workloadMetadataConfig: { mode: "GKE_METADATA" },
    metadata: { "disable-legacy-endpoints": "true" },
  };
}
