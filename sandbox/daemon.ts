/** The local cloud's only long-lived process: everything else is its child and ends with it. */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { AwsControl } from "./cloud/aws/control";
import { S3Gateway } from "./cloud/aws/s3/gateway";
import { startS3Server } from "./cloud/aws/s3/server";
import { SeaweedStore } from "./cloud/aws/s3/store";
import { CloudClock } from "./cloud/clock";
import { Clouds } from "./cloud/clouds";
import { CloudControl } from "./cloud/control";
import { Gateway } from "./cloud/gateway";
import { LocalIdentities } from "./cloud/identities";
import { serveKms } from "./cloud/kms-server";
import { FakeGcsObjects } from "./cloud/objects";
import { serveControl } from "./cloud/server";
import { startStorageServer } from "./cloud/storage-server";
import { Tokens } from "./cloud/tokens";
import { Upstream } from "./cloud/upstream";
import { Versions } from "./cloud/versions";
import { LocalClusters } from "./clusters/manager";
import { loadConfig } from "./config";
import { caFileOf, PROJECT_ROOT, sandboxDir, socketOf } from "./environment";
import { imageTable } from "./images/table";
import { authority, issue } from "./lib/certificates";
import { logger } from "./lib/log";
import { ProcessTable } from "./lib/process";
import { certManagerOperator } from "./operators/cert-manager";
import { eckOperator } from "./operators/eck";
import { k8ssandraOperator } from "./operators/k8ssandra";
import { OperatorManager } from "./operators/manager";
import { onePasswordOperator } from "./operators/onepassword";
import { seedOnePassword } from "./operators/onepassword/items";
import { loadTools } from "./toolchain";
import { Traffic } from "./traffic";

const log = logger("daemon");
/** Half of what a usual probe waits. */
const HELD_UP_MS = 500;

async function main(): Promise<void> {
  const dir = sandboxDir();
  mkdirSync(dir, { recursive: true });
  chmodSync(dir, 0o711); // containers with users of their own pass through it
  const tools = loadTools();
  const config = loadConfig(PROJECT_ROOT);
  const processes = new ProcessTable(dir);
  const onePassword = await seedOnePassword(dir, config.onePassword);

  const [storage, s3] = await Promise.all([
    startStorageServer({ dir, binary: tools.fakeGcsServer, processes }),
    startS3Server({ dir, binary: tools.seaweedfs, processes }),
  ]);
  const clock = new CloudClock(dir);
  const upstream = new Upstream(storage.endpoint, clock);
  const objects = new FakeGcsObjects(upstream, () => versions);
  const traffic: Traffic = new Traffic({
    dir: join(dir, "traffic"),
    envoy: tools.envoy,
    processes,
    resources: { all: (type) => control.resources.all(type) },
  });
  const control: CloudControl = new CloudControl({
    dir,
    changed: () => traffic.changed(),
    network: traffic.paths,
    clusters: () => clusters,
    objects,
    clock,
    preparedProjects: config.preparedProjects,
    preparedAccounts: config.preparedAccounts,
  });
  const versions: Versions = new Versions({
    dir,
    upstream,
    clock,
    bucket: (name) => control.bucket(name),
    buckets: () => control.buckets(),
  });
  const store = new SeaweedStore(s3);
  const aws: AwsControl = new AwsControl({ dir, clusters: () => clusters, store, now: () => clock.now() });
  const clouds = new Clouds(control, aws);
  const authorityOfAws = await authority("the local cloud");
  const certificate = await issue(authorityOfAws, { commonName: "127.0.0.1", ipAddresses: ["127.0.0.1"] });
  const s3Gateway = await S3Gateway.start({ upstream: s3, store, decisions: aws, sessions: aws.sessions, certificate });
  writeFileSync(caFileOf(dir), authorityOfAws.certificate);
  const tokens = new Tokens();
  const gateway = await Gateway.start({ upstream, versions, decisions: control, tokens });
  const kms = await serveKms(control, tokens);
  const identities: LocalIdentities = new LocalIdentities({
    upstream,
    versions,
    decisions: control,
    tokens,
    kms: kms.endpoint,
    workloadPool: (id: string): string | undefined => clusters.get(id)?.spec.workloadPool,
  });
  const operators = new OperatorManager([
    certManagerOperator(tools.cassandra.keytool),
    k8ssandraOperator,
    eckOperator,
    onePasswordOperator(onePassword),
  ]);
  const clusters: LocalClusters = new LocalClusters({
    dir,
    binaries: tools,
    processes,
    identities,
    images: imageTable(tools, PROJECT_ROOT, config, dir),
    onStart: async (cluster, agent, resolve) => {
      const attached = [await traffic.attach(cluster), await operators.attach(cluster, agent, resolve)];
      return { stop: async (lost) => void (await Promise.all(attached.map((each) => each.stop(lost)))) };
    },
  });

  const stop = async (): Promise<void> => {
    log("stops");
    await traffic.stop();
    await clusters.stopAll();
    await Promise.all([gateway.close(), kms.close(), s3Gateway.close()]);
    await Promise.all([storage.stop(), s3.stop()]);
    process.exit(0);
  };
  await serveControl(socketOf(dir), clouds, {
    token: async (email) => tokens.issue(email),
    awsCredentials: async (roleArn) => {
      const { expiration, ...keys } = aws.credentials(roleArn, "somebody");
      return { ...keys, expiration: expiration.toISOString() };
    },
    status: () => ({
      pid: process.pid,
      storageEndpoint: gateway.endpoint,
      s3Endpoint: s3Gateway.endpoint,
      clusters: clusters.list().map(({ spec, endpoint }) => ({ id: spec.id, endpoint })),
      resources: clouds.size,
    }),
    moveClock: (seconds) => versions.move(seconds).then(() => clock.now()),
    traffic: () => traffic.status(),
    stop,
  });
  process.once("SIGTERM", () => void stop());
  process.once("SIGINT", () => void stop());
  process.on("unhandledRejection", (reason) => log(`unhandled: ${(reason as Error)?.stack ?? reason}`));
  process.on("uncaughtException", (error) => log(`uncaught: ${error.stack}`));
  watchDelay();
  log(`runs; state in ${join(dir)}`);
}

/** Says when requests through this process waited: it forwards those to Services and to load-balanced pods. */
function watchDelay(): void {
  const delay = monitorEventLoopDelay({ resolution: 50 });
  delay.enable();
  setInterval(() => {
    const ms = delay.max / 1e6;
    if (ms > HELD_UP_MS) log(`was held up for ${Math.round(ms)} ms`);
    delay.reset();
  }, 5_000).unref();
}

main().catch((error: Error) => {
  log(`did not start: ${error.stack}`);
  process.exit(1);
});
