/** A small AWS: resources by type, their behaviours, the policies that follow from them, and faults. */
import { randomBytes } from "node:crypto";
import { CloudError, type CloudResource, type ClusterManager, type Props } from "../../lib/types";
import type { Fault } from "../api";
import { Registry, text } from "../registry";
import { Resources } from "../resources";
import { AwsAccess, type Caller } from "./access";
import { accountOf, arn } from "./arn";
import { iamBehaviours } from "./iam";
import { awsInvoke } from "./invokes";
import { kmsBehaviours } from "./kms";
import type { Verdict } from "./policy/evaluate";
import { bucketBehaviours, bucketSettings, UNREADABLE } from "./s3/buckets";
import type { S3Bucket, S3Decisions } from "./s3/gateway";
import type { S3Store } from "./s3/store";
import { AwsSessions, type Credentials } from "./sessions";
import { AWS } from "./types";

/** What the control plane stands on. */
export interface AwsControlOptions {
  /** State folder. */
  dir: string;
  clusters: () => ClusterManager;
  store: S3Store;
  /** The cloud's clock. Default: the machine's. */
  now?: () => Date;
}

/** Whoever deploys: a role of this name in any account may do everything there. */
const DEPLOYER = /^arn:aws:iam::\d{12}:role\/(?:.*\/)?deployer$/;

/** Every call that it refuses throws {@link CloudError}. */
export class AwsControl implements S3Decisions {
  readonly sessions: AwsSessions;
  readonly access: AwsAccess;
  private readonly registry: Registry;
  private readonly resources: Resources;

  constructor(private readonly options: AwsControlOptions) {
    this.registry = new Registry(`${options.dir}/aws`);
    const { registry } = this;
    this.access = new AwsAccess(registry, (roleArn) => DEPLOYER.test(roleArn));
    this.sessions = new AwsSessions(() => this.now());
    const behaviours = {
      ...iamBehaviours(registry, this.access),
      ...kmsBehaviours(registry, this.access),
      ...bucketBehaviours(registry, this.access, options.store, () => this.now()),
    };
    this.resources = new Resources(registry, behaviours, recorded);
  }

  /** Number of resources that exist. */
  get size(): number {
    return this.registry.size;
  }

  create(type: string, name: string, inputs: Props, caller: string): Promise<{ id: string; outputs: Props }> {
    return this.resources.create(type, name, inputs, caller);
  }

  read(type: string, id: string): Promise<CloudResource | undefined> {
    return this.resources.read(type, id);
  }

  update(type: string, id: string, inputs: Props, caller: string): Promise<Props> {
    return this.resources.update(type, id, inputs, caller);
  }

  delete(type: string, id: string, caller: string): Promise<void> {
    return this.resources.delete(type, id, caller);
  }

  /** Runs a function of the provider. */
  invoke(token: string, args: Props, caller: string): Promise<Props> {
    return awsInvoke(token, args, { caller, registry: this.registry, store: this.options.store });
  }

  /** Credentials of a role, as somebody who took it over would have. @throws CloudError 404 when there is no such role */
  credentials(roleArn: string, session: string): Credentials {
    return this.sessions.issue(this.caller(roleArn, session));
  }

  /** A caller with a session of a role. @throws CloudError 404 when there is no such role */
  caller(roleArn: string, session: string, tags: Record<string, string> = {}): Caller {
    const caller = this.access.caller(roleArn, session, tags);
    if (!caller) throw new CloudError(404, "NoSuchEntity", `The role ${roleArn} cannot be found.`);
    return caller;
  }

  /** True when it makes the fault; false when it has nothing of the kind. */
  fault({ kind, target, state }: Fault): boolean {
    if (kind !== "bucket" || !this.registry.get(AWS.bucket, target)) return false;
    if (state === "unreadable") this.registry.note(UNREADABLE, target);
    else this.registry.forget(UNREADABLE, target);
    return true;
  }

  bucket(name: string): S3Bucket | undefined {
    return bucketSettings(this.registry, name);
  }

  onBucket(
    caller: Caller,
    action: string,
    resource: string,
    context: Record<string, string | string[] | undefined>,
  ): Verdict {
    return this.access.onBucket(caller, action, resource, context);
  }

  onKey(
    caller: Caller,
    action: string,
    keyArn: string,
    context: Record<string, string | string[] | undefined>,
  ): Verdict {
    return this.access.onKey(caller, action, keyArn, context);
  }

  now(): Date {
    return this.options.now?.() ?? new Date();
  }
}

/** Services whose word in a name is not that of their resource type. */
const SERVICE: Record<string, string> = { cloudwatch: "cloudwatch", lb: "elasticloadbalancing", vpc: "ec2" };

/** Id and outputs of a type that is only recorded: an ARN, and a name or a generated id as the service has. */
function recorded(type: string, _name: string, inputs: Props, caller: string): { id: string; outputs: Props } {
  const [, module = "", kind = ""] = /^aws:([^/]+)\/([^:]+):/.exec(type) ?? [];
  const service = SERVICE[module] ?? module;
  const id = text(inputs, "name") || `${kind.toLowerCase()}-${randomBytes(8).toString("hex")}`;
  const path = kind.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const outputs = { ...inputs, arn: arn(service, text(inputs, "region"), accountOf(caller), `${path}/${id}`) };
  return { id, outputs };
}
