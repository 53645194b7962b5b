/** Endpoints of AWS beside S3: STS, and who is let into a cluster. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { XMLBuilder } from "fast-xml-parser";
import type { KeyPair } from "../../lib/certificates";
import { logger } from "../../lib/log";
import { CloudError } from "../../lib/types";
import type { AwsControl } from "./control";
import type { Assumed } from "./identities";
import { signer } from "./signature";

const log = logger("aws");
const builder = new XMLBuilder({});
const NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/";

/** What serves until closed. */
export interface Endpoint {
  endpoint: string;
  close(): Promise<void>;
}

async function serve(server: Server, scheme: string, host = "127.0.0.1", port = 0): Promise<Endpoint> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const address = server.address() as { port: number };
  return {
    endpoint: `${scheme}://${host}:${address.port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** AssumeRole, AssumeRoleWithWebIdentity and GetCallerIdentity, over TLS. */
export function serveSts(control: AwsControl, { certificate, key }: KeyPair): Promise<Endpoint> {
  const server = createTlsServer({ cert: certificate, key }, (request, response) => {
    sts(control, request).then(
      (body) => response.writeHead(200, { "content-type": "text/xml" }).end(body),
      (error: Error) => {
        const { status, reason } = error instanceof CloudError ? error : { status: 500, reason: "InternalFailure" };
        if (status === 500) log(`sts: ${error.stack}`);
        const content = { Error: { Type: "Sender", Code: reason, Message: error.message }, RequestId: "sandbox" };
        response.writeHead(status, { "content-type": "text/xml" }).end(xml("ErrorResponse", content));
      },
    );
  });
  return serve(server, "https");
}

/** Tells whoever reaches the Internet from which address. Source: "Amazon EC2 User Guide". */
export const CHECK_IP = "checkip.amazonaws.com";

/** {@link CHECK_IP}, over TLS. */
export function serveCheckIp({ certificate, key }: KeyPair): Promise<Endpoint> {
  const server = createTlsServer({ cert: certificate, key }, (request, response) => {
    response.writeHead(200, { "content-type": "text/plain" }).end(`${request.socket.remoteAddress}\n`);
  });
  return serve(server, "https");
}

async function sts(control: AwsControl, request: IncomingMessage): Promise<string> {
  const url = new URL(request.url ?? "/", "https://sts");
  const body = await bodyOf(request);
  const form = new URLSearchParams(request.method === "GET" ? url.search : body);
  const signed = { method: request.method ?? "GET", url: request.url ?? "/", headers: request.headers, body };
  const { caller } = await signer(signed, control.sessions);
  const of = (name: string) => form.get(name) ?? "";
  const seconds = Number(of("DurationSeconds") || 3600);
  switch (of("Action")) {
    case "GetCallerIdentity": {
      if (!caller.arn)
        throw new CloudError(403, "MissingAuthenticationToken", "Request is missing Authentication Token");
      return result("GetCallerIdentity", { Arn: caller.arn, UserId: caller.roleId, Account: caller.account });
    }
    case "AssumeRole":
      return assumed(
        "AssumeRole",
        control.identities.assume(caller, of("RoleArn"), of("RoleSessionName"), seconds, of("ExternalId")),
      );
    case "AssumeRoleWithWebIdentity": {
      const taken = await control.identities.withToken(
        of("RoleArn"),
        of("RoleSessionName"),
        of("WebIdentityToken"),
        seconds,
      );
      return assumed("AssumeRoleWithWebIdentity", taken);
    }
    default:
      throw new CloudError(
        400,
        "InvalidAction",
        `Could not find operation ${of("Action")}; there are AssumeRole, AssumeRoleWithWebIdentity, GetCallerIdentity`,
      );
  }
}

function assumed(action: string, { caller, credentials }: Assumed): string {
  return result(action, {
    AssumedRoleUser: { AssumedRoleId: `${caller.roleId}:session`, Arn: caller.arn },
    Credentials: {
      AccessKeyId: credentials.accessKeyId,
      SecretAccessKey: credentials.secretAccessKey,
      SessionToken: credentials.sessionToken,
      Expiration: credentials.expiration.toISOString(),
    },
  });
}

const result = (action: string, content: object): string =>
  xml(`${action}Response`, { [`${action}Result`]: content, ResponseMetadata: { RequestId: "sandbox" } });

const xml = (root: string, content: object): string =>
  builder.build({ [root]: content }).replace(`<${root}>`, `<${root} xmlns="${NAMESPACE}">`);

/** Answers API servers' TokenReviews; the path is the cluster's name in AWS. */
export function serveAuthenticator(control: AwsControl): Promise<Endpoint> {
  const server = createServer((request, response) => {
    review(control, request).then(
      (body) => response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body)),
      (error: Error) => {
        log(`authenticator: ${error.stack}`);
        response.writeHead(500).end();
      },
    );
  });
  return serve(server, "http");
}

async function review(control: AwsControl, request: IncomingMessage): Promise<object> {
  const clusterArn = decodeURIComponent((request.url ?? "/").split("?")[0]?.slice(1) ?? "");
  const asked = JSON.parse(await bodyOf(request)) as { spec?: { token?: string } };
  const head = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview" };
  try {
    const user = await control.identities.inCluster(clusterArn, asked.spec?.token ?? "");
    return { ...head, status: { authenticated: true, user } };
  } catch (error) {
    if (!(error instanceof CloudError)) throw error;
    return { ...head, status: { authenticated: false, error: error.message } };
  }
}

/** The Pod Identity agent as one pod sees it: credentials for the token that the pod was given. */
export function servePodAgent(control: AwsControl, clusterArn: string, host: string, port: number): Promise<Endpoint> {
  const server = createServer((request, response) => {
    const send = (status: number, body: unknown) =>
      void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (request.url !== "/v1/credentials") return send(404, { message: "Not Found" });
    control.identities.ofPod(clusterArn, String(request.headers.authorization ?? "")).then(
      ({ credentials, caller }) =>
        send(200, {
          AccessKeyId: credentials.accessKeyId,
          SecretAccessKey: credentials.secretAccessKey,
          Token: credentials.sessionToken,
          AccountId: caller.account,
          Expiration: credentials.expiration.toISOString(),
        }),
      (error: Error) => {
        const status = error instanceof CloudError ? error.status : 500;
        log(`pod identity: ${error.message}`);
        send(status, { message: error.message });
      },
    );
  });
  return serve(server, "http", host, port);
}

async function bodyOf(request: IncomingMessage | ServerResponse["req"]): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
