/** The cloud's control plane: resources by type, their behaviours, the IAM that follows from them, and faults. */
import {
  type AccessDecisions,
  type BucketAdministration,
  type BucketSettings,
  CloudError,
  type CloudResource,
  type ClusterManager,
  type ObjectStore,
  type Props,
} from "../lib/types";
import type { CloudFault } from "./api";
import { CloudClock } from "./clock";
import { bucketBehaviour, bucketPolicyBehaviour, history, retention } from "./gcp/bucket";
import { patchedBucket } from "./gcp/bucket-patch";
import { clusterBehaviour, forgetCluster, nodePoolBehaviour, regionOf } from "./gcp/cluster";
import { computeBehaviours, GLOBAL_ADDRESS } from "./gcp/compute";
import { federationBehaviours, identityProvider } from "./gcp/federation";
import {
  accountBehaviour,
  accountBindingBehaviour,
  customRoleBehaviour,
  POOLS,
  prepareAccount,
  projectMemberBehaviour,
} from "./gcp/identity";
import { KeyVersions } from "./gcp/key-versions";
import { KeyOperations, kmsBehaviours } from "./gcp/kms";
import { loadBalancingBehaviours } from "./gcp/load-balancing";
import { monitoringBehaviours } from "./gcp/monitoring";
import { serviceBehaviour, serviceIdentityBehaviour } from "./gcp/service";
import { Access, type Deployer, memberOf, TYPES } from "./iam/access";
import { invoke } from "./invokes";
import { Registry, text } from "./registry";
import { Resources } from "./resources";

/** What the control plane stands on. */
export interface CloudControlOptions {
  /** State folder. */
  dir: string;
  clusters: () => ClusterManager;
  objects: ObjectStore;
  /** Default: one over `dir`. */
  clock?: CloudClock;
  /** Projects that had a cluster before, so that their Workload Identity pool exists. */
  preparedProjects?: string[];
  /** E-mail addresses of service accounts that were made beforehand. */
  preparedAccounts?: string[];
  /** Who owns which projects by `roles/owner` (which is not access to objects under a bucket's own policy). */
  deployers?: Deployer[];
  /** Called after every change of a resource. */
  changed?: () => void;
  /** The network between regions, for its faults. */
  network?: { partition(region: string, apart: boolean): void; slow(region: string, factor: number): void };
}

const UNREADABLE = "unreadable buckets";
/** What a cluster itself is struck with. */
type Strike = "lost" | "off" | "on" | "hung" | "resumed" | "down" | "up";

/** How many times as long everything from and to a slow region takes. */
const SLOW_FACTOR = 20;

/** A small Google Cloud. Every call that it refuses throws {@link CloudError}. */
export class CloudControl implements AccessDecisions, BucketAdministration {
  private readonly registry: Registry;
  private readonly access: Access;
  private readonly clock: CloudClock;
  private readonly managed: Resources;
  private readonly keys: KeyOperations;
  private lost = false;

  constructor(private readonly options: CloudControlOptions) {
    this.registry = new Registry(options.dir);
    this.clock = options.clock ?? new CloudClock(options.dir);
    this.access = new Access(this.registry, options.deployers);
    for (const project of options.preparedProjects ?? []) this.registry.note(POOLS, `${project}.svc.id.goog`);
    for (const email of options.preparedAccounts ?? []) prepareAccount(this.registry, email);
    const { registry, access } = this;
    const keyVersions = new KeyVersions(options.dir);
    this.keys = new KeyOperations(registry, access, keyVersions);
    const behaviours = {
      [TYPES.bucket]: bucketBehaviour(registry, options.objects, () => this.now()),
      [TYPES.bucketPolicy]: bucketPolicyBehaviour(registry, access),
      [TYPES.account]: accountBehaviour(registry),
      [TYPES.accountBinding]: accountBindingBehaviour(registry, access),
      [TYPES.customRole]: customRoleBehaviour(registry),
      [TYPES.projectMember]: projectMemberBehaviour(registry, access),
      [TYPES.cluster]: clusterBehaviour(registry, options.clusters),
      [TYPES.nodePool]: nodePoolBehaviour(registry, options.clusters),
      "gcp:projects/service:Service": serviceBehaviour(),
      [TYPES.serviceIdentity]: serviceIdentityBehaviour(),
      ...kmsBehaviours(registry, access, keyVersions),
      ...computeBehaviours(registry),
      ...loadBalancingBehaviours(registry, access),
      ...monitoringBehaviours(registry),
      ...federationBehaviours(registry),
    };
    this.managed = new Resources(registry, behaviours, recorded);
  }

  /** Every resource, by type. */
  get resources(): Pick<Registry, "all"> {
    return this.registry;
  }

  /** Number of resources that exist. */
  get size(): number {
    return this.registry.size;
  }

  async create(type: string, name: string, inputs: Props, caller: string): Promise<{ id: string; outputs: Props }> {
    const made = await this.managed.create(type, name, inputs, caller);
    this.options.changed?.();
    return made;
  }

  read(type: string, id: string): Promise<CloudResource | undefined> {
    return this.managed.read(type, id);
  }

  async update(type: string, id: string, inputs: Props, caller: string): Promise<Props> {
    const outputs = await this.managed.update(type, id, inputs, caller);
    this.options.changed?.();
    return outputs;
  }

  async delete(type: string, id: string, caller: string): Promise<void> {
    await this.managed.delete(type, id, caller);
    this.options.changed?.();
  }

  /** Runs a function of the provider; `accessToken` makes a token of the caller. */
  async invoke(token: string, args: Props, caller: string, accessToken: () => Promise<string>): Promise<Props> {
    return invoke(token, args, {
      objects: this.options.objects,
      caller,
      accessToken,
      bucket: (name) => {
        const found = this.registry.get(TYPES.bucket, name);
        return found && { unreadable: this.registry.knows(UNREADABLE, name), outputs: found.outputs };
      },
      projectExists: (project) => this.projectExists(project),
      publicKey: (version) =>
        // Without a list of deployers whoever calls a provider is one, as for everything that providers make.
        this.keys.publicKey(version, { member: memberOf(caller), time: this.now(), owner: !this.options.deployers }),
      allows: (permission, bucket, object, listPrefix) =>
        this.allows(memberOf(caller), permission, bucket, object, listPrefix),
    });
  }

  /** True while nothing of Google Cloud answers. */
  get isLost(): boolean {
    return this.lost;
  }

  /** Addresses of its own that the public reaches. */
  hasAddress(address: string): boolean {
    return this.registry.all(GLOBAL_ADDRESS).some(({ outputs }) => outputs.address === address);
  }

  async fault({ kind, target, state }: CloudFault): Promise<void> {
    const clusters = this.options.clusters();
    const own = () => clusters.list().filter(({ spec }) => (spec.cloud ?? "gcp") === "gcp");
    if (kind === "cloud") {
      this.lost = state === "lost";
      await Promise.all(own().map(({ spec }) => clusters.pause(spec.id, this.lost)));
      return;
    }
    if (kind === "bucket") {
      if (!this.registry.get(TYPES.bucket, target))
        throw new CloudError(404, "notFound", `bucket ${target} was not found`);
      if (state === "unreadable") this.registry.note(UNREADABLE, target);
      else this.registry.forget(UNREADABLE, target);
      return;
    }
    if (kind === "zone") {
      const nodes = await Promise.all(own().map(({ spec }) => clusters.pauseZone(spec.id, target, state === "hung")));
      if (nodes.every((count) => count === 0))
        throw new CloudError(404, "notFound", `no cluster has a node in zone ${target}`);
      return;
    }
    const hit = own().filter(({ spec }) => spec.location === target || regionOf(spec.location) === target);
    if (hit.length === 0) throw new CloudError(404, "notFound", `no cluster runs in region ${target}`);
    const { network } = this.options;
    if (state === "apart" || state === "joined") network?.partition(target, state === "apart");
    else if (state === "slow" || state === "near") network?.slow(target, state === "slow" ? SLOW_FACTOR : 1);
    else await Promise.all(hit.map(({ spec }) => this.strike(spec.id, state)));
  }

  private async strike(cluster: string, state: Strike): Promise<void> {
    const clusters = this.options.clusters();
    switch (state) {
      case "lost":
        await clusters.lose(cluster);
        forgetCluster(this.registry, cluster);
        return;
      case "off":
        return clusters.powerOff(cluster);
      case "on":
        return clusters.powerOn(cluster);
      case "hung":
      case "resumed":
        return clusters.pause(cluster, state === "hung");
      case "down":
        return clusters.stopControlPlane(cluster);
      case "up":
        return clusters.startControlPlane(cluster);
    }
  }

  /** A project is known by what was created or prepared in it, or by its deployers. */
  private projectExists(project: string): boolean {
    return (
      this.registry.knows(POOLS, `${project}.svc.id.goog`) ||
      this.registry.some(({ inputs }) => inputs.project === project) ||
      this.access.hasDeployer(project)
    );
  }

  /** @throws CloudError 503 while nothing of Google Cloud answers */
  private mustAnswer(): void {
    if (this.lost) throw new CloudError(503, "backendError", "Nothing of Google Cloud answers.");
  }

  bucket(name: string): BucketSettings | undefined {
    this.mustAnswer();
    const found = this.registry.get(TYPES.bucket, name);
    return (
      found && {
        name,
        project: text(found.outputs, "project"),
        location: text(found.outputs, "location"),
        retentionSeconds: retention(found.outputs).seconds,
        ...history(found.outputs),
        unreadable: this.registry.knows(UNREADABLE, name),
      }
    );
  }

  allows(member: string, permission: string, bucket: string, object?: string, listPrefix?: string): boolean {
    const found = this.registry.get(TYPES.bucket, bucket);
    if (!found) return false;
    const resourceName = `projects/_/buckets/${bucket}${object === undefined ? "" : `/objects/${object}`}`;
    return this.access.bucketAllows(found, member, permission, {
      time: this.now(),
      resourceName,
      resourceType: `storage.googleapis.com/${object === undefined ? "Bucket" : "Object"}`,
      ...(listPrefix === undefined ? {} : { listPrefix }),
    });
  }

  policy(name: string): Props {
    return { bindings: this.access.bucketBindings(this.existing(name)) };
  }

  async setPolicy(name: string, { bindings = [] }: Props): Promise<Props> {
    this.existing(name);
    const inputs = { bucket: name, policyData: JSON.stringify({ bindings }) };
    // As the declaration sets it: the same checks, and the next refresh shows what has changed.
    if (this.registry.get(TYPES.bucketPolicy, `b/${name}`))
      await this.update(TYPES.bucketPolicy, `b/${name}`, inputs, "");
    else await this.create(TYPES.bucketPolicy, name, inputs, "");
    return this.policy(name);
  }

  async patch(name: string, change: Props): Promise<Props> {
    const { inputs } = this.existing(name);
    return this.update(TYPES.bucket, name, patchedBucket(inputs, change), "");
  }

  remove(name: string): Promise<void> {
    return this.delete(TYPES.bucket, name, "");
  }

  private existing(name: string): CloudResource {
    const found = this.registry.get(TYPES.bucket, name);
    if (!found) throw new CloudError(404, "notFound", "The specified bucket does not exist.");
    return found;
  }

  /** Signs a SHA-256 digest with a key version. */
  asymmetricSign(version: string, digest: Buffer, member: string): Buffer {
    this.mustAnswer();
    return this.keys.sign(version, digest, { member, time: this.now() });
  }

  publicKey(version: string, member: string): { pem: string; algorithm: string } {
    this.mustAnswer();
    return this.keys.publicKey(version, { member, time: this.now() });
  }

  mayActAs(member: string, email: string): boolean {
    return this.access.mayActAs(member, email, this.now());
  }

  /** Names of all buckets. */
  buckets(): string[] {
    return this.registry.all(TYPES.bucket).map(({ id }) => id);
  }

  /** A provider of a workload identity pool by its full name; undefined: there is none, or it is disabled. */
  identityProvider(name: string): Props | undefined {
    return identityProvider(this.registry, name);
  }

  now(): Date {
    return this.clock.now();
  }
}

/** Id and outputs of a type that is only recorded: a path such as `projects/P/locations/L/topic/NAME`. */
function recorded(type: string, name: string, inputs: Props): { id: string; outputs: Props } {
  const [, service, collection] = /^gcp:([^/]+)\/([^:]+):/.exec(type) ?? [];
  const location = text(inputs, "location") || text(inputs, "region");
  const id = [
    ...(inputs.project ? [`projects/${inputs.project}`] : []),
    ...(location ? [`locations/${location}`] : []),
    collection ?? type,
    text(inputs, "name") || name,
  ].join("/");
  return { id, outputs: { ...inputs, selfLink: `https://${service ?? "www"}.googleapis.com/v1/${id}` } };
}
