/** The local cloud's only long-lived process: everything else is its child and ends with it. */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Balancers } from "./cloud/aws/balancers/balancers";
import { Targets } from "./cloud/aws/balancers/targets";
import { AwsControl } from "./cloud/aws/control";
import { HealthChecks } from "./cloud/aws/dns/health";
import { serveDns } from "./cloud/aws/dns/server";
import { PublicSurface } from "./cloud/aws/dns/surface";
import { CHECK_IP, serveAuthenticator, serveCheckIp, serveSts } from "./cloud/aws/endpoints";
import { S3Gateway } from "./cloud/aws/s3/gateway";
import { startS3Server } from "./cloud/aws/s3/server";
import { SeaweedStore } from "./cloud/aws/s3/store";
import { CloudClock } from "./cloud/clock";
import { Clouds } from "./cloud/clouds";
import { CloudControl } from "./cloud/control";
import { Gateway } from "./cloud/gateway";
import { TokenExchange } from "./cloud/gcp/token-exchange";
import { GOOGLE_HOSTS, serveGoogleApis } from "./cloud/google-apis";
import { memberOf } from "./cloud/iam/access";
import { LocalIdentities } from "./cloud/identities";
import { serveKms } from "./cloud/kms-server";
import { FakeGcsObjects } from "./cloud/objects";
import { servePublicProxy } from "./cloud/public-proxy";
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
import { logger, watchDelay } from "./lib/log";
import { ProcessTable } from "./lib/process";
import { certManagerOperator } from "./operators/cert-manager";
import { eckOperator } from "./operators/eck";
import { k8ssandraOperator } from "./operators/k8ssandra";
import { loadBalancerOperator } from "./operators/load-balancer";
import { OperatorManager } from "./operators/manager";
import { onePasswordOperator } from "./operators/onepassword";
import { seedOnePassword } from "./operators/onepassword/items";
import { OnePasswordService } from "./operators/onepassword/server";
import { loadTools } from "./toolchain";
import { Traffic } from "./traffic";

const log = logger("daemon");

async function main(): Promise<void> {
  const dir = sandboxDir();
  mkdirSync(dir, { recursive: true });
  chmodSync(dir, 0o711); // containers with users of their own pass through it
  const tools = loadTools();
  const config = loadConfig(PROJECT_ROOT);
  const processes = new ProcessTable(dir);
  const onePassword = await OnePasswordService.start(await seedOnePassword(dir, config.onePassword));

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
  const aws: AwsControl = new AwsControl({
    dir,
    clusters: () => clusters,
    store,
    now: () => clock.now(),
    deployers: config.preparedRoles,
    services: config.usedServices,
    authenticator: (clusterArn) => `${authenticator.endpoint}/${encodeURIComponent(clusterArn)}`,
  });
  const authenticator = await serveAuthenticator(aws);
  const clouds = new Clouds(control, aws);
  const authorityOfAws = await authority("the local cloud");
  const certificate = await issue(authorityOfAws, { commonName: "127.0.0.1", ipAddresses: ["127.0.0.1"] });
  const s3Gateway = await S3Gateway.start({ upstream: s3, store, decisions: aws, sessions: aws.sessions, certificate });
  writeFileSync(caFileOf(dir), authorityOfAws.certificate);
  const sts = await serveSts(aws, certificate);
  const tokens = new Tokens();
  const gateway = await Gateway.start({ upstream, versions, decisions: control, administration: control, tokens });
  const kms = await serveKms(control, tokens);
  const exchange = new TokenExchange({
    identityProvider: (name) => control.identityProvider(name),
    mayActAs: (member, email) => control.mayActAs(member, email),
    memberOfToken: (accessToken) => {
      const email = tokens.resolve(accessToken);
      return email && memberOf(email);
    },
    // Whoever trusts an issuer asks it for its keys: it answers while the cluster runs.
    issuerKey: (issuer) =>
      clusters.list().some(({ spec }) => spec.issuer === issuer) ? clusters.serviceAccountKey : undefined,
  });
  const google = await serveGoogleApis({
    exchange,
    tokens,
    storage: gateway.endpoint,
    certificate: await issue(authorityOfAws, { commonName: "googleapis.com", dnsNames: GOOGLE_HOSTS }),
    lost: () => control.isLost,
  });
  const surface = new PublicSurface(
    aws,
    (address) => control.isLost && control.hasAddress(address),
    async () => (await traffic.status()).frontEnds,
  );
  const checkIp = await serveCheckIp(await issue(authorityOfAws, { commonName: CHECK_IP, dnsNames: [CHECK_IP] }));
  const { hostname: host, port } = new URL(checkIp.endpoint);
  surface.forward({ address: CHECK_IP, port: 443, to: { host, port: Number(port) } });
  const proxy = await servePublicProxy((address, port) => surface.locate(address, port));
  const checks = new HealthChecks(() => aws.healthChecks(), surface);
  const targets = new Targets((groupArn) => aws.targetGroup(groupArn));
  const balancers = new Balancers(
    {
      listeners: () => aws.listeners(),
      certificate: (names) => issue(authorityOfAws, { commonName: names[0] ?? "", dnsNames: names }),
      tell: (balancerArn, state) => aws.setBalancer(balancerArn, state),
      forward: (address, port, to) => surface.forward({ address, port, to }),
    },
    targets,
  );
  const dns = await serveDns(() => aws.zones((id) => checks.healthy(id)));
  const identities: LocalIdentities = new LocalIdentities({
    upstream,
    versions,
    decisions: control,
    tokens,
    kms: kms.endpoint,
    cluster: (id: string) => clusters.get(id)?.spec,
    aws: {
      control: aws,
      s3Endpoint: s3Gateway.endpoint,
      stsEndpoint: sts.endpoint,
      googleProxy: google.proxy,
      caFile: caFileOf(dir),
    },
  });
  const operators = new OperatorManager([
    certManagerOperator(tools.cassandra.keytool),
    k8ssandraOperator,
    eckOperator,
    onePasswordOperator(onePassword, dir),
    loadBalancerOperator({
      set: (pod, groupArn, found) => {
        aws.checkTargets(pod, groupArn);
        targets.set(groupArn, found);
      },
      healthy: (groupArn) => targets.healthy(groupArn),
    }),
  ]);
  const clusters: LocalClusters = new LocalClusters({
    dir,
    binaries: tools,
    processes,
    identities,
    images: imageTable(tools, PROJECT_ROOT, config, dir),
    onStart: async (cluster, agent, resolve) => {
      // Groups of endpoints are a matter of GKE.
      const groups = cluster.spec.cloud === "aws" ? [] : [await traffic.attach(cluster)];
      const attached = [...groups, await operators.attach(cluster, agent, resolve)];
      return { stop: async (lost) => void (await Promise.all(attached.map((each) => each.stop(lost)))) };
    },
  });

  const stop = async (): Promise<void> => {
    log("stops");
    checks.stop();
    targets.stop();
    await Promise.all([traffic.stop(), balancers.stop()]);
    await clusters.stopAll();
    await Promise.all([
      gateway.close(),
      kms.close(),
      s3Gateway.close(),
      sts.close(),
      authenticator.close(),
      google.close(),
      proxy.close(),
      checkIp.close(),
      dns.close(),
      onePassword.close(),
    ]);
    await Promise.all([storage.stop(), s3.stop()]);
    process.exit(0);
  };
  await serveControl(socketOf(dir), clouds, {
    token: async (email) => tokens.issue(email),
    healthChecks: () => checks.list(),
    forward: (to) => surface.forward(to),
    locate: async (address, port) => {
      const at = await surface.locate(address, port);
      return at && { ...at, authorities: [caFileOf(dir), (await traffic.status()).authority] };
    },
    eksToken: async (clusterName, region, roleArn) => ({ token: await aws.clusterToken(clusterName, region, roleArn) }),
    awsCredentials: async (roleArn) => {
      const { expiration, ...keys } = aws.credentials(roleArn, "somebody");
      return { ...keys, expiration: expiration.toISOString() };
    },
    status: () => ({
      pid: process.pid,
      storageEndpoint: gateway.endpoint,
      s3Endpoint: s3Gateway.endpoint,
      s3PlainEndpoint: s3Gateway.plainEndpoint,
      stsEndpoint: sts.endpoint,
      googleEndpoint: google.endpoint,
      dnsEndpoint: dns.endpoint,
      proxyEndpoint: proxy.endpoint,
      clusters: clusters.list().map(({ spec, endpoint }) => ({ id: spec.id, endpoint })),
      resources: clouds.size,
    }),
    moveClock: (seconds) => versions.move(seconds).then(() => clock.now()),
    traffic: () => traffic.status(),
    onePassword: (reach) => onePassword.set(reach),
    stop,
  });
  process.once("SIGTERM", () => void stop());
  process.once("SIGINT", () => void stop());
  process.on("unhandledRejection", (reason) => log(`unhandled: ${(reason as Error)?.stack ?? reason}`));
  process.on("uncaughtException", (error) => log(`uncaught: ${error.stack}`));
  watchDelay(log);
  log(`runs; state in ${join(dir)}`);
}

main().catch((error: Error) => {
  log(`did not start: ${error.stack}`);
  process.exit(1);
});
