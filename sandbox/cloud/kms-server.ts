/** The part of Cloud KMS's REST API that signs: `POST /v1/VERSION:asymmetricSign`, `GET /v1/VERSION/publicKey`. */
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { CloudError } from "../lib/types";
import { memberOf } from "./iam/access";
import type { Tokens } from "./tokens";

/** Where signatures and public keys come from. */
export interface Keys {
  asymmetricSign(version: string, digest: Buffer, member: string): Buffer;
  publicKey(version: string, member: string): { pem: string; algorithm: string };
}

/** A running server. */
export interface KmsServer {
  /** `http://127.0.0.1:PORT/` */
  endpoint: string;
  close(): Promise<void>;
}

const ROUTE =
  /^\/v1\/(projects\/[^/]+\/locations\/[^/]+\/keyRings\/[^/]+\/cryptoKeys\/[^/]+\/cryptoKeyVersions\/\d+)(:asymmetricSign|\/publicKey)$/;

/** Serves on a free port of 127.0.0.1 until closed. Every request needs a token that the sandbox issued. */
export async function serveKms(keys: Keys, tokens: Tokens): Promise<KmsServer> {
  const server: Server = createServer((request, response) => {
    const answer = (status: number, body: unknown) =>
      response.writeHead(status, { "content-type": "application/json; charset=UTF-8" }).end(JSON.stringify(body));
    handle(request, keys, tokens).then(
      (body) => answer(200, body),
      (error: Error) => {
        const { status, reason } = error instanceof CloudError ? error : { status: 500, reason: "INTERNAL" };
        answer(status, { error: { code: status, message: error.message, status: reason } });
      },
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function handle(request: IncomingMessage, keys: Keys, tokens: Tokens): Promise<unknown> {
  const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
  const caller = token && tokens.resolve(token);
  if (!caller) throw new CloudError(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.");
  const [, version = "", verb] = ROUTE.exec((request.url ?? "").split("?")[0]!) ?? [];
  const member = memberOf(caller);
  if (verb === "/publicKey" && request.method === "GET") {
    return { ...keys.publicKey(version, member), name: version, protectionLevel: "HSM" };
  }
  if (verb !== ":asymmetricSign" || request.method !== "POST")
    throw new CloudError(404, "NOT_FOUND", `the sandbox's Cloud KMS does not know ${request.method} ${request.url}`);
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const sha256 = digestOf(Buffer.concat(chunks).toString("utf8"));
  return { signature: keys.asymmetricSign(version, sha256, member).toString("base64"), name: version };
}

function digestOf(body: string): Buffer {
  let digest: { sha256?: unknown } | undefined;
  try {
    digest = (JSON.parse(body || "{}") as { digest?: { sha256?: unknown } }).digest;
  } catch {
    throw new CloudError(400, "INVALID_ARGUMENT", "Invalid JSON payload received.");
  }
  if (typeof digest?.sha256 !== "string")
    throw new CloudError(400, "INVALID_ARGUMENT", "The digest must be SHA-256: digest.sha256 is required.");
  return Buffer.from(digest.sha256, "base64");
}
