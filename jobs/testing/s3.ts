/** An S3 for tests: the server behind the sandbox's gateway, without the gateway's policies and locks. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startS3Server } from "../../sandbox/cloud/aws/s3/server";
import { SeaweedStore } from "../../sandbox/cloud/aws/s3/store";
import { ProcessTable } from "../../sandbox/lib/process";
import { loadTools } from "../../sandbox/toolchain";

/** A running S3; `env` points rclone to it. */
export interface TestS3 {
  env: Record<string, string>;
  createBucket(name: string): Promise<void>;
  put(bucket: string, object: string, content: string): Promise<void>;
  get(bucket: string, object: string): Promise<string | undefined>;
  /** Names of its objects, ordered. */
  names(bucket: string): Promise<string[]>;
  stop(): Promise<void>;
}

/** Starts it on free ports of 127.0.0.1. @throws when `make setup` was not run */
export async function startS3(): Promise<TestS3> {
  const dir = await mkdtemp(join(tmpdir(), "s3-"));
  const server = await startS3Server({ dir, binary: loadTools().seaweedfs, processes: new ProcessTable(dir) });
  const store = new SeaweedStore(server);
  return {
    env: {
      RCLONE_S3_ENDPOINT: server.endpoint,
      RCLONE_S3_PROVIDER: "SeaweedFS",
      // rclone sends checksums behind a stream, which takes TLS; the gateway's tests have it.
      RCLONE_S3_USE_DATA_INTEGRITY_PROTECTIONS: "false",
      AWS_ACCESS_KEY_ID: server.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
      AWS_REGION: "eu-central-1",
    },
    createBucket: (name) => store.createBucket(name, false),
    put: (bucket, object, content) => store.put(bucket, object, content, "application/octet-stream"),
    get: async (bucket, object) => (await store.read(bucket, object))?.toString(),
    names: async (bucket) =>
      (await store.versions(bucket))
        .filter(({ latest, marker }) => latest && !marker)
        .map(({ key }) => key)
        .sort(),
    async stop() {
      await server.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
