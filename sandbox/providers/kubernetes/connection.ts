/** HTTP to one API server: authentication and TLS of the kubeconfig, retries, and refusals as {@link ApiError}. */
import { Agent, type RequestOptions, request } from "node:https";
import type { KubeConfig } from "@kubernetes/client-node";
import { sleep } from "../../lib/process";
import type { Props } from "../../lib/types";
import { isRecord } from "../values";

/** A refusal by the API server, in its own words. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    /** Machine-readable, e.g. `NotFound`, `AlreadyExists`, `Conflict`. */
    readonly reason: string,
    message: string,
    readonly details: Props = {},
  ) {
    super(message);
    this.name = "ApiError";
  }
}

/** The API server did not answer at all. */
export class UnreachableError extends Error {
  constructor(
    readonly server: string,
    cause: unknown,
  ) {
    super(
      `configured Kubernetes cluster is unreachable: ${server} did not answer (${cause instanceof Error ? cause.message : cause})`,
    );
    this.name = "UnreachableError";
  }
}

export interface ApiRequest {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path below the server, e.g. `/api/v1/namespaces`. */
  path: string;
  query?: Record<string, string>;
  body?: unknown;
  contentType?: string;
}

const ATTEMPTS = 5;
const TIMEOUT_MS = 60_000;
/** Credentials are asked for anew after this long; plugins keep their own caches. */
const CREDENTIALS_MS = 60_000;
/** 500 is not among them: the API server gives it to server-side apply of a field that does not exist. */
const TRANSIENT = new Set([429, 502, 503, 504]);

/** Requests to the API server of a kubeconfig's current context. */
export class Connection {
  readonly server: string;
  private credentials?: { since: number; options: Promise<RequestOptions> };

  constructor(private readonly kubeconfig: KubeConfig) {
    const server = kubeconfig.getCurrentCluster()?.server;
    if (!server) throw new Error(`the kubeconfig's context "${kubeconfig.getCurrentContext()}" has no server`);
    this.server = server.replace(/\/$/, "");
  }

  /**
   * Sends a request and returns the answer's JSON.
   *
   * @throws ApiError when the server refuses, UnreachableError when it does not answer
   */
  async send<T = Props>(req: ApiRequest): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const last = attempt === ATTEMPTS;
      try {
        return (await this.once(req)) as T;
      } catch (error) {
        if (!(error instanceof ApiError)) {
          if (last || !repeatable(req, error)) throw new UnreachableError(this.server, error);
        } else if (error.status === 401 && this.credentials && attempt === 1) {
          this.credentials = undefined;
        } else if (last || !TRANSIENT.has(error.status)) {
          throw error;
        }
        await sleep(100 * 2 ** attempt);
      }
    }
  }

  private async once(req: ApiRequest): Promise<unknown> {
    const auth = await this.authorized();
    const url = new URL(this.server + req.path);
    for (const [key, value] of Object.entries(req.query ?? {})) url.searchParams.set(key, value);
    const body = req.body === undefined ? undefined : JSON.stringify(req.body);
    const { status, text } = await new Promise<{ status: number; text: string }>((resolve, reject) => {
      const outgoing = request(
        url,
        {
          ...auth,
          method: req.method,
          timeout: TIMEOUT_MS,
          headers: {
            ...auth.headers,
            accept: "application/json",
            // Node sends the body of a DELETE without any length unless it is told one.
            ...(body === undefined
              ? {}
              : {
                  "content-type": req.contentType ?? "application/json",
                  "content-length": String(Buffer.byteLength(body)),
                }),
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () =>
            resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
          );
        },
      );
      outgoing.on("error", reject);
      outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
      outgoing.end(body);
    });
    const answer = parsed(text);
    if (status >= 200 && status < 300) return answer;
    throw refusal(status, answer, text);
  }

  /** One agent and one credential for many requests: a plugin (`exec`) is a process each time. */
  private authorized(): Promise<RequestOptions> {
    const cached = this.credentials;
    if (cached && Date.now() - cached.since < CREDENTIALS_MS) return cached.options;
    const options = (async () => {
      const fresh: RequestOptions = {};
      try {
        await this.kubeconfig.applyToHTTPSOptions(fresh);
      } catch (error) {
        throw new Error(this.credentialsError(error));
      }
      const agent = fresh.agent;
      return agent instanceof Agent && agent.constructor === Agent
        ? { ...fresh, agent: new Agent({ ...agent.options, keepAlive: true }) }
        : fresh;
    })();
    this.credentials = { since: Date.now(), options };
    options.catch(() => {
      this.credentials = undefined;
    });
    return options;
  }

  private credentialsError(error: unknown): string {
    const exec = this.kubeconfig.getCurrentUser()?.exec as { command?: string; installHint?: string } | undefined;
    const reason = error instanceof Error ? error.message.trim() : String(error);
    return exec ? `${exec.command} gave no credentials: ${reason}. ${exec.installHint ?? ""}`.trim() : reason;
  }
}

/** A request that may have been carried out is repeated only when that changes nothing. */
function repeatable(req: ApiRequest, error: unknown): boolean {
  const refused = error instanceof Error && "code" in error && error.code === "ECONNREFUSED";
  const credentials = error instanceof Error && !("code" in error);
  return !credentials && (refused || req.method !== "POST");
}

function parsed(text: string): unknown {
  try {
    return text ? JSON.parse(text) : {};
  } catch {
    return text;
  }
}

function refusal(status: number, answer: unknown, text: string): ApiError {
  if (!isRecord(answer)) return new ApiError(status, "", text || `HTTP ${status}`);
  const message = typeof answer.message === "string" ? answer.message : `HTTP ${status}`;
  const reason = typeof answer.reason === "string" ? answer.reason : "";
  return new ApiError(status, reason, message, isRecord(answer.details) ? answer.details : {});
}
