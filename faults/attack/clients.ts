/** The storages of the running local cloud, asked with stolen credentials. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Agent, request as httpsRequest } from "node:https";
import { CoreV1Api } from "@kubernetes/client-node";
import { AwsV4Signer } from "aws4fetch";
import { kubeConfig } from "../../drill/clusters";
import { ControlClient, type Status } from "../../sandbox/cloud/api";
import { caFileOf, socketOf } from "../../sandbox/environment";
import type { Cloud } from "./cells";
import type { FederationClient, KubernetesSubject } from "./federation";
import { GcsAttack, type GcsClient, NOBODY } from "./gcs";
import { S3Attack, type S3Client, type S3Request } from "./s3";
import type { Answer, Storage } from "./storage";

/** Connects to the sandbox that keeps its state in `dir`. @throws when none runs */
export async function sandboxStorages(dir: string, region: string): Promise<Record<Cloud, Storage>> {
  const control = new ControlClient(socketOf(dir));
  const status = await control.status();
  const https = new Https(readFileSync(caFileOf(dir), "utf8"));
  return {
    gcp: new GcsAttack(gcsClient(control, status, https)),
    aws: new S3Attack(s3Client(control, status, https, region)),
  };
}

/** S3 and STS of the sandbox that keeps its state in `dir`. @throws when none runs */
export async function sandboxS3(dir: string, region: string): Promise<S3Client> {
  const control = new ControlClient(socketOf(dir));
  return s3Client(control, await control.status(), new Https(readFileSync(caFileOf(dir), "utf8")), region);
}

/** Cloud Storage with the tokens of accounts. */
export function gcsClient(control: ControlClient, status: Status, https: Https): GcsClient {
  const tokens = once(async (email: string) => (await control.token(email)).accessToken);
  const authorization = async (email: string): Promise<Record<string, string>> =>
    email === NOBODY ? {} : { authorization: `Bearer ${await tokens(email)}` };
  return {
    async send(email, { method, path, body }) {
      const headers = { ...(await authorization(email)), ...(body && { "content-type": "application/json" }) };
      const response = await fetch(new URL(path, status.storageEndpoint), { method, headers, body });
      return { status: response.status, body: await response.text() };
    },
    async whoami(email) {
      const api = new URL("https://oauth2.googleapis.com/tokeninfo");
      const url = new URL(
        `${api.pathname}?${new URLSearchParams({ access_token: await tokens(email) })}`,
        status.googleEndpoint,
      );
      return https.send(url, "GET", { host: api.host }, undefined, api.host);
    },
    async mint(email, victim) {
      return generateAccessToken(https, status.googleEndpoint, victim, await authorization(email));
    },
  };
}

/** Sends JSON to one of Google's APIs, all of which are behind the endpoint. */
function postGoogle(https: Https, endpoint: string, api: string, body: object, headers: Record<string, string> = {}) {
  const { host, pathname } = new URL(api);
  const all = { ...headers, host, "content-type": "application/json" };
  return https.send(new URL(pathname, endpoint), "POST", all, JSON.stringify(body), host);
}

/** Asks for the token of an account. */
function generateAccessToken(https: Https, endpoint: string, email: string, headers: Record<string, string>) {
  const api = `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${email}:generateAccessToken`;
  return postGoogle(https, endpoint, api, { scope: ["https://www.googleapis.com/auth/devstorage.read_only"] }, headers);
}

/** Every Kubernetes account of a cluster. */
export async function subjectsOf(kubeconfig: string): Promise<KubernetesSubject[]> {
  const core = kubeConfig(kubeconfig).makeApiClient(CoreV1Api);
  const { items } = await core.listServiceAccountForAllNamespaces();
  return items.map(({ metadata }) => ({ namespace: metadata?.namespace ?? "", name: metadata?.name ?? "" }));
}

/** Google's STS and IAM credentials of the sandbox in `dir`, with tokens that a cluster makes for its accounts. */
export async function sandboxFederation(dir: string, kubeconfig: string): Promise<FederationClient> {
  const { googleEndpoint } = await new ControlClient(socketOf(dir)).status();
  const https = new Https(readFileSync(caFileOf(dir), "utf8"));
  const core = kubeConfig(kubeconfig).makeApiClient(CoreV1Api);
  return {
    async exchange({ namespace, name }, provider) {
      const audience = `//iam.googleapis.com/${provider}`;
      const spec = { audiences: [audience], expirationSeconds: 3600 };
      const { status } = await core.createNamespacedServiceAccountToken({ namespace, name, body: { spec } });
      const answer = await postGoogle(https, googleEndpoint, "https://sts.googleapis.com/v1/token", {
        grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
        requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
        subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
        scope: "https://www.googleapis.com/auth/cloud-platform",
        audience,
        subject_token: status?.token ?? "",
      });
      const token =
        answer.status === 200 ? (JSON.parse(answer.body) as { access_token: string }).access_token : undefined;
      return { status: answer.status, body: answer.body, ...(token !== undefined && { token }) };
    },
    mint: (token, email) => generateAccessToken(https, googleEndpoint, email, { authorization: `Bearer ${token}` }),
  };
}

/** S3 and STS with the credentials of roles. */
function s3Client(control: ControlClient, status: Status, https: Https, region: string): S3Client {
  const credentials = once((roleArn: string) => control.awsCredentials(roleArn));
  const signed = async (roleArn: string | undefined, service: "s3" | "sts", url: URL, request: S3Request) => {
    if (roleArn === undefined) return {};
    const { accessKeyId, secretAccessKey, sessionToken } = await credentials(roleArn);
    // S3 takes nothing that gets a lock without it: an attacker is refused for what they may not, not for how they ask.
    const sum = request.body && { "content-md5": createHash("md5").update(request.body).digest("base64") };
    const { headers } = await new AwsV4Signer({
      ...{ method: request.method, url: url.toString(), body: request.body, headers: { ...sum } },
      ...{ accessKeyId, secretAccessKey, sessionToken, service, region },
    }).sign();
    return Object.fromEntries(headers as Headers);
  };
  const sts = async (roleArn: string | undefined, form: Record<string, string>) => {
    const url = new URL("/", status.stsEndpoint);
    const body = new URLSearchParams({ ...form, Version: "2011-06-15" }).toString();
    return https.send(url, "POST", await signed(roleArn, "sts", url, { method: "POST", path: "/", body }), body);
  };
  return {
    async send(roleArn, request) {
      const url = new URL(request.path, status.s3Endpoint);
      return https.send(url, request.method, await signed(roleArn, "s3", url, request), request.body);
    },
    whoami: (roleArn) => sts(roleArn, { Action: "GetCallerIdentity" }),
    mint: (roleArn, victim) => sts(roleArn, { Action: "AssumeRole", RoleArn: victim, RoleSessionName: "attack" }),
  };
}

/** Requests over TLS to servers that show a certificate of the local authority. */
export class Https {
  private readonly agent: Agent;

  constructor(ca: string) {
    this.agent = new Agent({ ca, keepAlive: true, maxSockets: 16 });
  }

  /** @param servername whose certificate is expected. Default: the address's own */
  send(
    url: URL,
    method: string,
    headers: Record<string, string>,
    body?: string,
    servername?: string,
  ): Promise<Answer & { version: string }> {
    return new Promise((resolve, reject) => {
      const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
      const options = {
        method,
        headers: { ...headers, ...length },
        agent: this.agent,
        ...(servername && { servername }),
      };
      const sent = httpsRequest(url, options, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            body: Buffer.concat(chunks).toString("utf8"),
            version: String(response.headers["x-amz-version-id"] ?? ""),
          }),
        );
      });
      sent.on("error", (error: NodeJS.ErrnoException) => {
        // A connection that was kept open may be closed at the very moment in which it is used again.
        if (sent.reusedSocket && error.code === "ECONNRESET")
          this.send(url, method, headers, body, servername).then(resolve, reject);
        else reject(error);
      });
      sent.end(body);
    });
  }
}

/** Asks once for each key. */
function once<T>(ask: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const known = new Map<string, Promise<T>>();
  return (key) => {
    const found = known.get(key) ?? ask(key);
    known.set(key, found);
    return found;
  };
}
