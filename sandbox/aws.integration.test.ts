/** AWS in the whole local cloud: a cluster, who is let in, pods with roles, and a copy from Google by federation. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { Resolver } from "node:dns/promises";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { BatchV1Api, CoreV1Api, KubeConfig, StorageV1Api } from "@kubernetes/client-node";
import { AwsClient } from "aws4fetch";
import { ControlClient, type Status } from "./cloud/api";
import { buildImages } from "./config";
import { PROJECT_ROOT, socketOf } from "./environment";
import { reapLeftovers, sleep, waitUntil } from "./lib/process";
import type { Props } from "./lib/types";

const ACCOUNT = "123456789012";
const REGION = "eu-central-1";
const DEPLOYER = `arn:aws:iam::${ACCOUNT}:role/deployer`;
const CLUSTER = `arn:aws:eks:${REGION}:${ACCOUNT}:cluster/it`;
const PROJECT = "google-it";
const EMAIL = `reader@${PROJECT}.iam.gserviceaccount.com`;
const PATH = `${join(PROJECT_ROOT, "sandbox", "clusters", "bin")}:${process.env.PATH}`;
const IMAGE = "registry.example/dr/jobs:1";

let dir: string;
let daemon: ChildProcess;
let client: ControlClient;
let status: Status;
let cluster: Props;

const policy = (...statements: Props[]) => JSON.stringify({ Version: "2012-10-17", Statement: statements });
const trusts = (service: string, more: Props = {}) =>
  policy({ Effect: "Allow", Principal: { Service: service }, Action: ["sts:AssumeRole", "sts:TagSession"], ...more });
const make = (type: string, inputs: Props) =>
  client.create(`aws:${type}`, "it", { region: REGION, ...inputs }, DEPLOYER);
const google = (type: string, inputs: Props) =>
  client.create(`gcp:${type}`, "it", { project: PROJECT, ...inputs }, "me@example.com");
const roleOf = (name: string) => `arn:aws:iam::${ACCOUNT}:role/${name}`;

/** Kubeconfig as the product writes it, for a role. */
function kubeconfig(role: string): KubeConfig {
  process.env.PATH = PATH;
  process.env.SANDBOX_SOCKET = socketOf(dir);
  const config = new KubeConfig();
  const { data } = cluster.certificateAuthority as { data: string };
  config.loadFromOptions({
    clusters: [{ name: "it", server: String(cluster.endpoint), caData: data }],
    users: [
      {
        name: role,
        exec: {
          apiVersion: "client.authentication.k8s.io/v1",
          command: "aws",
          args: ["eks", "get-token", "--cluster-name", "it", "--region", REGION, "--role-arn", role],
          interactiveMode: "Never",
        },
      },
    ],
    contexts: [{ name: "it", cluster: "it", user: role }],
    currentContext: "it",
  });
  return config;
}

const code = (work: Promise<unknown>) =>
  work.then(
    () => 200,
    (error: { code?: number }) => error.code,
  );

/** Runs a pod to its end. */
async function run(
  config: KubeConfig,
  name: string,
  account: string,
  script: string,
  volumes: object[] = [],
  mounts: object[] = [],
) {
  const jobs = config.makeApiClient(BatchV1Api);
  await jobs.createNamespacedJob({
    namespace: "default",
    body: {
      metadata: { name },
      spec: {
        backoffLimit: 0,
        template: {
          spec: {
            restartPolicy: "Never",
            serviceAccountName: account,
            volumes: volumes as never,
            containers: [
              { name: "main", image: IMAGE, command: ["/bin/sh", "-ec", script], volumeMounts: mounts as never },
            ],
          },
        },
      },
    },
  });
  for (;;) {
    const { status: now } = await jobs.readNamespacedJob({ namespace: "default", name });
    if (now?.succeeded || now?.failed) {
      const pods = await config
        .makeApiClient(CoreV1Api)
        .listNamespacedPod({ namespace: "default", labelSelector: `job-name=${name}` });
      const ended = pods.items[0]?.status?.containerStatuses?.[0]?.state?.terminated;
      return { ok: now.succeeded === 1, words: ended?.message ?? "" };
    }
    await sleep(300);
  }
}

before(async () => {
  await buildImages();
  dir = mkdtempSync(join(tmpdir(), "aws-it-"));
  daemon = spawn(process.execPath, ["--import", "tsx", join(PROJECT_ROOT, "sandbox", "daemon.ts")], {
    cwd: PROJECT_ROOT,
    env: { ...process.env, SANDBOX_DIR: dir },
    stdio: ["ignore", "ignore", "inherit"],
  });
  client = new ControlClient(socketOf(dir));
  const up = async () => {
    if (daemon.exitCode !== null) throw new Error("the daemon ended");
    const found = await client.status().catch(() => undefined);
    if (found) status = found;
    return found !== undefined;
  };
  await waitUntil("the daemon", up, { timeoutMs: 180_000 });
});

after(async () => {
  const ended = new Promise((resolve) => daemon.once("exit", resolve));
  await client.stop();
  await ended;
  await reapLeftovers(dir);
  if (!process.env.KEEP) rmSync(dir, { recursive: true, force: true });
});

test("a cluster lets in whom an entry names, as far as its access policy goes", async () => {
  const vpc = await make("ec2/vpc:Vpc", { cidrBlock: "10.9.0.0/16" });
  const subnets = [];
  for (const [index, letter] of ["a", "b"].entries())
    subnets.push(
      (
        await make("ec2/subnet:Subnet", {
          vpcId: vpc.id,
          cidrBlock: `10.9.${index}.0/24`,
          availabilityZone: `${REGION}${letter}`,
        })
      ).id,
    );
  await make("iam/role:Role", { name: "control", assumeRolePolicy: trusts("eks.amazonaws.com") });
  await make("iam/role:Role", { name: "machines", assumeRolePolicy: trusts("ec2.amazonaws.com") });
  for (const name of ["admin", "viewer", "outsider"])
    await make("iam/role:Role", { name, assumeRolePolicy: trusts("ec2.amazonaws.com") });
  cluster = (
    await make("eks/cluster:Cluster", {
      name: "it",
      roleArn: roleOf("control"),
      version: "1.35",
      vpcConfig: { subnetIds: subnets },
      accessConfig: { authenticationMode: "API", bootstrapClusterCreatorAdminPermissions: false },
    })
  ).outputs;
  for (const [name, access] of [
    ["admin", "AmazonEKSClusterAdminPolicy"],
    ["viewer", "AmazonEKSViewPolicy"],
  ] as const) {
    const of = { clusterName: "it", principalArn: roleOf(name) };
    await make("eks/accessEntry:AccessEntry", of);
    await make("eks/accessPolicyAssociation:AccessPolicyAssociation", {
      ...of,
      policyArn: `arn:aws:eks::aws:cluster-access-policy/${access}`,
      accessScope: { type: "cluster" },
    });
  }
  const core = (role: string) => kubeconfig(role).makeApiClient(CoreV1Api);
  const secret = (name: string) => ({ namespace: "default", body: { metadata: { name } } });
  assert.equal(await code(core(roleOf("admin")).createNamespacedSecret(secret("one"))), 200);
  // What a viewer may is gathered from other roles by a controller.
  const views = async () => (await code(core(roleOf("viewer")).listNamespacedPod({ namespace: "default" }))) === 200;
  await waitUntil("a viewer's rights", views, { timeoutMs: 120_000 });
  assert.equal(await code(core(roleOf("viewer")).createNamespacedSecret(secret("two"))), 403);
  assert.equal(await code(core(roleOf("outsider")).listNamespacedPod({ namespace: "default" })), 401);
  assert.equal(await code(core(DEPLOYER).listNamespacedPod({ namespace: "default" })), 401);
  // What enters Google's clusters enters none of these.
  const other = kubeconfig(roleOf("admin"));
  other.users = [
    { name: roleOf("admin"), token: readFileSync(join(dir, "credentials", "deployer-token"), "utf8") },
  ] as never;
  assert.equal(await code(other.makeApiClient(CoreV1Api).listNode()), 401);

  await make("eks/nodeGroup:NodeGroup", {
    clusterName: "it",
    nodeGroupName: "pool",
    nodeRoleArn: roleOf("machines"),
    subnetIds: subnets,
    instanceTypes: ["m7i.large"],
    scalingConfig: { minSize: 3, maxSize: 3, desiredSize: 3 },
    labels: { pool: "pool" },
  });
  const nodes = (await core(roleOf("admin")).listNode()).items;
  const zones = nodes.map(({ metadata }) => metadata?.labels?.["topology.kubernetes.io/zone"]).sort();
  assert.deepEqual(zones, [`${REGION}a`, `${REGION}a`, `${REGION}b`]);
});

test("a pod whose account is associated with a role writes to S3 as far as the role may, and another does not", async () => {
  const admin = kubeconfig(roleOf("admin"));
  await make("s3/bucket:Bucket", { bucket: "it-copies", objectLockEnabled: true });
  await make("iam/role:Role", {
    name: "copier",
    assumeRolePolicy: trusts("pods.eks.amazonaws.com", {
      Condition: {
        StringEquals: { "aws:SourceAccount": ACCOUNT, "aws:RequestTag/kubernetes-service-account": ["copier"] },
        ArnEquals: { "aws:SourceArn": CLUSTER },
      },
    }),
  });
  await make("iam/rolePolicy:RolePolicy", {
    name: "own",
    role: "copier",
    policy: policy(
      { Effect: "Allow", Action: ["s3:PutObject", "s3:GetObject"], Resource: "arn:aws:s3:::it-copies/*" },
      { Effect: "Allow", Action: "s3:ListBucket", Resource: "arn:aws:s3:::it-copies" },
    ),
  });
  const core = admin.makeApiClient(CoreV1Api);
  for (const name of ["copier", "other", "borrower"])
    await core.createNamespacedServiceAccount({ namespace: "default", body: { metadata: { name } } });
  for (const serviceAccount of ["copier", "borrower"])
    await make("eks/podIdentityAssociation:PodIdentityAssociation", {
      clusterName: "it",
      namespace: "default",
      serviceAccount,
      roleArn: roleOf("copier"),
    });
  const s3 =
    "export RCLONE_CONFIG=/dev/null RCLONE_S3_PROVIDER=AWS RCLONE_S3_REGION=eu-central-1 RCLONE_S3_ENV_AUTH=true RCLONE_S3_NO_CHECK_BUCKET=true RCLONE_RETRIES=1 RCLONE_LOW_LEVEL_RETRIES=1\n";
  const write = `${s3} echo hello > /tmp/a; rclone copyto /tmp/a :s3:it-copies/a; rclone cat :s3:it-copies/a`;
  const without = await run(admin, "no-agent", "copier", write);
  assert.equal(without.ok, false, "there is no agent yet");
  await make("eks/addon:Addon", { clusterName: "it", addonName: "eks-pod-identity-agent" });
  const good = await run(admin, "writes", "copier", write);
  assert.equal(good.ok, true, good.words);
  const removes = await run(admin, "removes", "copier", `${s3} rclone deletefile :s3:it-copies/a`);
  assert.equal(removes.ok, false);
  assert.match(removes.words, /AccessDenied|403/);
  assert.equal((await run(admin, "others", "other", write)).ok, false);
  // The role's trust names the account that may take it.
  assert.equal((await run(admin, "borrows", "borrower", write)).ok, false);
  const { accessKeyId, secretAccessKey, sessionToken } = await client.awsCredentials(roleOf("copier"));
  assert.ok(accessKeyId && secretAccessKey && sessionToken);
});

test("a claim of EBS has a disk once its add-on is there", async () => {
  const admin = kubeconfig(roleOf("admin"));
  await admin.makeApiClient(StorageV1Api).createStorageClass({
    body: {
      metadata: { name: "gp3" },
      provisioner: "ebs.csi.aws.com",
      volumeBindingMode: "WaitForFirstConsumer",
      parameters: { type: "gp3" },
    },
  });
  const core = admin.makeApiClient(CoreV1Api);
  await core.createNamespacedPersistentVolumeClaim({
    namespace: "default",
    body: {
      metadata: { name: "disk" },
      spec: { storageClassName: "gp3", accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
    },
  });
  const running = run(
    admin,
    "disk",
    "other",
    "echo 1 > /data/a",
    [{ name: "data", persistentVolumeClaim: { claimName: "disk" } }],
    [{ name: "data", mountPath: "/data" }],
  );
  await sleep(1500);
  assert.equal(
    (await core.readNamespacedPersistentVolumeClaim({ namespace: "default", name: "disk" })).status?.phase,
    "Pending",
  );
  await make("eks/addon:Addon", { clusterName: "it", addonName: "aws-ebs-csi-driver" });
  assert.equal((await running).ok, true);
});

test("a pod reads Google's storage with its cluster's token alone, where the pool trusts its issuer", async () => {
  const admin = kubeconfig(roleOf("admin"));
  const core = admin.makeApiClient(CoreV1Api);
  const issuer = (cluster.identities as { oidcs: { issuer: string }[] }[])[0]?.oidcs[0]?.issuer;
  await google("storage/bucket:Bucket", { name: "it-google", location: "EU", uniformBucketLevelAccess: true });
  await google("serviceaccount/account:Account", { accountId: "reader" });
  await google("storage/bucketIAMPolicy:BucketIAMPolicy", {
    bucket: "it-google",
    policyData: JSON.stringify({
      bindings: [
        { role: "roles/storage.objectViewer", members: [`serviceAccount:${EMAIL}`] },
        { role: "roles/storage.legacyBucketOwner", members: [`projectOwner:${PROJECT}`] },
      ],
    }),
  });
  const pool = await google("iam/workloadIdentityPool:WorkloadIdentityPool", { workloadIdentityPoolId: "aws-it" });
  const provider = await google("iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider", {
    workloadIdentityPoolId: "aws-it",
    workloadIdentityPoolProviderId: "cluster",
    oidc: { issuerUri: issuer },
    attributeMapping: { "google.subject": "assertion.sub" },
    attributeCondition: "assertion.sub == 'system:serviceaccount:default:copier'",
  });
  await google("serviceaccount/iAMBinding:IAMBinding", {
    serviceAccountId: `projects/${PROJECT}/serviceAccounts/${EMAIL}`,
    role: "roles/iam.workloadIdentityUser",
    members: [`principal://iam.googleapis.com/${pool.outputs.name}/subject/system:serviceaccount:default:copier`],
  });
  const audience = `//iam.googleapis.com/${provider.outputs.name}`;
  const credentials = {
    universe_domain: "googleapis.com",
    type: "external_account",
    audience,
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    token_url: "https://sts.googleapis.com/v1/token",
    credential_source: { file: "/google/token", format: { type: "text" } },
    service_account_impersonation_url: `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${EMAIL}:generateAccessToken`,
  };
  await core.createNamespacedConfigMap({
    namespace: "default",
    body: { metadata: { name: "google" }, data: { "credentials.json": JSON.stringify(credentials) } },
  });
  const volume = (of: string) => ({
    name: "google",
    projected: {
      sources: [{ serviceAccountToken: { audience: of, path: "token" } }, { configMap: { name: "google" } }],
    },
  });
  const mount = { name: "google", mountPath: "/google" };
  const list =
    "export RCLONE_CONFIG=/dev/null GOOGLE_APPLICATION_CREDENTIALS=/google/credentials.json RCLONE_GCS_ENV_AUTH=true RCLONE_RETRIES=1 RCLONE_LOW_LEVEL_RETRIES=1\n";
  const { accessToken } = await client.token("me@example.com");
  const stored = await fetch(`${status.storageEndpoint}/upload/storage/v1/b/it-google/o?uploadType=media&name=a`, {
    method: "POST",
    headers: { authorization: `Bearer ${accessToken}` },
    body: "from Google",
  });
  assert.ok([200, 403].includes(stored.status));
  const reads = await run(
    admin,
    "reads",
    "copier",
    `${list} rclone lsf :gcs:it-google`,
    [volume(`https:${audience}`)],
    [mount],
  );
  assert.equal(reads.ok, true, reads.words);
  const wrong = await run(
    admin,
    "wrong-audience",
    "copier",
    `${list} rclone lsf :gcs:it-google`,
    [volume("https://example.com")],
    [mount],
  );
  assert.equal(wrong.ok, false);
  assert.match(wrong.words, /audience/);
  const other = await run(
    admin,
    "wrong-subject",
    "other",
    `${list} rclone lsf :gcs:it-google`,
    [volume(`https:${audience}`)],
    [mount],
  );
  assert.equal(other.ok, false);
  assert.match(other.words, /attribute condition/);
});

test("while Google Cloud is lost nothing of it answers, and AWS does; afterwards it goes on", async () => {
  const admin = kubeconfig(roleOf("admin"));
  await client.fault({ kind: "cloud", target: "gcp", state: "lost" });
  await assert.rejects(
    google("serviceaccount/account:Account", { accountId: "another" }),
    /Nothing of Google Cloud answers/,
  );
  const { accessToken } = await client.token(EMAIL);
  const list = () =>
    fetch(`${status.storageEndpoint}/storage/v1/b/it-google/o`, {
      headers: { authorization: `Bearer ${accessToken}` },
    });
  assert.equal((await list()).status, 503);
  assert.equal(await code(admin.makeApiClient(CoreV1Api).listNode()), 200);
  await make("s3/bucket:Bucket", { bucket: "it-meanwhile" });
  await client.fault({ kind: "cloud", target: "gcp", state: "back" });
  assert.equal((await list()).status, 200);
});

test("names are answered from records and health checks, which look at an object in S3", async () => {
  const { id: zoneId } = await make("route53/zone:Zone", { name: "app.example.com" });
  await make("s3/bucket:Bucket", { bucket: "it-traffic" });
  const object = (serves: string) => ({
    bucket: "it-traffic",
    key: "traffic.json",
    content: JSON.stringify({ serves }),
    contentType: "application/json",
  });
  const made = await make("s3/bucketObjectv2:BucketObjectv2", object("primary"));
  await make("s3/bucketPolicy:BucketPolicy", {
    bucket: "it-traffic",
    policy: policy({
      Effect: "Allow",
      Principal: "*",
      Action: "s3:GetObject",
      Resource: "arn:aws:s3:::it-traffic/*",
      Condition: { IpAddress: { "aws:SourceIp": "15.177.0.0/18" } },
    }),
  });
  const named = (serves: string) =>
    make("route53/healthCheck:HealthCheck", {
      type: "HTTPS_STR_MATCH",
      fqdn: `it-traffic.s3.${REGION}.amazonaws.com`,
      resourcePath: "/traffic.json",
      searchString: `"serves":"${serves}"`,
      requestInterval: 10,
      failureThreshold: 1,
    });
  const [primary, standby] = [await named("primary"), await named("standby")];
  const record = (type: string, healthCheckId: string, address: string) =>
    make("route53/record:Record", {
      zoneId,
      name: "app.example.com",
      type: "A",
      ttl: 60,
      records: [address],
      setIdentifier: type,
      failoverRoutingPolicies: [{ type }],
      healthCheckId,
    });
  await record("PRIMARY", primary.id, "192.0.2.1");
  await record("SECONDARY", standby.id, "192.0.2.2");
  const resolver = new Resolver();
  resolver.setServers([status.dnsEndpoint]);
  assert.deepEqual(await resolver.resolve4("app.example.com"), ["192.0.2.1"]);
  await client.update(
    "aws:s3/bucketObjectv2:BucketObjectv2",
    made.id,
    { region: REGION, ...object("standby") },
    DEPLOYER,
  );
  const turned = async () => (await resolver.resolve4("app.example.com"))[0] === "192.0.2.2";
  await waitUntil("the secondary's answer", turned, { timeoutMs: 25_000, everyMs: 500 });
  const states = await client.healthChecks();
  assert.deepEqual(
    states.map(({ healthy }) => healthy),
    [false, true],
  );
});

test("whoever takes a role over is bound by what the bucket keeps", async () => {
  const { accessKeyId, secretAccessKey, sessionToken } = await client.awsCredentials(roleOf("copier"));
  assert.ok(existsSync(join(dir, "ca.crt")));
  const attacker = new AwsClient({
    accessKeyId,
    secretAccessKey,
    sessionToken,
    service: "s3",
    region: REGION,
    retries: 0,
  });
  const answer = await attacker.fetch(`${status.s3PlainEndpoint}/it-copies?versions`);
  assert.equal(answer.status, 403);
});
