/**
 * Google's APIs by their own names, for whoever is not in Google Cloud: a proxy for HTTPS behind which sts, iamcredentials, oauth2 and
 * storage.googleapis.com answer with a certificate of the local authority. Other hosts are refused.
 */
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import { pipeline } from "node:stream";
import type { KeyPair } from "../lib/certificates";
import { logger } from "../lib/log";
import { CloudError } from "../lib/types";
import type { TokenExchange } from "./gcp/token-exchange";
import type { Tokens } from "./tokens";

/** Hosts that answer; the certificate is for them. */
export const GOOGLE_HOSTS = [
  "sts.googleapis.com",
  "iamcredentials.googleapis.com",
  "oauth2.googleapis.com",
  "storage.googleapis.com",
  "www.googleapis.com",
];

export interface GoogleApisOptions {
  exchange: TokenExchange;
  tokens: Tokens;
  /** The storage gateway, `http://127.0.0.1:PORT`. */
  storage: string;
  certificate: KeyPair;
  /** Fault: true while nothing of Google Cloud answers. */
  lost(): boolean;
}

export interface GoogleApis {
  /** `http://127.0.0.1:PORT`, for HTTPS_PROXY. */
  proxy: string;
  /** `https://127.0.0.1:PORT`: the same without the proxy, for requests that say by their Host which of them they mean. */
  endpoint: string;
  close(): Promise<void>;
}

const log = logger("google");
const CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform";

/** Serves until closed. */
export async function serveGoogleApis(options: GoogleApisOptions): Promise<GoogleApis> {
  const { certificate, key } = options.certificate;
  const inside = createTlsServer({ cert: certificate, key }, (request, response) => {
    answer(options, request, response).catch((error: Error) => refuse(request, response, error));
  });
  const sockets = new Set<Socket>();
  const proxy = createServer((_, response) => response.writeHead(405).end());
  proxy.on("connect", (request: IncomingMessage, socket: Socket) => {
    const [host = "", port] = (request.url ?? "").split(":");
    if (options.lost() || port !== "443" || !GOOGLE_HOSTS.includes(host)) {
      log(`no way to ${request.url}`);
      return void socket.destroy();
    }
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
    inside.emit("connection", socket);
  });
  const [proxyPort, port] = await Promise.all([proxy, inside].map(listening));
  return {
    proxy: `http://127.0.0.1:${proxyPort}`,
    endpoint: `https://127.0.0.1:${port}`,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      for (const server of [proxy, inside]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}

/** The free port of loopback that a server listens on. */
async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return (server.address() as { port: number }).port;
}

async function answer(options: GoogleApisOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (options.lost()) return void request.socket.destroy();
  const send = (body: unknown) =>
    void response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
  const host = (request.headers.host ?? "").split(":")[0];
  const path = (request.url ?? "/").split("?")[0] ?? "/";
  if (host === "sts.googleapis.com" && request.method === "POST" && path === "/v1/token")
    return send(await options.exchange.exchange(await formOf(request)));
  const account = /^\/v1\/projects\/-\/serviceAccounts\/([^/:]+):generateAccessToken$/.exec(
    decodeURIComponent(path),
  )?.[1];
  if (host === "iamcredentials.googleapis.com" && request.method === "POST" && account) {
    options.exchange.checkMayActAs(/^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "", account);
    const { accessToken, expiresAt } = options.tokens.issue(account);
    return send({ accessToken, expireTime: expiresAt });
  }
  if (host === "oauth2.googleapis.com" && request.method === "GET" && path === "/tokeninfo")
    return send(
      tokenInfo(options.tokens, new URL(request.url ?? "/", "https://oauth2").searchParams.get("access_token")),
    );
  if (host === "storage.googleapis.com" || host === "www.googleapis.com")
    return forward(options.storage, request, response);
  throw new CloudError(404, "NOT_FOUND", `the sandbox does not know ${request.method} ${host}${path}`);
}

/** What Google's `tokeninfo` says of an account's access token, as far as anybody asks for it. @throws CloudError 400 */
export function tokenInfo(tokens: Pick<Tokens, "resolve">, accessToken: string | null): Record<string, string> {
  const email = tokens.resolve(accessToken ?? "");
  if (!email) throw new CloudError(400, "invalid_token", "Invalid Value");
  return { email, email_verified: "true", scope: CLOUD_PLATFORM, access_type: "online" };
}

function forward(storage: string, request: IncomingMessage, response: ServerResponse): void {
  const { host: _, ...headers } = request.headers;
  const onward = httpRequest(`${storage}${request.url}`, { method: request.method, headers }, (answered) => {
    pipeline(answered, response.writeHead(answered.statusCode ?? 502, answered.headers), () => {});
  });
  onward.on("error", (error) => refuse(request, response, error));
  request.pipe(onward);
}

/** Fields of a form or of JSON, by their names in camel case. */
async function formOf(request: IncomingMessage): Promise<Record<string, string>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString("utf8");
  const fields = body.startsWith("{")
    ? Object.entries(JSON.parse(body) as Record<string, string>)
    : [...new URLSearchParams(body)];
  return Object.fromEntries(
    fields.map(([name, value]) => [name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase()), String(value)]),
  );
}

function refuse(request: IncomingMessage, response: ServerResponse, error: Error): void {
  const { status, reason } = error instanceof CloudError ? error : { status: 500, reason: "INTERNAL" };
  log(`${request.method} ${request.headers.host}${request.url}: ${error.message}`);
  if (response.headersSent) return void response.destroy();
  // Both speak OAuth's own way of errors.
  const oauth = /^(sts|oauth2)\./.test(request.headers.host ?? "");
  const body = oauth
    ? { error: reason, error_description: error.message }
    : { error: { code: status, status: reason, message: error.message } };
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
