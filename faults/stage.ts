/**
 * A storage for fault rows that need what IAM, retention, versions, soft delete and lifecycle do: the sandbox's gateway over
 * fake-gcs-server and its control plane, without clusters. Buckets come from a stack's declaration, so that what is proven is
 * what is declared.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { program } from "../jobs/testing/tools";
import { CloudClock } from "../sandbox/cloud/clock";
import { CloudControl } from "../sandbox/cloud/control";
import { Gateway } from "../sandbox/cloud/gateway";
import { memberOf } from "../sandbox/cloud/iam/access";
import { FakeGcsObjects } from "../sandbox/cloud/objects";
import { startStorageServer } from "../sandbox/cloud/storage-server";
import { MemoryClusters } from "../sandbox/cloud/testing";
import { Tokens } from "../sandbox/cloud/tokens";
import { Upstream } from "../sandbox/cloud/upstream";
import { Versions } from "../sandbox/cloud/versions";
import { ProcessTable } from "../sandbox/lib/process";
import { CloudError, type Props } from "../sandbox/lib/types";

/** A resource as a program declares it, secrets and outputs resolved. */
export interface Declared {
  type: string;
  name: string;
  inputs: Props;
}

/** A version of an object, or a soft-deleted object, as a listing shows it. */
export interface Version {
  name: string;
  generation: string;
  size: string;
  timeCreated: string;
  /** Noncurrent or soft-deleted since then; absent: it is live. */
  timeDeleted?: string;
  hardDeleteTime?: string;
}

/** A refusal of the storage. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
    this.name = "Refused";
  }
}

/** A running storage. Whoever acts is an account's e-mail address, and may do what the declared IAM gives it. */
export interface GatewayStage {
  /**
   * Creates roles, accounts, buckets and their policies; other resources are passed over. Accounts that policies name exist.
   * Of what is there already, policies are set anew and everything else stays.
   */
  declare(resources: readonly Declared[]): Promise<void>;
  /**
   * Gives people and accounts what bindings of accounts and projects among the resources give them; pods and members of pools
   * are passed over. @returns what takes it back
   */
  bind(resources: readonly Declared[]): Promise<() => Promise<void>>;
  /** Environment that makes rclone and Google's clients this account, as a pod of it would be. */
  as(email: string): Promise<Record<string, string>>;
  /** One request as this account; `path` from `/storage/v1` on. @throws Refused for every status but 2xx */
  call(email: string, method: string, path: string, body?: string): Promise<string>;
  put(email: string, bucket: string, object: string, content: string): Promise<Version>;
  /** Undefined: there is no such object, or version. */
  get(email: string, bucket: string, object: string, generation?: string): Promise<string | undefined>;
  remove(email: string, bucket: string, object: string, generation?: string): Promise<void>;
  /** Whether an account may take another's token. */
  mayActAs(email: string, other: string): boolean;
  /** Listed as this account: live objects; with `versions` noncurrent ones too; with `softDeleted` those alone. */
  list(email: string, bucket: string, which?: "versions" | "softDeleted"): Promise<Version[]>;
  /** What the cloud's clock shows. */
  now(): Date;
  /** Moves the cloud's clock forward by days; lifecycle rules act day by day. */
  moveDays(days: number): Promise<void>;
  /** Ends the storage server as a kill does, and starts all of it again over the same state. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Types that the storage depends on, in the order they are created. */
const TYPES = [
  "gcp:projects/iAMCustomRole:IAMCustomRole",
  "gcp:serviceaccount/account:Account",
  "gcp:storage/bucket:Bucket",
  "gcp:storage/bucketIAMPolicy:BucketIAMPolicy",
];
/** Types by which somebody may act as an account. */
const BINDINGS = ["gcp:serviceaccount/iAMBinding:IAMBinding", "gcp:projects/iAMMember:IAMMember"];
/** Who has a token without a cluster or another issuer. */
const HAS_TOKEN = /^(user:|serviceAccount:[^[]+$)/;
const DEPLOYER = "deployer@example.com";

/** Starts it on free ports of 127.0.0.1, with no bucket. */
export async function startGatewayStage(): Promise<GatewayStage> {
  const dir = mkdtempSync(join(tmpdir(), "gateway-stage-"));
  let cloud = await startCloud(dir);
  const accounts = new Set<string>();

  const account = async (email: string) => {
    const [, accountId, project] = /^([^@]+)@([^.]+)\.iam\.gserviceaccount\.com$/.exec(email) ?? [];
    if (!accountId || accounts.has(email)) return;
    accounts.add(email);
    await cloud.control.create(TYPES[1]!, email, { accountId, project }, DEPLOYER);
  };
  const call: GatewayStage["call"] = async (email, method, path, body) => {
    const response = await fetch(new URL(path, cloud.gateway.endpoint), {
      method,
      headers: { authorization: `Bearer ${cloud.tokens.issue(email).accessToken}` },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    if (!response.ok) throw new Refused(response.status, `${method} ${path} as ${email}: ${response.status} ${text}`);
    return text;
  };
  const objectPath = (bucket: string, object: string, query: Record<string, string | undefined> = {}) => {
    const given = Object.entries(query).filter((each): each is [string, string] => each[1] !== undefined);
    return `/storage/v1/b/${bucket}/o/${encodeURIComponent(object)}?${new URLSearchParams(given)}`;
  };

  return {
    async declare(resources) {
      for (const type of TYPES)
        for (const { name, inputs } of resources.filter((each) => each.type === type)) {
          if (type === TYPES[1]) {
            await account(`${inputs.accountId}@${inputs.project}.iam.gserviceaccount.com`);
            continue;
          }
          for (const [, email] of String(inputs.policyData ?? "").matchAll(/"serviceAccount:([^"]+)"/g))
            await account(email!);
          try {
            await cloud.control.create(type, name, inputs, DEPLOYER);
          } catch (error) {
            if (!(error instanceof CloudError && error.status === 409)) throw error;
          }
        }
    },
    async bind(resources) {
      const made: { type: string; id: string }[] = [];
      for (const { type, name, inputs } of resources.filter((each) => BINDINGS.includes(each.type))) {
        const members = ((inputs.members as string[] | undefined) ?? [String(inputs.member)]).filter((each) =>
          HAS_TOKEN.test(each),
        );
        if (members.length === 0) continue;
        for (const each of members) await account(each.slice(each.indexOf(":") + 1));
        const own = inputs.members ? { ...inputs, members } : inputs;
        made.push({ type, id: (await cloud.control.create(type, name, own, DEPLOYER)).id });
      }
      return async () => {
        for (const { type, id } of made) await cloud.control.delete(type, id, DEPLOYER);
      };
    },
    async as(email) {
      const { endpoint } = await cloud.gatewayOf(email);
      return {
        STORAGE_EMULATOR_HOST: endpoint,
        RCLONE_GCS_ENDPOINT: `${endpoint}/storage/v1/`,
        RCLONE_GCS_ANONYMOUS: "true",
        RCLONE_GCS_ENV_AUTH: "false",
      };
    },
    call,
    async put(email, bucket, object, content) {
      const query = new URLSearchParams({ uploadType: "media", name: object });
      return JSON.parse(await call(email, "POST", `/upload/storage/v1/b/${bucket}/o?${query}`, content)) as Version;
    },
    async get(email, bucket, object, generation) {
      try {
        return await call(email, "GET", objectPath(bucket, object, { alt: "media", generation }));
      } catch (error) {
        if (error instanceof Refused && error.status === 404) return undefined;
        throw error;
      }
    },
    async remove(email, bucket, object, generation) {
      await call(email, "DELETE", objectPath(bucket, object, { generation }));
    },
    async list(email, bucket, which) {
      const found: Version[] = [];
      for (let pageToken: string | undefined = ""; pageToken !== undefined; ) {
        const query = new URLSearchParams({ ...(which && { [which]: "true" }), ...(pageToken && { pageToken }) });
        const page = JSON.parse(await call(email, "GET", `/storage/v1/b/${bucket}/o?${query}`)) as {
          items?: Version[];
          nextPageToken?: string;
        };
        found.push(...(page.items ?? []));
        pageToken = page.nextPageToken;
      }
      return found;
    },
    mayActAs: (email, other) => cloud.control.mayActAs(memberOf(email), other),
    now: () => cloud.control.now(),
    moveDays: (days) => cloud.versions.move(days * 24 * 3600),
    async restart() {
      await cloud.stop();
      cloud = await startCloud(dir);
    },
    async stop() {
      await cloud.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** What the sandbox's daemon starts of the storage, in this process. */
async function startCloud(dir: string) {
  const processes = new ProcessTable(dir);
  const server = await startStorageServer({ dir, binary: program("fake-gcs-server"), processes });
  const clock = new CloudClock(dir);
  const upstream = new Upstream(server.endpoint, clock);
  const clusters = new MemoryClusters();
  const objects = new FakeGcsObjects(upstream, () => versions);
  const control: CloudControl = new CloudControl({ dir, clusters: () => clusters, objects, clock });
  const versions: Versions = new Versions({
    dir,
    upstream,
    clock,
    bucket: (name) => control.bucket(name),
    buckets: () => control.buckets(),
  });
  const tokens = new Tokens();
  const options = { upstream, versions, decisions: control, administration: control, tokens };
  const gateway = await Gateway.start(options);
  const others = new Map<string, Promise<Gateway>>();
  return {
    control,
    versions,
    tokens,
    gateway,
    gatewayOf(email: string): Promise<Gateway> {
      const known = others.get(email) ?? Gateway.start({ ...options, defaultCaller: () => email });
      others.set(email, known);
      return known;
    },
    async stop() {
      for (const each of [gateway, ...(await Promise.all(others.values()))]) await each.close();
      await server.stop();
    },
  };
}
