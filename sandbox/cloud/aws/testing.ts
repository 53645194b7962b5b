/** A small AWS with a real S3 server, for tests. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AwsClient } from "aws4fetch";
import { authority, issue } from "../../lib/certificates";
import { ProcessTable } from "../../lib/process";
import type { Props } from "../../lib/types";
import { folderOf } from "../../toolchain/cache";
import { seaweedfs } from "../../toolchain/seaweedfs";
import { MemoryClusters } from "../testing";
import { AwsControl } from "./control";
import { S3Gateway } from "./s3/gateway";
import { startS3Server } from "./s3/server";
import { type S3Store, SeaweedStore, type Version } from "./s3/store";
import type { Credentials } from "./sessions";

export const ACCOUNT = "111122223333";
export const REGION = "eu-west-1";
/** The role that deploys in the tests. */
export const DEPLOYER = `arn:aws:iam::${ACCOUNT}:role/deployer`;

/** A trust policy that lets nobody but a service take the role. */
export const TRUST = JSON.stringify({
  Version: "2012-10-17",
  Statement: [
    { Effect: "Allow", Principal: { Service: "pods.eks.amazonaws.com" }, Action: ["sts:AssumeRole", "sts:TagSession"] },
  ],
});

/** A policy with these statements. */
export const policy = (...statements: Props[]): string =>
  JSON.stringify({ Version: "2012-10-17", Statement: statements });

/** A clock that can be moved. */
export class TestControl extends AwsControl {
  /** Added to the machine's clock, in ms. */
  ahead = 0;
  override now(): Date {
    return new Date(Date.now() + (this.ahead ?? 0));
  }
}

/** A control plane whose objects are nowhere, for tests without data. */
export function awsControl(store: Partial<S3Store> = {}) {
  const dir = mkdtempSync(join(tmpdir(), "aws-"));
  const clusters = new MemoryClusters();
  const memory: S3Store = {
    createBucket: async () => undefined,
    deleteBucket: async () => undefined,
    setVersioning: async () => undefined,
    allowLocks: async () => undefined,
    versions: async (): Promise<Version[]> => [],
    deleteVersion: async () => undefined,
    put: async () => undefined,
    read: async () => undefined,
    head: async () => undefined,
    ...store,
  };
  const control = new TestControl({ dir, clusters: () => clusters, store: memory });
  return { dir, control, clusters, end: () => rmSync(dir, { recursive: true }) };
}

/** Starts everything that serves S3. */
export async function startAws() {
  const dir = mkdtempSync(join(tmpdir(), "aws-"));
  const processes = new ProcessTable(dir);
  const server = await startS3Server({ dir, binary: join(folderOf(seaweedfs), "bin/weed"), processes });
  const store = new SeaweedStore(server);
  const clusters = new MemoryClusters();
  const control = new TestControl({ dir, clusters: () => clusters, store });
  const ca = await authority("test");
  const certificate = await issue(ca, { commonName: "127.0.0.1", ipAddresses: ["127.0.0.1"] });
  const { sessions } = control;
  const gateway = await S3Gateway.start({ upstream: server, store, decisions: control, sessions, certificate });
  const caFile = join(dir, "ca.crt");
  writeFileSync(caFile, ca.certificate);
  const create = (type: string, inputs: Props, caller = DEPLOYER) =>
    control.create(type, "test", { region: REGION, ...inputs }, caller);
  return {
    dir,
    control,
    gateway,
    /** File of the authority behind the gateway's certificate. */
    caFile,
    store,
    create,
    /** A role with the policies given, and its credentials. */
    async role(name: string, ...statements: Props[]): Promise<Credentials> {
      await create("aws:iam/role:Role", { name, assumeRolePolicy: TRUST });
      if (statements.length > 0)
        await create("aws:iam/rolePolicy:RolePolicy", { name: "own", role: name, policy: policy(...statements) });
      return control.credentials(roleArn(name), "test");
    },
    async end(): Promise<void> {
      await gateway.close();
      await server.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export const roleArn = (name: string): string => `arn:aws:iam::${ACCOUNT}:role/${name}`;

/** A client that signs as AWS's own do. */
export function client(credentials: Credentials, region = REGION): AwsClient {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  return new AwsClient({ accessKeyId, secretAccessKey, sessionToken, service: "s3", region, retries: 0 });
}

/** Environment of rclone for a role's credentials. */
export function rcloneEnv(endpoint: string, caFile: string, credentials: Credentials): Record<string, string> {
  return {
    PATH: process.env.PATH ?? "",
    RCLONE_CONFIG: "/dev/null",
    RCLONE_S3_PROVIDER: "AWS",
    RCLONE_S3_ENV_AUTH: "true",
    RCLONE_S3_REGION: REGION,
    RCLONE_S3_NO_CHECK_BUCKET: "true",
    RCLONE_S3_ENDPOINT: endpoint,
    RCLONE_CA_CERT: caFile,
    RCLONE_S3_FORCE_PATH_STYLE: "true",
    RCLONE_RETRIES: "1",
    RCLONE_LOW_LEVEL_RETRIES: "1",
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
  };
}
