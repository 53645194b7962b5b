/** Pods as Google identities: a metadata server and a storage port of its own for each. */
import type { AccessDecisions, PodIdentities } from "../lib/types";
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
  /** Workload Identity pool of a cluster, `PROJECT.svc.id.goog`. */
  workloadPool(clusterId: string): string | undefined;
}

const METADATA_PORT = 8988;
const STORAGE_PORT = 8989;

export class LocalIdentities implements PodIdentities {
  constructor(private readonly options: LocalIdentitiesOptions) {}

  async open(pod: Parameters<PodIdentities["open"]>[0]): ReturnType<PodIdentities["open"]> {
    const { decisions, tokens, upstream, versions } = this.options;
    const pool = this.options.workloadPool(pod.clusterId);
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
        GCE_METADATA_IP: host,
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
}
