/** SeaweedFS: objects, versions, uploads in parts and locks, without any policy. Only the gateway has its credentials. */
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { accepts, freePort, type ProcessTable, waitUntil } from "../../../lib/process";

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
  const ports: Record<string, number> = {};
  for (const name of ["master", "volume", "filer", "s3"])
    for (const kind of ["port", "port.grpc"]) ports[`${name}.${kind}`] = await freePort();
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
  await waitUntil("the S3 server", () => accepts("127.0.0.1", port), { timeoutMs: 30_000, child, log });
  return { endpoint: `http://127.0.0.1:${port}`, accessKeyId, secretAccessKey, stop: () => child.stop() };
}
