/** The storage API as Google serves it: every request is checked against the declared IAM, retention and faults. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { logger } from "../lib/log";
import { type AccessDecisions, type BucketAdministration, CloudError, type Props } from "../lib/types";
import { answerBatch } from "./gateway-batch";
import { type Answer, forward } from "./gateway-forward";
import { type Administered, type Need, type Request, requestOf, type Source } from "./gateway-permissions";
import { checkGeneration, generationOf, preconditions, sourcePreconditions } from "./gateway-preconditions";
import { memberOf } from "./iam/access";
import { listPage, shown } from "./listing";
import type { Tokens } from "./tokens";
import { bodyHead, uploadName } from "./upload-name";
import { linked, type ObjectResource, type Upstream } from "./upstream";
import { isRetained, type Versions } from "./versions";

export interface GatewayOptions {
  /** The storage server behind it. */
  upstream: Upstream;
  /** What objects were before; all gateways of a storage server share it. */
  versions: Versions;
  decisions: AccessDecisions;
  tokens: Tokens;
  /** Changes buckets for whoever may. Absent: it says that it does not. */
  administration?: BucketAdministration;
  /** Default: 127.0.0.1 and a free port. */
  host?: string;
  port?: number;
  /** Email of the caller of a request without a token; undefined: such a request is refused. */
  defaultCaller?: () => string | undefined;
}

/** An upload that goes on: who began it, and what it is going to make. */
interface Session {
  caller: string;
  bucket: string;
  target: string | undefined;
  url: URL;
  began: Date;
}

type Create = Request & { kind: "create" };

const log = logger("storage");
const unauthorized = () => new CloudError(401, "required", "Anonymous caller does not have storage access.");

/** Upload sessions; they live in the storage server, which every gateway shares. */
const sessions = new Map<string, Session>();
/** Source: "Resumable uploads": a session ends after a week. */
const SESSION_MS = 7 * 24 * 3600_000;

export class Gateway {
  private constructor(
    private readonly server: Server,
    private readonly options: GatewayOptions,
    /** `http://HOST:PORT` */
    readonly endpoint: string,
  ) {}

  static async start(options: GatewayOptions): Promise<Gateway> {
    const server = createServer({ keepAlive: true, requestTimeout: 0 });
    const host = options.host ?? "127.0.0.1";
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(options.port ?? 0, host, resolve);
    });
    const { port } = server.address() as { port: number };
    const gateway = new Gateway(server, options, `http://${host}:${port}`);
    server.on("request", (request, response) => {
      gateway.handle(request, response).catch((error: Error) => refuse(request, response, error));
    });
    return gateway;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** @throws CloudError when IAM, or a fault, refuses what the request needs in any case */
  private async authorize(caller: string, asked: Request): Promise<void> {
    if (asked.kind === "refused") throw forbidden(caller, { permission: asked.permission, bucket: asked.bucket ?? "" });
    if (asked.kind === "batch" || asked.kind === "upload") return;
    const { decisions, versions } = this.options;
    for (const need of asked.needs) {
      const bucket = decisions.bucket(need.bucket);
      if (!bucket) throw new CloudError(404, "notFound", "The specified bucket does not exist.");
      const reads = need.permission === "storage.objects.get" || need.permission === "storage.objects.list";
      if (bucket.unreadable && reads) throw new CloudError(503, "backendError", "We encountered an internal error.");
      this.require(caller, need);
      await versions.look(need.bucket);
    }
  }

  private require(caller: string, need: Need): void {
    const { permission, bucket, object, listPrefix } = need;
    if (!this.options.decisions.allows(memberOf(caller), permission, bucket, object, listPrefix))
      throw forbidden(caller, need);
  }

  private keepsRetention(bucket: string, { name, timeCreated }: ObjectResource): void {
    const settings = this.options.decisions.bucket(bucket);
    const created = new Date(timeCreated);
    if (!isRetained(settings, created, this.options.decisions.now())) return;
    const until = new Date(created.getTime() + (settings?.retentionSeconds ?? 0) * 1000);
    throw new CloudError(
      403,
      "retentionPolicyNotMet",
      `Object '${bucket}/${name}' is subject to bucket's retention policy or object retention and cannot be deleted or overwritten until ${until.toISOString()}`,
    );
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const caller = this.callerOf(request);
    const url = new URL(request.url ?? "/", this.endpoint);
    const asked = requestOf(request.method ?? "GET", url);
    if (asked.kind === "batch") return answerBatch(request, response, this.endpoint);
    let head: Buffer | undefined;
    if (asked.kind === "create" && asked.target === undefined) {
      // The name of a multipart or resumable upload is in its metadata, the beginning of the body.
      head = await bodyHead(request);
      asked.target = uploadName(head, request.headers["content-type"] ?? "");
      for (const need of asked.needs) if (need.permission === "storage.objects.create") need.object = asked.target;
    }
    await this.authorize(caller, asked);
    const exchange = { request, response, url, caller, head };
    switch (asked.kind) {
      case "list":
        return this.answer(response, await listPage(asked.bucket, url, this.options));
      case "test":
        return this.test(exchange, asked);
      case "administer":
        return this.answer(response, await this.administer(request, asked.bucket, asked.what));
      case "get":
        return this.get(exchange, asked);
      case "delete":
        return this.delete(exchange, asked);
      case "create":
        return this.create(exchange, asked);
      case "upload":
        return this.goOn(exchange, asked.session);
      default:
        await this.forward(exchange);
    }
  }

  private test({ caller, response }: Exchange, { bucket, permissions: asked }: Request & { kind: "test" }): void {
    const { decisions } = this.options;
    if (!decisions.bucket(bucket)) throw new CloudError(404, "notFound", "The specified bucket does not exist.");
    const permissions = asked.filter((each) => decisions.allows(memberOf(caller), each, bucket));
    this.answer(response, { kind: "storage#testIamPermissionsResponse", ...(permissions.length && { permissions }) });
  }

  /** What an administrator of the bucket does, who has been found to be one. */
  private async administer(request: IncomingMessage, bucket: string, what: Administered): Promise<Props> {
    const { administration } = this.options;
    if (!administration)
      throw new CloudError(501, "notImplemented", "Buckets are declared; this gateway does not change them.");
    if (what === "getIamPolicy") return { kind: "storage#policy", ...administration.policy(bucket) };
    if (what === "delete") return administration.remove(bucket).then(() => ({}));
    const body = await jsonOf(request);
    return what === "setIamPolicy" ? administration.setPolicy(bucket, body) : administration.patch(bucket, body);
  }

  /** @throws CloudError 401 */
  private callerOf(request: IncomingMessage): string {
    const token = /^Bearer (.+)$/i.exec(request.headers.authorization ?? "")?.[1];
    const caller = token ? this.options.tokens.resolve(token) : this.options.defaultCaller?.();
    if (!caller) throw unauthorized();
    return caller;
  }

  /** Metadata or content of the live object, or of the version that the request names. */
  private async get(exchange: Exchange, { bucket, target }: Request & { kind: "get" }): Promise<void> {
    const { url, request, response } = exchange;
    const { versions } = this.options;
    const soft = url.searchParams.get("softDeleted") === "true";
    const generation = generationOf(url, "generation");
    if (soft && generation === undefined) throw new CloudError(400, "required", "softDeleted needs a generation");
    const conditions = preconditions(url, request.headers);
    if (!soft && generation === undefined && conditions.length === 0) return void (await this.forward(exchange));
    const live = await versions.live(bucket, target);
    checkGeneration(conditions, live?.generation);
    if (!soft && (generation === undefined || generation === live?.generation))
      return void (await this.forward(exchange));
    const found = await versions.find(bucket, target, generation ?? "", soft);
    if (!found) throw noSuch(bucket, target, generation);
    const isContent = url.searchParams.get("alt") === "media" || !/^\/(storage\/v1\/)?b\//.test(url.pathname);
    if (!isContent) return this.answer(response, shown(found));
    if (soft) throw new CloudError(400, "invalid", "A soft-deleted object cannot be read; restore it first.");
    await this.forward(exchange, { path: `${contentPath(versions.place(bucket, found))}?alt=media`, generation });
  }

  /** Deleting the live object of a versioned bucket makes it noncurrent; a version that is named is deleted for good. */
  private async delete(exchange: Exchange, { bucket, target }: Request & { kind: "delete" }): Promise<void> {
    const { url, request, response } = exchange;
    const { versions } = this.options;
    await versions.exclusively(bucket, target, async () => {
      const generation = generationOf(url, "generation");
      const live = await versions.live(bucket, target);
      checkGeneration(preconditions(url, request.headers), live?.generation);
      if (live && (generation ?? live.generation) === live.generation) {
        this.keepsRetention(bucket, live);
        await versions.keep(bucket, live, generation !== undefined);
        await this.options.upstream.remove(bucket, target);
      } else {
        const found = generation && (await versions.find(bucket, target, generation, false));
        if (!found) throw noSuch(bucket, target, generation);
        this.keepsRetention(bucket, found.resource);
        await versions.remove(bucket, found);
      }
      response.writeHead(204).end();
    });
  }

  /** Replacing an object is deleting it, for IAM and for retention. */
  private async create(exchange: Exchange, asked: Create): Promise<void> {
    const { url, caller, request } = exchange;
    const { bucket, target, source } = asked;
    // Without a name, the storage server says what is wrong with the request.
    if (target === undefined) return void (await this.forward(exchange));
    await this.options.versions.exclusively(bucket, target, async () => {
      const live = await this.mayCreate(exchange, bucket, target);
      if (url.searchParams.get("uploadType") === "resumable" && request.method === "POST") {
        const { location } = await this.forward(exchange);
        const session = /(?:upload_id=|\/upload\/resumable\/)([^&/?]+)/.exec(location ?? "")?.[1];
        if (session) sessions.set(session, { caller, bucket, target, url, began: this.options.decisions.now() });
        return;
      }
      const path = source && source.action !== "restore" ? await this.copyPath(url, source) : undefined;
      if (source?.action === "restore") return this.restore(exchange, bucket, target, live);
      if (live) await this.options.versions.keep(bucket, live);
      await this.replacing(bucket, live, () => this.forward(exchange, path === undefined ? {} : { path }));
    });
  }

  /** What is at the target now. @throws CloudError when it may not be replaced, or a precondition fails */
  private async mayCreate(exchange: Pick<Exchange, "url" | "caller" | "request">, bucket: string, target: string) {
    const live = await this.options.versions.live(bucket, target);
    checkGeneration(preconditions(exchange.url, exchange.request.headers), live?.generation);
    if (!live) return undefined;
    this.require(exchange.caller, { permission: "storage.objects.delete", bucket, object: target });
    this.keepsRetention(bucket, live);
    return live;
  }

  /** A further part of an upload; any may be the last. */
  private async goOn(exchange: Exchange, id: string): Promise<void> {
    const session = sessions.get(id);
    const { caller, request } = exchange;
    const ended = session && this.options.decisions.now().getTime() - session.began.getTime() > SESSION_MS;
    if (!session || session.caller !== caller || ended)
      throw new CloudError(404, "notFound", "No such upload session.");
    const { bucket, target, url } = session;
    if (target === undefined || request.method === "DELETE") return void (await this.forward(exchange));
    await this.options.versions.exclusively(bucket, target, async () => {
      const live = await this.mayCreate({ url, caller, request }, bucket, target);
      if (live) await this.options.versions.keep(bucket, live);
      await this.replacing(bucket, live, () => this.forward(exchange));
    });
  }

  private async restore(exchange: Exchange, bucket: string, target: string, live: ObjectResource | undefined) {
    const { versions } = this.options;
    const generation = generationOf(exchange.url, "generation");
    if (generation === undefined) throw new CloudError(400, "required", "Required parameter: generation");
    const found = await versions.find(bucket, target, generation, true);
    if (!found) throw noSuch(bucket, target, generation);
    if (live) await versions.keep(bucket, live);
    this.answer(exchange.response, await versions.restore(bucket, found));
  }

  /** Where the storage server has the copy's source. @throws CloudError when its version is not there */
  private async copyPath(url: URL, source: Source): Promise<string | undefined> {
    const { versions } = this.options;
    const generation = generationOf(url, "sourceGeneration");
    const conditions = sourcePreconditions(url);
    if (generation === undefined && conditions.length === 0) return undefined;
    const live = await versions.live(source.bucket, source.object);
    checkGeneration(conditions, generation ?? live?.generation);
    if (generation === undefined || generation === live?.generation) return undefined;
    const found = await versions.find(source.bucket, source.object, generation, false);
    if (!found) throw noSuch(source.bucket, source.object, generation);
    return copyPathOf(url, versions.place(source.bucket, found), source.action);
  }

  /** Does what replaces a live object; what was kept of it is dropped when that was refused. */
  private async replacing(
    bucket: string,
    live: ObjectResource | undefined,
    work: () => Promise<Answer>,
  ): Promise<Answer> {
    const done = await work();
    if (live && done.complete && done.status >= 300) await this.options.versions.drop(bucket, live);
    return done;
  }

  private answer(response: ServerResponse, body: Record<string, unknown>): void {
    const text = JSON.stringify(linked(body, this.endpoint));
    response.writeHead(200, { "content-type": "application/json; charset=UTF-8" }).end(text);
  }

  private forward(exchange: Exchange, change: { path?: string; generation?: string } = {}): Promise<Answer> {
    return forward(exchange, { upstream: this.options.upstream, endpoint: this.endpoint, ...change });
  }
}

/** A body of JSON. @throws CloudError 400 */
async function jsonOf(request: IncomingMessage): Promise<Props> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8") || "{}") as Props;
  } catch {
    throw new CloudError(400, "parseError", "The body is no JSON.");
  }
}

/** A request in hand. `head` is what was read of its body. */
export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  url: URL;
  caller: string;
  head: Buffer | undefined;
}

const contentPath = ({ bucket, name }: ReturnType<Versions["place"]>): string =>
  `/storage/v1/b/${bucket}/o/${encodeURIComponent(name)}`;

/** The request's path with another source. */
function copyPathOf(url: URL, place: { bucket: string; name: string }, action: Source["action"]): string {
  const target = url.pathname.slice(url.pathname.indexOf(`/${action}/`));
  return `${contentPath(place)}${target}`;
}

function noSuch(bucket: string, object: string, generation: string | undefined): CloudError {
  return new CloudError(404, "notFound", `No such object: ${bucket}/${object}${generation ? `#${generation}` : ""}`);
}

function forbidden(caller: string, { permission, bucket, object }: Need): CloudError {
  const what = object === undefined ? "bucket" : "object";
  log(`refused: ${caller} ${permission} on ${bucket}${object === undefined ? "" : `/${object}`}`);
  return new CloudError(
    403,
    "forbidden",
    `${caller} does not have ${permission} access to the Google Cloud Storage ${what}. Permission '${permission}' denied on resource (or it may not exist).`,
  );
}

/** Answers with the error body of the JSON API. */
export function refuse(request: IncomingMessage, response: ServerResponse, error: Error): void {
  const { status, reason } = error instanceof CloudError ? error : { status: 500, reason: "internalError" };
  if (status === 500) log(`${request.method} ${request.url}: ${error.stack}`);
  if (response.headersSent) return void response.destroy();
  if (status === 304) return void response.writeHead(304).end();
  // What is left of the request's body is not waited for.
  response.writeHead(status, { "content-type": "application/json; charset=UTF-8", connection: "close" });
  response.end(errorBody(status, reason, error.message));
  request.resume();
}

/** An error as the JSON API writes it. */
export function errorBody(code: number, reason: string, message: string): string {
  return JSON.stringify({ error: { code, message, errors: [{ message, domain: "global", reason }] } });
}
