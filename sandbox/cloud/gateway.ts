/** The storage API as Google serves it: every request is checked against the declared IAM, retention and faults. */
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { logger } from "../lib/log";
import { type AccessDecisions, CloudError } from "../lib/types";
import { answerBatch } from "./gateway-batch";
import { type Need, type Request, requestOf } from "./gateway-permissions";
import type { Tokens } from "./tokens";
import { bodyHead, uploadName } from "./upload-name";

export interface GatewayOptions {
  /** The storage server behind it. */
  upstream: string;
  decisions: AccessDecisions;
  tokens: Tokens;
  /** Default: 127.0.0.1 and a free port. */
  host?: string;
  port?: number;
  /** Email of the caller of a request without a token; undefined: such a request is refused. */
  defaultCaller?: () => string | undefined;
}

const log = logger("storage");
const unauthorized = () => new CloudError(401, "required", "Anonymous caller does not have storage access.");

/** Upload sessions and who began them; sessions live in the storage server, which every gateway shares. */
const sessions = new Map<string, string>();

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

  /** Checks one request on behalf of a caller. @throws CloudError when it is refused */
  async authorize(caller: string, asked: Request): Promise<void> {
    if (asked.kind === "refused") throw forbidden(caller, { permission: asked.permission, bucket: asked.bucket ?? "" });
    if (asked.kind === "batch" || asked.kind === "upload") return;
    const { decisions } = this.options;
    for (const need of asked.needs) {
      const bucket = decisions.bucket(need.bucket);
      if (!bucket) throw new CloudError(404, "notFound", "The specified bucket does not exist.");
      const reads = need.permission === "storage.objects.get" || need.permission === "storage.objects.list";
      if (bucket.unreadable && reads) throw new CloudError(503, "backendError", "We encountered an internal error.");
      this.require(caller, need);
    }
    if (asked.kind === "delete") await this.keepsRetention(asked.bucket, asked.target);
    if (asked.kind === "create" && asked.target !== undefined) await this.mayCreate(caller, asked, asked.target);
  }

  private require(caller: string, need: Need): void {
    const { permission, bucket, object, listPrefix } = need;
    if (!this.options.decisions.allows(`serviceAccount:${caller}`, permission, bucket, object, listPrefix))
      throw forbidden(caller, need);
  }

  /** Replacing an object is deleting it, for IAM and for retention. */
  private async mayCreate(caller: string, asked: Request & { kind: "create" }, target: string): Promise<void> {
    if (!(await this.created(asked.bucket, target))) return;
    if (asked.onlyIfAbsent)
      throw new CloudError(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.");
    this.require(caller, { permission: "storage.objects.delete", bucket: asked.bucket, object: target });
    await this.keepsRetention(asked.bucket, target);
  }

  private async keepsRetention(bucket: string, object: string): Promise<void> {
    const seconds = this.options.decisions.bucket(bucket)?.retentionSeconds ?? 0;
    if (seconds === 0) return;
    const created = await this.created(bucket, object);
    const until = created && new Date(created.getTime() + seconds * 1000);
    if (until && until > this.options.decisions.now())
      throw new CloudError(
        403,
        "retentionPolicyNotMet",
        `Object '${bucket}/${object}' is subject to bucket's retention policy or object retention and cannot be deleted or overwritten until ${until.toISOString()}`,
      );
  }

  /** When an object was created; undefined when there is none. */
  private async created(bucket: string, object: string): Promise<Date | undefined> {
    const url = `${this.options.upstream}/storage/v1/b/${bucket}/o/${encodeURIComponent(object)}?fields=timeCreated`;
    const response = await fetch(url);
    if (!response.ok) return undefined;
    return new Date(((await response.json()) as { timeCreated: string }).timeCreated);
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const caller = this.callerOf(request);
    const url = new URL(request.url ?? "/", this.endpoint);
    const asked = requestOf(request.method ?? "GET", url);
    if (asked.kind === "batch") {
      const check = (part: Request) => this.authorize(caller, part);
      return answerBatch(request, response, { upstream: this.options.upstream, check });
    }
    let head: Buffer | undefined;
    if (asked.kind === "create" && asked.target === undefined) {
      // The name of a multipart or resumable upload is in its metadata, the beginning of the body.
      head = await bodyHead(request);
      asked.target = uploadName(head, request.headers["content-type"] ?? "");
      for (const need of asked.needs) if (need.permission === "storage.objects.create") need.object = asked.target;
    }
    if (asked.kind === "upload" && sessions.get(asked.session) !== caller)
      throw new CloudError(404, "notFound", "No such upload session.");
    await this.authorize(caller, asked);
    this.forward(request, response, caller, head);
  }

  /** @throws CloudError 401 */
  private callerOf(request: IncomingMessage): string {
    const token = /^Bearer (.+)$/i.exec(request.headers.authorization ?? "")?.[1];
    const caller = token ? this.options.tokens.resolve(token) : this.options.defaultCaller?.();
    if (!caller) throw unauthorized();
    return caller;
  }

  private forward(request: IncomingMessage, response: ServerResponse, caller: string, head?: Buffer): void {
    const { upstream } = this.options;
    const { host: _, authorization: __, ...headers } = request.headers;
    const onward = httpRequest(`${upstream}${request.url}`, { method: request.method, headers }, (answer) => {
      const { location } = answer.headers;
      if (location) {
        const session = /(?:upload_id=|\/upload\/resumable\/)([^&/?]+)/.exec(location)?.[1];
        if (session) sessions.set(session, caller);
        answer.headers.location = location.replace(upstream, this.endpoint);
      }
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", (error) => refuse(request, response, new CloudError(503, "backendError", error.message)));
    response.on("close", () => !response.writableEnded && onward.destroy());
    if (head?.length) onward.write(head);
    request.pipe(onward);
  }
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
function refuse(request: IncomingMessage, response: ServerResponse, error: Error): void {
  const { status, reason } = error instanceof CloudError ? error : { status: 500, reason: "internalError" };
  if (status === 500) log(`${request.method} ${request.url}: ${error.stack}`);
  if (response.headersSent) return void response.destroy();
  // What is left of the request's body is not waited for.
  response.writeHead(status, { "content-type": "application/json; charset=UTF-8", connection: "close" });
  response.end(errorBody(status, reason, error.message));
  request.resume();
}

/** An error as the JSON API writes it. */
export function errorBody(code: number, reason: string, message: string): string {
  return JSON.stringify({ error: { code, message, errors: [{ message, domain: "global", reason }] } });
}
