/** A small AWS: resources by type, their behaviours, the policies that follow from them, and faults. */
import { randomBytes } from "node:crypto";
import { AwsV4Signer } from "aws4fetch";
import { CloudError, type CloudResource, type ClusterManager, type Props } from "../../lib/types";
import type { CloudFault } from "../api";
import { Registry, text } from "../registry";
import { Resources } from "../resources";
import { ANONYMOUS, AwsAccess, type Caller } from "./access";
import { acmBehaviours } from "./acm";
import { accountOf, arn, nameOf } from "./arn";
import type { DeclaredListener } from "./balancers/balancers";
import { texts } from "./checks";
import { answersTo, recordOf } from "./dns/answers";
import type { DeclaredCheck } from "./dns/health";
import type { ServedZone } from "./dns/server";
import { ec2Behaviours } from "./ec2";
import { eksBehaviours, podRole } from "./eks";
import { elbBehaviours, LB } from "./elb";
import { iamBehaviours } from "./iam";
import { AwsIdentities } from "./identities";
import { awsInvoke } from "./invokes";
import { kmsBehaviours } from "./kms";
import type { Verdict } from "./policy/evaluate";
import { plainName, route53Behaviours } from "./route53";
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
  /** Now, as the cloud's clock has it. Default: the machine's. */
  now?: () => Date;
  /** URL at which a cluster asks whose a token is. */
  authenticator?: (clusterArn: string) => string;
  /** Roles that exist before any stack does and may do everything in their account: who deploys. */
  deployers?: string[];
  /** Services that accounts have used before, e.g. `autoscaling.amazonaws.com`: their linked roles exist. */
  services?: string[];
}

/** Whoever deploys: a role of this name in any account may do everything there. */
const DEPLOYER = /^arn:aws:iam::\d{12}:role\/(?:.*\/)?deployer$/;

/** Every call that it refuses throws {@link CloudError}. */
export class AwsControl implements S3Decisions {
  readonly sessions: AwsSessions;
  readonly access: AwsAccess;
  readonly identities: AwsIdentities;
  private readonly registry: Registry;
  private readonly resources: Resources;
  private readonly balancers = new Map<string, { addresses: string[]; healthy: boolean }>();

  constructor(private readonly options: AwsControlOptions) {
    this.registry = new Registry(`${options.dir}/aws`);
    const { registry } = this;
    const { deployers = [], clusters } = options;
    this.access = new AwsAccess(
      registry,
      (roleArn) => DEPLOYER.test(roleArn) || deployers.includes(roleArn),
      options.services,
    );
    this.sessions = new AwsSessions();
    this.identities = new AwsIdentities(registry, this.access, this.sessions, clusters);
    const behaviours = {
      ...acmBehaviours(registry),
      ...ec2Behaviours(registry),
      ...eksBehaviours({
        registry,
        access: this.access,
        clusters,
        authenticator: options.authenticator ?? (() => "http://127.0.0.1:1"),
      }),
      ...elbBehaviours(registry),
      ...iamBehaviours(registry, this.access),
      ...kmsBehaviours(registry, this.access),
      ...route53Behaviours(registry),
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

  /** The role that pods of an account of a cluster act as; undefined: none. */
  podRole(clusterArn: string, namespace: string, account: string): string | undefined {
    return podRole(this.registry, nameOf(clusterArn), namespace, account);
  }

  /** A token by which a role is let into clusters, as `aws eks get-token` makes it. @throws CloudError 404 */
  async clusterToken(clusterName: string, region: string, roleArn: string): Promise<string> {
    const { accessKeyId, secretAccessKey, sessionToken } = this.credentials(roleArn, "somebody");
    const url = new URL(`https://sts.${region}.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15`);
    url.searchParams.set("X-Amz-Expires", "60");
    const signed = await new AwsV4Signer({
      url: url.toString(),
      headers: { "x-k8s-aws-id": clusterName },
      accessKeyId,
      secretAccessKey,
      sessionToken,
      service: "sts",
      region,
      signQuery: true,
      allHeaders: true,
      datetime: this.now()
        .toISOString()
        .replace(/[:-]|\.\d{3}/g, ""),
    }).sign();
    return `k8s-aws-v1.${Buffer.from(signed.url.toString()).toString("base64url")}`;
  }

  /** True when it makes the fault; false when it has nothing of the kind. */
  fault({ kind, target, state }: CloudFault): boolean {
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

  /** Health checks that are declared. */
  healthChecks(): DeclaredCheck[] {
    return this.registry.all(AWS.healthCheck).map(({ id, inputs }) => ({ id, inputs }));
  }

  /** The zones that are declared, answering from their records and what these lead to. */
  zones(healthy: (id: string) => boolean): ServedZone[] {
    return this.registry.all(AWS.zone).map((zone) => {
      const records = this.registry
        .all(AWS.record)
        .filter(({ inputs }) => inputs.zoneId === zone.id)
        .map(({ inputs, outputs }) => recordOf(inputs, plainName(text(outputs, "fqdn"))));
      const around = { healthy, balancer: (name: string) => this.balancer(name) };
      return {
        name: text(zone.outputs, "name"),
        nameServers: texts(zone.outputs, "nameServers"),
        answer: (name, type) =>
          records.some((record) => record.name === name) || records.some((record) => record.name.startsWith("*."))
            ? answersTo({ name, type }, records, around)
            : undefined,
      };
    });
  }

  /** Listeners of load balancers that are declared. */
  listeners(): DeclaredListener[] {
    const rules = this.registry.all(LB.rule);
    return this.registry.all(LB.listener).map(({ id, inputs }) => {
      const certificate = this.registry.get(AWS.certificate, text(inputs, "certificateArn"));
      return {
        arn: id,
        inputs,
        rules: rules.filter((rule) => rule.inputs.listenerArn === id).map((rule) => rule.inputs),
        names: texts(certificate?.outputs ?? {}, "subjectAlternativeNames"),
        balancerArn: text(inputs, "loadBalancerArn"),
      };
    });
  }

  /** Inputs of a target group; undefined: there is none. */
  targetGroup(groupArn: string): Props | undefined {
    return this.registry.get(LB.group, groupArn)?.inputs;
  }

  /** Refuses unless the role of a pod may change a group's targets. @throws CloudError 403 */
  checkTargets(
    { clusterId, namespace, account }: { clusterId: string; namespace: string; account: string },
    groupArn: string,
  ): void {
    const roleArn = this.podRole(clusterId, namespace, account);
    const caller = roleArn === undefined ? undefined : this.access.caller(roleArn, account);
    const verdict = caller && this.access.allows(caller, "elasticloadbalancing:RegisterTargets", groupArn);
    if (verdict?.allowed) return;
    throw new CloudError(
      403,
      "AccessDenied",
      `${roleArn ?? `${namespace}/${account}`} is not authorized to perform: elasticloadbalancing:RegisterTargets on resource: ${groupArn}`,
    );
  }

  /** Says where a load balancer is here and whether it has a healthy target; nobody says so of one without. */
  setBalancer(loadBalancerArn: string, state: { addresses: string[]; healthy: boolean }): void {
    this.balancers.set(loadBalancerArn, state);
  }

  private balancer(dnsName: string): { addresses: string[]; healthy: boolean } | undefined {
    const found = this.registry.all(LB.balancer).find(({ outputs }) => plainName(text(outputs, "dnsName")) === dnsName);
    return found && (this.balancers.get(found.id) ?? { addresses: [], healthy: false });
  }

  /** What somebody without an identity reads of a bucket from an address; undefined: nothing. */
  async publicObject(bucket: string, key: string, sourceIp: string): Promise<string | undefined> {
    const context = { "aws:SourceIp": sourceIp, "aws:SecureTransport": "true" };
    const resource = `arn:aws:s3:::${bucket}/${key}`;
    if (!this.onBucket(ANONYMOUS, "s3:GetObject", resource, context).allowed) return undefined;
    return (await this.options.store.read(bucket, key))?.toString("utf8");
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
