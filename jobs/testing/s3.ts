/** An S3 for tests: rclone's own server over a folder. It knows no versions and no locks: those are the sandbox's. */
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { program } from "./tools";

/** A running S3; `env` points rclone to it. */
export interface TestS3 {
  env: Record<string, string>;
  /** Creates the bucket, or empties it. */
  emptyBucket(name: string): Promise<void>;
  put(bucket: string, object: string, content: string): Promise<void>;
  get(bucket: string, object: string): Promise<string | undefined>;
  /** Names of its objects, ordered. */
  names(bucket: string): Promise<string[]>;
  stop(): Promise<void>;
}

/** Starts it on a free port of 127.0.0.1. */
export async function startS3(): Promise<TestS3> {
  const root = await mkdtemp(join(tmpdir(), "s3-"));
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const [key, secret] = ["test-key", "test-secret-of-s3"];
  const args = ["serve", "s3", root, "--addr", `127.0.0.1:${port}`, "--auth-key", `${key},${secret}`, "--config", ""];
  const server = spawn("setpriv", [
    "--pdeathsig",
    "KILL",
    program("rclone"),
    ...args,
    "--vfs-cache-mode",
    "off",
    "--dir-cache-time",
    "0s",
  ]);
  for (let i = 0; i < 100 && server.exitCode === null; i++) {
    if (
      await fetch(endpoint).then(
        () => true,
        () => false,
      )
    )
      break;
    await sleep(50);
  }
  const file = (bucket: string, object: string) => join(root, bucket, object);
  return {
    env: {
      RCLONE_S3_ENDPOINT: endpoint,
      RCLONE_S3_PROVIDER: "Rclone",
      AWS_ACCESS_KEY_ID: key,
      AWS_SECRET_ACCESS_KEY: secret,
      AWS_REGION: "eu-central-1",
    },
    async emptyBucket(name) {
      await rm(join(root, name), { recursive: true, force: true });
      await mkdir(join(root, name), { recursive: true });
    },
    async put(bucket, object, content) {
      await mkdir(dirname(file(bucket, object)), { recursive: true });
      await writeFile(file(bucket, object), content);
    },
    get: (bucket, object) => readFile(file(bucket, object), "utf8").catch(() => undefined),
    async names(bucket) {
      const entries = await readdir(join(root, bucket), { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(root.length + bucket.length + 2))
        .sort();
    },
    async stop() {
      server.kill("SIGKILL");
      await rm(root, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
