/** SeaweedFS: objects, versions, uploads in parts and locks, without any policy. Only the gateway has its credentials. */
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { accepts, freePorts, type ProcessTable, waitUntil } from "../../../lib/process";

export interface S3Server {
  /** `http://127.0.0.1:PORT` */
  endpoint: string;
  accessKeyId: string;
  secretAccessKey: string;
  stop(): Promise<void>;
}

/** Volume files at most: each bucket begins with seven. */
const VOLUMES = 500;
/** MiB that a volume file may grow to. */
const VOLUME_MIB = 512;

/** Has its master a server that keeps volumes? */
async function hasVolumes(port: number): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${port}/dir/status`).catch(() => undefined);
  const { Topology } = ((await answer?.json().catch(() => undefined)) ?? {}) as { Topology?: { Max?: number } };
  return (Topology?.Max ?? 0) > 0;
}

/** Starts it over `dir`/s3 and waits until it answers. */
export async function startS3Server(options: {
  dir: string;
  binary: string;
  processes: ProcessTable;
}): Promise<S3Server> {
  const folder = join(options.dir, "s3");
  mkdirSync(folder, { recursive: true });
  const [accessKeyId, secretAccessKey] = [randomBytes(10).toString("hex"), randomBytes(20).toString("hex")];
  const identities = join(folder, "identities.json");
  const gateway = {
    name: "gateway",
    credentials: [{ accessKey: accessKeyId, secretKey: secretAccessKey }],
    actions: ["Admin", "Read", "Write", "List", "Tagging"],
  };
  writeFileSync(identities, JSON.stringify({ identities: [gateway] }), { mode: 0o600 });
  const names = ["master", "volume", "filer", "s3"].flatMap((name) => [`${name}.port`, `${name}.port.grpc`]);
  const chosen = await freePorts(names.length);
  const ports: Record<string, number> = Object.fromEntries(names.map((name, index) => [name, chosen[index]!]));
  const log = join(options.dir, "s3.log");
  const child = options.processes.run({
    name: "seaweedfs",
    command: options.binary,
    args: [
      ...["server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", `-dir=${folder}`, "-filer", "-s3"],
      ...Object.entries(ports).map(([name, port]) => `-${name}=${port}`),
      ...[`-s3.config=${identities}`, "-s3.iam=false", "-s3.autoCreateBucket=false", "-s3.port.iceberg=0"],
      ...["-s3.port.lance=0", "-s3.allowDeleteBucketNotEmpty=false", "-master.telemetry=false"],
      ...[`-volume.max=${VOLUMES}`, `-master.volumeSizeLimitMB=${VOLUME_MIB}`],
    ],
    env: { PATH: "/usr/bin:/bin", HOME: folder, GOMAXPROCS: "2" },
    log,
  });
  const port = ports["s3.port"] ?? 0;
  // It listens before it has anywhere to write to.
  const ready = async () => (await accepts("127.0.0.1", port)) && (await hasVolumes(ports["master.port"] ?? 0));
  await waitUntil("the S3 server", ready, { timeoutMs: 120_000, child, log });
  return { endpoint: `http://127.0.0.1:${port}`, accessKeyId, secretAccessKey, stop: () => child.stop() };
}
