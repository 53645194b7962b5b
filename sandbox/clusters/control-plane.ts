/** The control plane of one cluster: kube-apiserver, kube-controller-manager and kube-scheduler as local processes. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { join } from "node:path";
import { stringify } from "yaml";
import { freePort, type ProcessTable, pauseTree, type Running, waitUntil } from "../lib/process";
import type { ClusterCredentials } from "./credentials";

export interface ControlPlaneBinaries {
  kubeApiserver: string;
  kubeControllerManager: string;
  kubeScheduler: string;
}

export interface ControlPlaneOptions {
  /** Folder of the cluster's files. */
  dir: string;
  name: string;
  /** Loopback network of the cluster: 127.(20+index).0.0/16, upper half for Services. */
  network: number;
  etcdEndpoint: string;
  /** Key prefix in the shared etcd. */
  etcdPrefix: string;
  credentials: ClusterCredentials;
  /** Issuer of service accounts' tokens. Default: the cluster itself. */
  issuer?: string;
  /** URL that says whose a bearer token is. Default: none. */
  authenticator?: string;
  binaries: ControlPlaneBinaries;
  processes: ProcessTable;
  /** Port of the API server. Default: a free one. */
  port?: number;
}

/** Controllers that clusters here need. The endpoint controllers are off: the API refuses loopback addresses in them. */
const CONTROLLERS = [
  "serviceaccount-controller",
  "serviceaccount-token-controller",
  "root-ca-certificate-publisher-controller",
  // Without it the roles view, edit and admin are empty.
  "clusterrole-aggregation-controller",
  "job-controller",
  "cronjob-controller",
  "deployment-controller",
  "replicaset-controller",
  "statefulset-controller",
  "daemonset-controller",
  "disruption-controller",
  // Without metrics it holds the smallest number of pods and nothing more.
  "horizontal-pod-autoscaler-controller",
  "namespace-controller",
  "garbage-collector-controller",
  "ttl-after-finished-controller",
  "ephemeral-volume-controller",
  "persistentvolume-binder-controller",
  "persistentvolumeclaim-protection-controller",
  "persistentvolume-protection-controller",
];

/** Go programs on two shared cores: fewer threads, a lazier collector. */
const GO_ENV = { GOMAXPROCS: "2", GOGC: "150", PATH: "/usr/bin:/bin" };

export class ControlPlane {
  /** `127.0.0.1:PORT` */
  readonly endpoint: string;
  readonly caCertificate: string;
  readonly adminKubeconfig: string;

  private constructor(
    private readonly running: Running[],
    port: number,
    options: ControlPlaneOptions,
  ) {
    this.endpoint = `127.0.0.1:${port}`;
    this.caCertificate = certificate(options.dir);
    this.adminKubeconfig = kubeconfig(this.endpoint, this.caCertificate, options.credentials.adminToken);
  }

  /** Starts all three and returns when the API server is ready. */
  static async start(options: ControlPlaneOptions): Promise<ControlPlane> {
    mkdirSync(options.dir, { recursive: true });
    const port = options.port ?? (await freePort());
    const log = (program: string) => join(options.dir, `${program}.log`);
    const apiserver = options.processes.run({
      name: `kube-apiserver ${options.name}`,
      command: options.binaries.kubeApiserver,
      args: apiserverFlags(options, port),
      env: GO_ENV,
      log: log("kube-apiserver"),
    });
    await waitUntil(`API server of ${options.name}`, () => ready(port, options.credentials.adminToken), {
      timeoutMs: 180_000,
      child: apiserver,
      log: log("kube-apiserver"),
    });
    const plane = new ControlPlane([apiserver], port, options);
    const config = join(options.dir, "controllers.kubeconfig");
    writeFileSync(config, plane.adminKubeconfig, { mode: 0o600 });
    const ca = join(options.dir, "ca.crt");
    writeFileSync(ca, plane.caCertificate);
    plane.running.push(
      options.processes.run({
        name: `kube-controller-manager ${options.name}`,
        command: options.binaries.kubeControllerManager,
        args: [
          `--kubeconfig=${config}`,
          "--leader-elect=false",
          "--secure-port=0",
          `--service-account-private-key-file=${options.credentials.serviceAccountPrivateKey}`,
          `--root-ca-file=${ca}`,
          `--controllers=${CONTROLLERS.join(",")}`,
          "--pvclaimbinder-sync-period=5s",
          "--kube-api-qps=200",
          "--kube-api-burst=400",
        ],
        env: GO_ENV,
        log: log("kube-controller-manager"),
      }),
      options.processes.run({
        name: `kube-scheduler ${options.name}`,
        command: options.binaries.kubeScheduler,
        args: [`--kubeconfig=${config}`, "--leader-elect=false", "--secure-port=0"],
        env: GO_ENV,
        log: log("kube-scheduler"),
      }),
    );
    return plane;
  }

  /** Lets all three stand still, or go on. */
  pause(paused: boolean): void {
    for (const { pid } of this.running) pauseTree(pid, paused);
  }

  /** Ends all three; with `graceMs` 0 as if the machine had lost power. */
  async stop(graceMs?: number): Promise<void> {
    await Promise.all(this.running.map((process) => process.stop(graceMs)));
  }
}

function apiserverFlags(options: ControlPlaneOptions, port: number): string[] {
  return [
    `--etcd-servers=${options.etcdEndpoint}`,
    `--etcd-prefix=${options.etcdPrefix}`,
    `--secure-port=${port}`,
    "--bind-address=127.0.0.1",
    "--advertise-address=127.0.0.1",
    `--cert-dir=${join(options.dir, "certs")}`,
    `--token-auth-file=${options.authenticator ? options.credentials.adminTokenFile : options.credentials.tokenFile}`,
    ...(options.authenticator ? authenticatorFlags(options.dir, options.authenticator) : []),
    "--authorization-mode=RBAC",
    `--service-account-issuer=${options.issuer ?? "https://kubernetes.default.svc"}`,
    `--api-audiences=${[options.issuer, "https://kubernetes.default.svc"].filter(Boolean).join(",")}`,
    `--service-account-key-file=${options.credentials.serviceAccountPublicKey}`,
    `--service-account-signing-key-file=${options.credentials.serviceAccountPrivateKey}`,
    `--service-cluster-ip-range=127.${options.network}.128.0/17`,
    "--endpoint-reconciler-type=none",
    "--profiling=false",
    "--enable-priority-and-fairness=false",
  ];
}

/** Flags by which the API server asks a webhook whose a token is. */
function authenticatorFlags(dir: string, server: string): string[] {
  const file = join(dir, "authenticator.kubeconfig");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "authenticator", cluster: { server } }],
    users: [{ name: "apiserver", user: {} }],
    contexts: [{ name: "webhook", context: { cluster: "authenticator", user: "apiserver" } }],
    "current-context": "webhook",
  };
  writeFileSync(file, stringify(config));
  return [
    `--authentication-token-webhook-config-file=${file}`,
    "--authentication-token-webhook-version=v1",
    // Access that ends, ends soon.
    "--authentication-token-webhook-cache-ttl=5s",
  ];
}

/** The API server makes its own authority and certificate; the file holds both. */
const certificate = (dir: string) => readFileSync(join(dir, "certs", "apiserver.crt"), "utf8");

function ready(port: number, token: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(
      {
        host: "127.0.0.1",
        port,
        path: "/readyz",
        headers: { authorization: `Bearer ${token}` },
        // Only until the certificate that it makes for itself can be read.
        rejectUnauthorized: false,
        timeout: 2000,
      },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      },
    );
    request.on("error", () => resolve(false));
    request.on("timeout", () => request.destroy());
  });
}

function kubeconfig(endpoint: string, ca: string, token: string): string {
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name: "cluster",
        cluster: { server: `https://${endpoint}`, "certificate-authority-data": Buffer.from(ca).toString("base64") },
      },
    ],
    users: [{ name: "admin", user: { token } }],
    contexts: [{ name: "admin", context: { cluster: "cluster", user: "admin" } }],
    "current-context": "admin",
  });
}
