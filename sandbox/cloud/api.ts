/**
 * The daemon's control API: HTTP and JSON on a unix socket. Providers, the command line and credential helpers are its
 * clients. A refusal is `{ error: { status, reason, message } }` with that HTTP status.
 *
 *     POST /resources/create   { type, name, inputs, caller }     -> { id, outputs }
 *     POST /resources/read     { type, id }                       -> { id, inputs, outputs } | 404
 *     POST /resources/update   { type, id, inputs, caller }       -> { outputs }
 *     POST /resources/delete   { type, id, caller }               -> {}
 *     POST /invoke             { token, args, caller }            -> the result
 *     POST /token              { email }                          -> { accessToken, expiresAt }
 *     POST /aws/credentials    { roleArn }                        -> AwsCredentials
 *     POST /aws/eks-token       { clusterName, region, roleArn }   -> { token }
 *     GET  /aws/health-checks                                     -> { checks: CheckState[] }
 *     POST /aws/forward         { address, port, to: { host, port } } -> {}
 *     POST /locate              { address, port }                  -> Located | 404
 *     POST /fault              { kind, target, state }            -> {}
 *     POST /clock              { seconds }                        -> { now }
 *     GET  /status             -> Status
 *     GET  /traffic            -> TrafficStatus
 *     POST /stop               -> {}
 */
import { request } from "node:http";
import { CloudError, type CloudResource, type Props } from "../lib/types";
import type { CheckState } from "./aws/dns/health";
import type { Forward } from "./aws/dns/surface";

/** States of each kind of fault, by what they strike; the second of two ends the first. */
export const faultStates = {
  /**
   * Its clusters are gone with their disks; without power, or with it; standing still, so that nothing is refused and nothing
   * answered, or going on; reaching themselves alone, or all; twenty times as far away, or as far as ever.
   */
  region: ["lost", "off", "on", "hung", "resumed", "apart", "joined", "slow", "near"],
  /** Its machines stand still, and no API is told; or they go on. */
  zone: ["hung", "resumed"],
  /** The control planes of a region's clusters. */
  "control-plane": ["down", "up"],
  bucket: ["unreadable", "readable"],
  /** Nothing of `gcp` answers: APIs, storage, tokens, API servers; its pods stand still. Then everything goes on. */
  cloud: ["lost", "back"],
  /** 1Password, for every cluster: connections are refused, or taken and nothing answered; or it answers again. */
  onepassword: ["refuses", "hangs", "answers"],
} as const;

/** A fault to make or to end. */
export type Fault = {
  [Kind in keyof typeof faultStates]: { kind: Kind; target: string; state: (typeof faultStates)[Kind][number] };
}[keyof typeof faultStates];

/** A fault of what the clouds themselves have. */
export type CloudFault = Exclude<Fault, { kind: "onepassword" }>;

/** A front end of a load balancer. */
export interface FrontEndStatus {
  /** Declared address and port. */
  address: string;
  port: number;
  /** Where it answers on this machine, `127.0.0.1:PORT`. */
  listener: string;
}

/** An endpoint as the front ends near a region see it. */
export interface BackendStatus {
  /** Backend service and the front ends' region, e.g. `app of my-project near europe-west1`. */
  cluster: string;
  /** `ADDRESS:PORT` of the pod. */
  endpoint: string;
  region: string;
  /** It passes its health checks. */
  healthy: boolean;
  /** Outlier detection has left it out, healthy or not. */
  ejected: boolean;
}

/** Load balancers: what answers, and whom their health checks find healthy. */
export interface TrafficStatus {
  frontEnds: FrontEndStatus[];
  backends: BackendStatus[];
  /** PEM file of the authority of their certificates. */
  authority: string;
  /** Header by which a client says which region it is in. */
  clientHeader: string;
  /** Files of JSON lines: every request, every change of health. */
  logs: { requests: string; health: string };
}

/** What runs. */
export interface Status {
  pid: number;
  /** Gateway of the storage API, `http://127.0.0.1:PORT`; requests need a token. */
  storageEndpoint: string;
  /** The S3 API, `https://127.0.0.1:PORT`; requests need a signature. */
  s3Endpoint: string;
  /** The same without TLS, which policies may refuse. */
  s3PlainEndpoint: string;
  /** AWS STS, `https://127.0.0.1:PORT`; requests need a signature. */
  stsEndpoint: string;
  /** Google's STS, IAM credentials and storage by their own names in the header Host, `https://127.0.0.1:PORT`. */
  googleEndpoint: string;
  /** Name servers of the zones of Route 53, `127.0.0.1:PORT`, UDP and TCP. */
  dnsEndpoint: string;
  /** A proxy for HTTPS, by which programs reach public addresses, `http://127.0.0.1:PORT`. */
  proxyEndpoint: string;
  clusters: { id: string; endpoint: string }[];
  resources: number;
}

/** What stands for a public address and port on this machine. */
export interface Located {
  host: string;
  port: number;
  /** PEM files of the authorities of certificates that are shown there. */
  authorities: string[];
}

/** An access token of a service account. */
export interface AccessToken {
  accessToken: string;
  /** ISO-8601, UTC. */
  expiresAt: string;
}

/** Temporary credentials of a role of AWS. */
export interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  /** ISO-8601, UTC. */
  expiration: string;
}

/**
 * Client of the control API.
 *
 * `caller` is the email of whoever deploys; the sandbox's deployers own their projects.
 * @throws CloudError as the cloud refused; Error naming the socket when no daemon listens
 */
export class ControlClient {
  constructor(private readonly socket: string) {}

  create(type: string, name: string, inputs: Props, caller: string): Promise<{ id: string; outputs: Props }> {
    return this.post("/resources/create", { type, name, inputs, caller });
  }
  /** Undefined: it is gone. */
  async read(type: string, id: string): Promise<CloudResource | undefined> {
    try {
      return await this.post("/resources/read", { type, id });
    } catch (error) {
      if (error instanceof CloudError && error.status === 404) return undefined;
      throw error;
    }
  }
  async update(type: string, id: string, inputs: Props, caller: string): Promise<Props> {
    return (await this.post<{ outputs: Props }>("/resources/update", { type, id, inputs, caller })).outputs;
  }
  async delete(type: string, id: string, caller: string): Promise<void> {
    await this.post("/resources/delete", { type, id, caller });
  }
  invoke(token: string, args: Props, caller: string): Promise<Props> {
    return this.post("/invoke", { token, args, caller });
  }
  token(email: string): Promise<AccessToken> {
    return this.post("/token", { email });
  }
  awsCredentials(roleArn: string): Promise<AwsCredentials> {
    return this.post("/aws/credentials", { roleArn });
  }
  /** States of Route 53's health checks. */
  async healthChecks(): Promise<CheckState[]> {
    return (await this.send<{ checks: CheckState[] }>("GET", "/aws/health-checks")).checks;
  }
  /** Says what stands for a public address and port on this machine. */
  async forward(forward: Forward): Promise<void> {
    await this.post("/aws/forward", { ...forward });
  }
  /** Where a public address is on this machine. @throws CloudError 404 when nobody answers there */
  locate(address: string, port: number): Promise<Located> {
    return this.post("/locate", { address, port });
  }
  async fault(fault: Fault): Promise<void> {
    await this.post("/fault", { ...fault });
  }
  /** Moves the cloud's clock forward; what became due meanwhile is deleted. @returns what it shows then */
  async moveClock(seconds: number): Promise<Date> {
    return new Date((await this.post<{ now: string }>("/clock", { seconds })).now);
  }
  status(): Promise<Status> {
    return this.send("GET", "/status");
  }
  traffic(): Promise<TrafficStatus> {
    return this.send("GET", "/traffic");
  }
  async stop(): Promise<void> {
    await this.post("/stop", {});
  }

  private post<T>(path: string, body: Props): Promise<T> {
    return this.send("POST", path, JSON.stringify(body));
  }

  private send<T>(method: string, path: string, body?: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const call = request({ socketPath: this.socket, method, path, headers: { "content-type": "application/json" } });
      call.on("error", (error) =>
        reject(new Error(`no sandbox listens on ${this.socket} (${error.message}); start one with make up`)),
      );
      call.on("response", (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const answer = JSON.parse(Buffer.concat(chunks).toString("utf8") || "{}");
          if ((response.statusCode ?? 500) < 300) return resolve(answer as T);
          const { status, reason, message } = answer.error ?? {};
          return reject(new CloudError(status ?? response.statusCode, reason ?? "unknown", message ?? "no message"));
        });
      });
      call.end(body);
    });
  }
}
