/** The S3 API as AWS serves it: every request is checked against signatures, policies, locks, keys and faults. */
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createTlsServer } from "node:https";
import { pipeline, Readable } from "node:stream";
import { AwsV4Signer } from "aws4fetch";
import type { KeyPair } from "../../../lib/certificates";
import { logger } from "../../../lib/log";
import { CloudError } from "../../../lib/types";
import { ANONYMOUS, type Caller } from "../access";
import type { Verdict } from "../policy/evaluate";
import type { AwsSessions } from "../sessions";
import { signer } from "../signature";
import { ChunkedBody } from "./chunked";
import { deleteMany } from "./delete-many";
import { type BucketLocks, Locks } from "./locks";
import { contextOf, type Need, type Operation, operationOf } from "./operations";
import { pathOf, type S3Store, type Upstream } from "./store";
import { errorXml, lockXml, parseRetention, retentionXml } from "./xml";

/** Settings of a bucket that exists. */
export interface S3Bucket {
  name: string;
  region: string;
  locks: BucketLocks;
  /** How objects are encrypted: `AES256`, or a key by its ARN. */
  encryption: { algorithm: string; keyArn?: string };
  /** Fault: every read fails with 503, whatever policies say. */
  unreadable: boolean;
}

/** What the gateway asks of the control plane. */
export interface S3Decisions {
  bucket(name: string): S3Bucket | undefined;
  onBucket(
    caller: Caller,
    action: string,
    resource: string,
    context: Record<string, string | string[] | undefined>,
  ): Verdict;
  onKey(
    caller: Caller,
    action: string,
    keyArn: string,
    context: Record<string, string | string[] | undefined>,
  ): Verdict;
  now(): Date;
}

export interface S3GatewayOptions {
  upstream: Upstream;
  store: S3Store;
  decisions: S3Decisions;
  sessions: AwsSessions;
  /** What it shows whoever connects with TLS. */
  certificate: KeyPair;
}

/** A request that has been let in. */
export interface Admitted {
  caller: Caller;
  url: URL;
  operation: Operation;
  bucket: S3Bucket;
  context: Record<string, string | undefined>;
}

const log = logger("s3");
/** Headers that are about the connection or that the server behind must not see. */
const OWN =
  /^(host|connection|authorization|expect|transfer-encoding|x-amz-(security-token|date|content-sha256|bypass-governance-retention|server-side-encryption.*|object-lock-(mode|retain-until-date)|expected-bucket-owner|request-payer))$/;
const BYPASS = "x-amz-bypass-governance-retention";
const MIB = 2 ** 20;

export class S3Gateway {
  private readonly locks: Locks;
  /** Modes of uploads in parts, until they are complete. */
  private readonly uploads = new Map<string, "GOVERNANCE" | "COMPLIANCE">();

  private constructor(
    private readonly servers: Server[],
    private readonly options: S3GatewayOptions,
    /** `https://127.0.0.1:PORT` */
    readonly endpoint: string,
    /** `http://127.0.0.1:PORT`: what policies ask for TLS is refused there. */
    readonly plainEndpoint: string,
  ) {
    this.locks = new Locks(options.store, () => options.decisions.now());
  }

  static async start(options: S3GatewayOptions): Promise<S3Gateway> {
    const { certificate: cert, key } = options.certificate;
    const settings = { keepAlive: true, requestTimeout: 0 };
    const servers: Server[] = [createTlsServer({ ...settings, cert, key }), createServer(settings)];
    const [port, plainPort] = await Promise.all(servers.map(listening));
    const gateway = new S3Gateway(servers, options, `https://127.0.0.1:${port}`, `http://127.0.0.1:${plainPort}`);
    for (const server of servers)
      server.on("request", (request, response) => {
        gateway.handle(request, response).catch((error: Error) => refuse(request, response, error));
      });
    return gateway;
  }

  async close(): Promise<void> {
    for (const server of this.servers) server.closeAllConnections();
    await Promise.all(this.servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const admitted = await this.admit(request);
    const { operation, bucket, caller } = admitted;
    if (operation.kind === "deleteMany") {
      const answer = await deleteMany(await bodyOf(request), {
        check: async (key, versionId) => {
          this.require(
            caller,
            {
              action: versionId === undefined ? "s3:DeleteObject" : "s3:DeleteObjectVersion",
              bucket: bucket.name,
              key,
            },
            admitted.context,
          );
          if (versionId !== undefined) await this.mayDelete(admitted, request, key, versionId);
        },
        remove: (key, versionId) => this.forwardDelete(bucket.name, key, versionId),
      });
      return void response.writeHead(200, { "content-type": "application/xml" }).end(answer);
    }
    if (operation.kind === "settings" && operation.setting === "object-lock")
      return void response.writeHead(200, { "content-type": "application/xml" }).end(lockXml(bucket.locks));
    const key = operation.key ?? "";
    if (operation.kind === "deleteVersion") await this.mayDelete(admitted, request, key, operation.versionId ?? "");
    if (operation.kind === "retention" && operation.setting === "retention")
      return this.setRetention(admitted, request, response);
    if (
      operation.kind === "other" &&
      operation.setting &&
      request.method !== "GET" &&
      request.method !== "HEAD" &&
      !operation.key
    )
      throw new CloudError(
        501,
        "NotImplemented",
        `Settings of buckets are declared; the sandbox does not change ${operation.setting} by the API.`,
      );
    await this.forward(admitted, request, response);
  }

  /** Reads who asks for what and refuses what may not be. */
  private async admit(request: IncomingMessage): Promise<Admitted> {
    const { decisions, sessions } = this.options;
    const url = new URL(request.url ?? "/", this.endpoint);
    const operation = operationOf(request.method ?? "GET", url, request.headers);
    const signed = { method: request.method ?? "GET", url: request.url ?? "/", headers: request.headers };
    const { caller, region } = await signer(signed, sessions);
    const bucket = operation.bucket ? decisions.bucket(operation.bucket) : undefined;
    if (operation.bucket && !bucket) {
      if (operation.needs.some(({ action }) => action === "s3:CreateBucket"))
        throw new CloudError(403, "AccessDenied", "Buckets are declared; the sandbox makes none by the API.");
      throw new CloudError(404, "NoSuchBucket", "The specified bucket does not exist");
    }
    if (!bucket) throw new CloudError(403, "AccessDenied", "The sandbox lists no buckets by the API.");
    if (region && region !== bucket.region)
      throw new CloudError(
        400,
        "AuthorizationHeaderMalformed",
        `The authorization header is malformed; the region '${region}' is wrong; expecting '${bucket.region}'`,
      );
    const context = {
      ...contextOf(url, request.headers, decisions.now()),
      "aws:SourceIp": request.socket.remoteAddress,
      "aws:SecureTransport": String("encrypted" in request.socket),
      "aws:RequestedRegion": bucket.region,
    };
    const admitted = { caller, url, operation, bucket, context };
    for (const need of operation.needs) {
      const about = decisions.bucket(need.bucket);
      if (!about) throw new CloudError(404, "NoSuchBucket", "The specified bucket does not exist");
      this.require(caller, need, context);
      this.readable(about, need);
    }
    if (["s3:CreateBucket", "s3:DeleteBucket"].includes(operation.needs[0]?.action ?? ""))
      throw request.method === "PUT"
        ? new CloudError(
            409,
            "BucketAlreadyOwnedByYou",
            "Your previous request to create the named bucket succeeded and you already own it.",
          )
        : new CloudError(403, "AccessDenied", "Buckets are declared; the sandbox deletes none by the API.");
    this.checkKey(admitted);
    return admitted;
  }

  /** @throws CloudError 403 */
  private require(caller: Caller, need: Need, context: Record<string, string | undefined>): void {
    const resource = `arn:aws:s3:::${need.bucket}${need.key === undefined ? "" : `/${need.key}`}`;
    const verdict = this.options.decisions.onBucket(caller, need.action, resource, context);
    if (verdict.allowed) return;
    log(`refused: ${caller.arn || "anonymous"} ${need.action} on ${resource} ${verdict.reason}`);
    if (caller === ANONYMOUS) throw new CloudError(403, "AccessDenied", "Access Denied");
    throw denied(caller, need.action, resource, verdict.reason);
  }

  private readable(bucket: S3Bucket, { action }: Need): void {
    if (bucket.unreadable && /^s3:(Get|List)/.test(action))
      throw new CloudError(503, "ServiceUnavailable", "Reduce your request rate.");
  }

  /** Whoever reads or writes encrypted objects needs the key as well. */
  private checkKey({ caller, operation: { kind, key }, bucket }: Admitted): void {
    const { keyArn } = bucket.encryption;
    if (!keyArn || key === undefined) return;
    const actions = kind === "read" ? ["kms:Decrypt"] : kind === "write" ? ["kms:GenerateDataKey"] : [];
    if (kind === "copy") actions.push("kms:Decrypt", "kms:GenerateDataKey");
    for (const action of actions) {
      const verdict = this.options.decisions.onKey(caller, action, keyArn, {
        "kms:ViaService": `s3.${bucket.region}.amazonaws.com`,
        "kms:CallerAccount": caller.account,
      });
      if (!verdict.allowed) throw denied(caller, action, keyArn, verdict.reason);
    }
  }

  private mayDelete(admitted: Admitted, request: IncomingMessage, key: string, versionId: string): Promise<void> {
    const { bucket } = admitted;
    return this.locks.checkDelete(bucket.name, key, versionId, bucket.locks, () =>
      this.bypasses(admitted, request, key),
    );
  }

  /** True when the caller asks to lift a lock and may. */
  private bypasses({ caller, bucket, context }: Admitted, request: IncomingMessage, key: string): boolean {
    if (String(request.headers[BYPASS] ?? "").toLowerCase() !== "true") return false;
    const resource = `arn:aws:s3:::${bucket.name}/${key}`;
    return this.options.decisions.onBucket(caller, "s3:BypassGovernanceRetention", resource, context).allowed;
  }

  private async setRetention(admitted: Admitted, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { bucket, operation } = admitted;
    const key = operation.key ?? "";
    const wanted = parseRetention(await bodyOf(request));
    const version = { bucket: bucket.name, key, versionId: operation.versionId };
    const { lock, versionId } = await this.locks.checkChange(wanted, version, bucket.locks, () =>
      this.bypasses(admitted, request, key),
    );
    const path = `${pathOf(bucket.name, key)}?${new URLSearchParams({ retention: "", versionId })}`;
    const body = retentionXml(lock && { mode: "GOVERNANCE", until: lock.until });
    const answer = await this.send("PUT", path, { [BYPASS]: "true" }, body);
    if (answer.statusCode === 200 && lock) this.locks.note(bucket.name, key, versionId, lock.mode);
    pipeline(answer, response.writeHead(answer.statusCode ?? 502, answer.headers), () => {});
  }

  private async forwardDelete(bucket: string, key: string, versionId: string | undefined): Promise<IncomingMessage> {
    const query = versionId === undefined ? "" : `?${new URLSearchParams({ versionId })}`;
    return this.send("DELETE", `${pathOf(bucket, key)}${query}`, { [BYPASS]: "true" });
  }

  private async forward(admitted: Admitted, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { operation, bucket, url } = admitted;
    const headers = Object.fromEntries(
      Object.entries(request.headers).flatMap(([name, value]) =>
        OWN.test(name) || value === undefined ? [] : [[name, String(value)]],
      ),
    );
    if (operation.kind === "deleteVersion") headers[BYPASS] = "true";
    const path = operation.key === undefined ? `/${bucket.name}` : pathOf(bucket.name, operation.key);
    const begins = operation.kind === "copy" || (operation.kind === "write" && !url.searchParams.has("partNumber"));
    const completes = request.method === "POST" && url.searchParams.has("uploadId");
    const lock = begins && !completes ? this.locks.ofNew(request.headers, bucket.locks) : undefined;
    const locks = lock !== undefined || this.uploads.has(url.searchParams.get("uploadId") ?? "");
    if (locks && operation.kind === "write") Locks.checkIntegrity(request);
    if (lock) Object.assign(headers, Locks.headers(lock));
    const hash = String(request.headers["x-amz-content-sha256"] ?? "UNSIGNED-PAYLOAD");
    const answer = await this.send(
      request.method ?? "GET",
      `${path}${queryOf(url)}`,
      ...unframed(request, headers, hash),
    );
    if (answer.statusCode === 404 && operation.kind === "read") this.hideAbsence(admitted);
    const out = { ...answer.headers };
    const versionId = String(out["x-amz-version-id"] ?? "");
    const key = operation.key ?? "";
    const upload = url.searchParams.get("uploadId") ?? "";
    if (lock && versionId) this.locks.note(bucket.name, key, versionId, lock.mode);
    if (completes && versionId && this.uploads.has(upload))
      this.locks.note(bucket.name, key, versionId, this.uploads.get(upload) ?? "COMPLIANCE");
    if (out["x-amz-object-lock-mode"])
      out["x-amz-object-lock-mode"] = this.locks.modeOf(bucket.name, key, versionId, bucket.locks);
    if ((answer.statusCode ?? 500) < 300 && ["read", "write", "copy"].includes(operation.kind)) {
      out["x-amz-server-side-encryption"] = bucket.encryption.algorithm;
      if (bucket.encryption.keyArn) out["x-amz-server-side-encryption-aws-kms-key-id"] = bucket.encryption.keyArn;
    }
    if (operation.setting === "retention" || (lock && url.searchParams.has("uploads"))) {
      let body = (await bodyOf(answer)).toString("utf8");
      const begun = /<UploadId>([^<]+)<\/UploadId>/.exec(body)?.[1];
      if (lock && begun) this.uploads.set(begun, lock.mode);
      if (operation.setting === "retention") {
        const id =
          operation.versionId ?? (await this.options.store.head(bucket.name, key))?.get("x-amz-version-id") ?? "";
        body = body.replace(
          /<Mode>\w+<\/Mode>/,
          `<Mode>${this.locks.modeOf(bucket.name, key, id, bucket.locks)}</Mode>`,
        );
      }
      delete out["transfer-encoding"];
      out["content-length"] = String(Buffer.byteLength(body));
      return void response.writeHead(answer.statusCode ?? 502, out).end(body);
    }
    pipeline(answer, response.writeHead(answer.statusCode ?? 502, out), () => {});
  }

  /** Whoever may not list does not learn that a key is absent. @throws CloudError 403 */
  private hideAbsence({ caller, bucket, operation, context }: Admitted): void {
    const { action } = operation.needs[0]!;
    const list = this.options.decisions.onBucket(caller, "s3:ListBucket", `arn:aws:s3:::${bucket.name}`, context);
    if (list.allowed) return;
    throw denied(caller, "s3:ListBucket", `arn:aws:s3:::${bucket.name}`, `${list.reason} (asked for ${action})`);
  }

  /** Sends a request to the server behind, signed as its administrator. */
  private async send(
    method: string,
    path: string,
    headers: Record<string, string>,
    body?: string | Buffer | Readable,
    hash = "UNSIGNED-PAYLOAD",
  ): Promise<IncomingMessage> {
    const { endpoint, accessKeyId, secretAccessKey } = this.options.upstream;
    const signed = await new AwsV4Signer({
      method,
      url: `${endpoint}${path}`,
      headers: { ...headers, "x-amz-content-sha256": hash },
      accessKeyId,
      secretAccessKey,
      service: "s3",
      region: "us-east-1",
    }).sign();
    return new Promise((resolve, reject) => {
      const onward = httpRequest(
        signed.url,
        { method, headers: Object.fromEntries(signed.headers as Headers) },
        resolve,
      );
      const fail = (error: Error) =>
        reject(error instanceof CloudError ? error : new CloudError(503, "ServiceUnavailable", error.message));
      onward.on("error", fail);
      // What is wrong with the body may have been found while the request was signed.
      if (body instanceof Readable) pipeline(body, onward, (error) => error && fail(body.errored ?? error));
      else onward.end(body);
    });
  }
}

/** The free port of loopback that a server listens on. */
async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return (server.address() as { port: number }).port;
}

/** Headers, body and payload hash of a request as the server behind gets them. */
function unframed(
  request: IncomingMessage,
  headers: Record<string, string>,
  hash: string,
): [Record<string, string>, Readable, string] {
  if (!hash.startsWith("STREAMING-AWS4-HMAC")) return [headers, request, hash];
  const {
    "content-encoding": encoding = "",
    "x-amz-decoded-content-length": length = "0",
    "x-amz-trailer": _,
    ...rest
  } = headers;
  const others = encoding
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each && each !== "aws-chunked");
  const framed = {
    ...rest,
    "content-length": length,
    ...(others.length > 0 && { "content-encoding": others.join(",") }),
  };
  // Whoever sends it on is told by the body itself.
  const content = request.pipe(new ChunkedBody()).on("error", () => undefined);
  return [framed, content, "UNSIGNED-PAYLOAD"];
}

/** The query without what belongs to a signature. */
function queryOf(url: URL): string {
  const query = new URLSearchParams([...url.searchParams].filter(([name]) => !/^x-amz-/i.test(name)));
  return query.size === 0 ? "" : `?${query.toString().replace(/\+/g, "%20")}`;
}

const denied = (caller: Caller, action: string, resource: string, reason: string) =>
  new CloudError(
    403,
    "AccessDenied",
    `User: ${caller.arn || "anonymous"} is not authorized to perform: ${action} on resource: "${resource}" ${reason}`,
  );

/** A body of XML, which is never long. */
async function bodyOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size > 4 * MIB)
      throw new CloudError(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size");
  }
  return Buffer.concat(chunks);
}

/** Answers with the API's error body. */
function refuse(request: IncomingMessage, response: ServerResponse, error: Error): void {
  const { status, reason } = error instanceof CloudError ? error : { status: 500, reason: "InternalError" };
  if (status === 500) log(`${request.method} ${request.url}: ${error.stack}`);
  if (response.headersSent) return void response.destroy();
  // What is left of the request's body is not waited for.
  response.writeHead(status, { "content-type": "application/xml", connection: "close" });
  response.end(request.method === "HEAD" ? undefined : errorXml(reason, error.message, request.url ?? "/"));
  request.resume();
}
