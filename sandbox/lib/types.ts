/**
 * The interfaces between the parts of the sandbox. Each part implements or consumes one of these; none of them
 * knows a name of the product.
 */

/** Inputs or outputs of a resource as plain JSON: no secrets wrappers, no unknowns. */
export type Props = Record<string, unknown>;

/** A resource as the cloud control plane holds it. `type` is the Pulumi type token, e.g. `gcp:storage/bucket:Bucket`. */
export interface CloudResource {
  type: string;
  id: string;
  inputs: Props;
  outputs: Props;
}

/**
 * What a resource type does when it is created, read, updated and deleted. A type without a behaviour is only recorded:
 * its outputs are its inputs plus `id` and a self link. Each method throws {@link CloudError} as the cloud's API would refuse.
 */
export interface Behaviour {
  create(inputs: Props, caller: string): Promise<{ id: string; outputs: Props }>;
  read?(resource: CloudResource): Promise<Props | undefined>;
  update?(resource: CloudResource, inputs: Props, caller: string): Promise<Props>;
  delete?(resource: CloudResource, caller: string): Promise<void>;
}

/** A refusal as a cloud's API words it; `status` is the HTTP status, `reason` the API's machine-readable reason. */
export class CloudError extends Error {
  constructor(
    readonly status: number,
    readonly reason: string,
    message: string,
  ) {
    super(message);
    this.name = "CloudError";
  }
}

/** A GKE or EKS cluster to run. `index` numbers clusters from 0 and picks the 127.(20+index).0.0/16 range. */
export interface ClusterSpec {
  /** Unique over the sandbox, e.g. `projects/p/locations/l/clusters/c`. */
  id: string;
  name: string;
  project: string;
  /** Region or zone. */
  location: string;
  /** Workload identity pool, `PROJECT.svc.id.goog`; absent: pods get no Google identity. */
  workloadPool?: string;
  /** Whose cluster it is: that decides what nodes and disks are called. Default: Google's. */
  cloud?: "gcp" | "aws";
  /** Issuer of service accounts' tokens. Default: the cluster itself. */
  issuer?: string;
  /** URL that says whose a bearer token is (TokenReview), besides the sandbox's own. Default: none. */
  authenticator?: string;
}

/** A pool of equal nodes; one Node object per zone and count is registered. */
export interface NodePoolSpec {
  name: string;
  zones: string[];
  nodesPerZone: number;
  /** Nodes in all zones together, spread over them; in place of nodesPerZone. */
  nodes?: number;
  labels: Record<string, string>;
  taints: { key: string; value?: string; effect: string }[];
  /** Allocatable CPU in cores and memory in bytes that the scheduler sees; it does not limit the processes. */
  cpu: number;
  memoryBytes: number;
}

/** A running cluster as other parts see it. */
export interface RunningCluster {
  spec: ClusterSpec;
  /** `127.0.0.1:PORT` of the API server. */
  endpoint: string;
  /** PEM of the CA that signed the API server's certificate. */
  caCertificate: string;
  /** A kubeconfig (YAML text) with administrator rights, for the daemon's own controllers. */
  adminKubeconfig: string;
}

/** What a group may do in a cluster. */
export interface ClusterAccess {
  group: string;
  clusterRole: string;
  /** Absent: everywhere. */
  namespace?: string;
}

/** Starts, changes and stops clusters. Implemented by sandbox/clusters. Every method may be repeated. */
export interface ClusterManager {
  /** PEM of the key by which tokens of service accounts are checked. */
  readonly serviceAccountKey: string;
  create(spec: ClusterSpec): Promise<RunningCluster>;
  setNodePool(clusterId: string, pool: NodePoolSpec): Promise<void>;
  removeNodePool(clusterId: string, poolName: string): Promise<void>;
  /** Installs the kinds of GKE's managed collection of Prometheus metrics. */
  collectMetrics(clusterId: string): Promise<void>;
  /** Lets claims of a driver have disks, or no longer. */
  setDriver(clusterId: string, driver: string, present: boolean): Promise<void>;
  /** Binds a group to a ClusterRole, in a namespace or everywhere; or ends that. */
  setAccess(clusterId: string, access: ClusterAccess, present: boolean): Promise<void>;
  /** Fault: every process of the cluster stands still and its endpoint answers nothing, until it is told to go on. */
  pause(clusterId: string, paused: boolean): Promise<void>;
  /** Fault: the machines of a zone stand still, and no API is told, until they go on. @returns how many the cluster has there */
  pauseZone(clusterId: string, zone: string, paused: boolean): Promise<number>;
  /** Deletes the cluster with its disks. */
  delete(clusterId: string): Promise<void>;
  /** Fault: every process of the cluster is killed and every disk removed; its endpoint refuses from then on. */
  lose(clusterId: string): Promise<void>;
  /** Fault: every process is killed as by a loss of power; disks and the API server's memory stay. */
  powerOff(clusterId: string): Promise<void>;
  /** Ends {@link powerOff}: machines start, and with them the pods that were on them. */
  powerOn(clusterId: string): Promise<void>;
  /** Fault: the control plane ends; pods go on. */
  stopControlPlane(clusterId: string): Promise<void>;
  /** Ends {@link stopControlPlane}. */
  startControlPlane(clusterId: string): Promise<void>;
  get(clusterId: string): RunningCluster | undefined;
  list(): RunningCluster[];
  stopAll(): Promise<void>;
}

/** A local program that stands for a container image. */
export interface ImageProgram {
  /** Command used when the container declares none (the image's ENTRYPOINT). */
  entrypoint: string[];
  /** Host paths mounted read-only inside: target path -> host path. */
  mounts: Record<string, string>;
  /** Directories put in front of PATH (host paths; they must be below a mount or /usr). */
  path: string[];
  /** Environment below what the pod declares. */
  env: Record<string, string>;
  /** Run as this uid:gid instead of root-in-sandbox, for programs that refuse root. */
  user?: { uid: number; gid: number };
}

/** Finds the program for an image reference (tag and digest ignored), or undefined: ErrImagePull. */
export type ImageTable = (image: string) => ImageProgram | undefined;

/** Result of a process run inside a pod's sandbox. */
export interface ExecResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** What the stand-in operators need of the node agent of one cluster. */
export interface NodeAgent {
  /** Runs a command in the mounts, environment and identity of a running container, like `kubectl exec`. */
  exec(
    namespace: string,
    pod: string,
    container: string,
    command: string[],
    env?: Record<string, string>,
  ): Promise<ExecResult>;
}

/** Who a pod is to the cloud. Implemented by sandbox/cloud, consumed by the node agent. */
export interface PodIdentities {
  /**
   * Opens the pod's metadata server and storage port on its address and returns the environment that points clients to them.
   * `serviceAccountAnnotation` is the KSA's iam.gke.io/gcp-service-account, when it has one.
   */
  open(pod: {
    clusterId: string;
    namespace: string;
    serviceAccount: string;
    serviceAccountAnnotation?: string;
    podIP: string;
    /** Name and id of the pod. */
    pod: string;
    uid: string;
  }): Promise<{
    env: Record<string, string>;
    /** Files of this machine that containers see: target path -> host path. */
    mounts?: Record<string, string>;
    /** A token of the pod's service account that it gets as a file, as a webhook of the cluster would add it. */
    token?: { audience: string; seconds: number; folder: string; file: string };
    close(): Promise<void>;
  }>;
}

/** A stand-in operator of one cluster: started when its chart's release appears, stopped with the cluster. */
export interface Operator {
  /** Chart names (without repository) whose release starts this operator. */
  charts: string[];
  start(context: OperatorContext): Promise<{ stop(): Promise<void> }>;
}

export interface OperatorContext {
  cluster: RunningCluster;
  agent: NodeAgent;
  /** Namespace the chart was released into, and its values. */
  release: { namespace: string; name: string; chart: string; version: string; values: Props };
  /** Resolves a Service name as pods of this cluster would: addresses of its ready pods. */
  resolve(host: string): string[];
  log(message: string): void;
}

/** What the storage gateway and the pods' identities ask of the control plane. Implemented by sandbox/cloud/control.ts. */
export interface AccessDecisions {
  /** Settings of a bucket that exists, else undefined. */
  bucket(name: string): BucketSettings | undefined;
  /**
   * True when the declared IAM (bucket policy, project policy, custom and predefined roles, conditions) gives `member`
   * (`serviceAccount:EMAIL`) a permission such as `storage.objects.get` on a bucket, or on one of its objects.
   * `listPrefix` is the prefix of a listing, which conditions may ask for.
   */
  allows(member: string, permission: string, bucket: string, object?: string, listPrefix?: string): boolean;
  /** True when the account exists and `member` (`serviceAccount:PROJECT.svc.id.goog[ns/ksa]`) may act as it. */
  mayActAs(member: string, email: string): boolean;
  /** Now, as the cloud's clock has it. */
  now(): Date;
}

/** What an administrator of a bucket does by the storage's API. Implemented by sandbox/cloud/control.ts. */
export interface BucketAdministration {
  /** Its bindings, as JSON of IAM. */
  policy(bucket: string): Props;
  /** Replaces them. @throws CloudError 400 and 412 as the storage refuses a policy */
  setPolicy(bucket: string, policy: Props): Promise<Props>;
  /** Changes settings; null removes one. @throws CloudError 403 when a lock forbids it, 501 for settings that are not here */
  patch(bucket: string, change: Props): Promise<Props>;
  /** @throws CloudError 409 when it holds objects */
  remove(bucket: string): Promise<void>;
}

export interface BucketSettings {
  name: string;
  project: string;
  location: string;
  /** Objects younger than this can be neither deleted nor replaced. 0: no retention. */
  retentionSeconds: number;
  /** What is replaced or deleted becomes noncurrent. */
  versioning: boolean;
  /** What is really deleted can be restored this long. 0: it is gone. */
  softDeleteSeconds: number;
  /** Rules that delete objects and versions by their age. */
  lifecycle: LifecycleRule[];
  /** Fault: every read fails with 503, whatever IAM says. */
  unreadable: boolean;
}

/** A lifecycle rule as a bucket declares it. */
export interface LifecycleRule {
  action: { type: string; storageClass?: string };
  condition: LifecycleCondition;
}

/** Days are whole days since a moment; every condition that is given has to hold. */
export interface LifecycleCondition {
  age?: number;
  createdBefore?: string;
  daysSinceNoncurrentTime?: number;
  noncurrentTimeBefore?: string;
  numNewerVersions?: number;
  withState?: string;
  matchesPrefixes?: string[];
  matchesSuffixes?: string[];
}

/** The objects behind the gateway, with the rights of the storage service itself. Implemented by sandbox/cloud/objects.ts. */
export interface ObjectStore {
  createBucket(name: string): Promise<void>;
  /** Removes it with everything that was kept of its objects. @throws CloudError 409 when it holds objects */
  deleteBucket(name: string): Promise<void>;
  /** Removes every object. */
  empty(bucket: string): Promise<void>;
  /** Does it hold noncurrent versions? */
  hasNoncurrent(bucket: string): Promise<boolean>;
  list(bucket: string, prefix: string): Promise<{ name: string; size: number; created: Date }[]>;
  /** Undefined: no such object. */
  read(bucket: string, name: string): Promise<Buffer | undefined>;
}
