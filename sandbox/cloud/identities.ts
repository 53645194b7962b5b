/** Pods as Google identities: a metadata server and a storage port of its own for each. */
import type { AccessDecisions, ClusterSpec, PodIdentities } from "../lib/types";
import type { AwsControl } from "./aws/control";
import { servePodAgent } from "./aws/endpoints";
import { POD_AUDIENCE } from "./aws/identities";
import { Gateway } from "./gateway";
import { serveMetadata } from "./metadata";
import type { Tokens } from "./tokens";
import type { Upstream } from "./upstream";
import type { Versions } from "./versions";

export interface LocalIdentitiesOptions {
  /** The storage server behind the gateways. */
  upstream: Upstream;
  /** What objects were before. */
  versions: Versions;
  decisions: AccessDecisions;
  tokens: Tokens;
  /** Endpoint of Cloud KMS. */
  kms: string;
  /** A cluster that runs. */
  cluster(clusterId: string): ClusterSpec | undefined;
  /** AWS with its endpoints and the file of the authority they show themselves with; absent: there is no AWS. */
  aws?: { control: AwsControl; s3Endpoint: string; stsEndpoint: string; googleProxy: string; caFile: string };
}

const METADATA_PORT = 8988;
const STORAGE_PORT = 8989;
const AGENT_PORT = 8987;

/** Where a webhook of EKS puts the token for the Pod Identity agent. Source: "EKS Pod Identity: how it works". */
const TOKEN_FOLDER = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount";
const TOKEN_FILE = "eks-pod-identity-token";
const CA_FILE = "/run/sandbox-ca.crt";

export class LocalIdentities implements PodIdentities {
  constructor(private readonly options: LocalIdentitiesOptions) {}

  async open(pod: Parameters<PodIdentities["open"]>[0]): ReturnType<PodIdentities["open"]> {
    const cluster = this.options.cluster(pod.clusterId);
    if (cluster?.cloud === "aws") return this.openAws(pod, cluster);
    const { decisions, tokens, upstream, versions } = this.options;
    const pool = cluster?.workloadPool;
    const member = `serviceAccount:${pool}[${pod.namespace}/${pod.serviceAccount}]`;
    const email = pool && pod.serviceAccountAnnotation;
    const host = pod.podIP;
    // Asked at each request: a binding that ends, ends for running pods too.
    const caller = () => (email && decisions.mayActAs(member, email) ? email : undefined);
    const gateway = await Gateway.start({
      upstream,
      versions,
      decisions,
      tokens,
      host,
      port: STORAGE_PORT,
      defaultCaller: caller,
    });
    const metadata =
      pool && email
        ? await serveMetadata({
            host,
            port: METADATA_PORT,
            project: pool.replace(/\.svc\.id\.goog$/, ""),
            email,
            member,
            decisions,
            tokens,
          })
        : undefined;
    return {
      env: {
        GCE_METADATA_HOST: `${host}:${METADATA_PORT}`,
        // With its port: Node's clients take it before the other, Python's ask it whether there is a metadata server.
        GCE_METADATA_IP: `${host}:${METADATA_PORT}`,
        STORAGE_EMULATOR_HOST: gateway.endpoint,
        RCLONE_GCS_ENDPOINT: `${gateway.endpoint}/storage/v1/`,
        CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS: this.options.kms,
      },
      close: async () => {
        metadata?.closeAllConnections();
        await Promise.all([
          gateway.close(),
          new Promise((resolve) => (metadata ? metadata.close(resolve) : resolve(undefined))),
        ]);
      },
    };
  }

  /** A pod of EKS: the agent that gives its role's credentials, if its account has one, and where AWS is. */
  private async openAws(
    pod: Parameters<PodIdentities["open"]>[0],
    cluster: ClusterSpec,
  ): ReturnType<PodIdentities["open"]> {
    const { aws } = this.options;
    if (!aws) return { env: {}, close: async () => undefined };
    const { s3Endpoint, stsEndpoint, googleProxy, caFile, control } = aws;
    const env: Record<string, string> = {
      AWS_REGION: cluster.location,
      AWS_DEFAULT_REGION: cluster.location,
      AWS_STS_REGIONAL_ENDPOINTS: "regional",
      // What the names of AWS's endpoints would lead to; clients read one or the other.
      AWS_ENDPOINT_URL_S3: s3Endpoint,
      AWS_ENDPOINT_URL_STS: stsEndpoint,
      RCLONE_S3_ENDPOINT: s3Endpoint,
      RCLONE_S3_FORCE_PATH_STYLE: "true",
      AWS_CA_BUNDLE: CA_FILE,
      NODE_EXTRA_CA_CERTS: CA_FILE,
      RCLONE_CA_CERT: CA_FILE,
      SSL_CERT_FILE: CA_FILE,
      // The way out of the cluster's network; what is in it, and AWS, is reached without.
      HTTPS_PROXY: googleProxy,
      NO_PROXY: "localhost,127.0.0.1,.svc,.cluster.local,.amazonaws.com",
      // No machine's role: pods are kept from it.
      AWS_EC2_METADATA_DISABLED: "true",
    };
    const mounts = { [CA_FILE]: caFile };
    // As the real webhook does: a pod that was there before its association has nothing of it.
    if (!control.podRole(pod.clusterId, pod.namespace, pod.serviceAccount))
      return { env, mounts, close: async () => undefined };
    const agent = await servePodAgent(control, pod.clusterId, pod.podIP, AGENT_PORT);
    return {
      env: {
        ...env,
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `${agent.endpoint}/v1/credentials`,
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: `${TOKEN_FOLDER}/${TOKEN_FILE}`,
      },
      mounts,
      token: { audience: POD_AUDIENCE, seconds: 86_400, folder: TOKEN_FOLDER, file: TOKEN_FILE },
      close: agent.close,
    };
  }
}
