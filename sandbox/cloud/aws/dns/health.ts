/**
 * Health checks of Route 53, run for real against what stands for the declared address. Source: "How Amazon Route 53 determines
 * whether a health check is healthy", "Types of health checks".
 */
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import type { Props } from "../../../lib/types";
import { texts } from "../checks";

/** A declared check. */
export interface DeclaredCheck {
  id: string;
  inputs: Props;
}

/** Where a public address or an object of S3 is here. */
export interface Surface {
  /** Where an address and port lead here; undefined: nobody answers. */
  locate(address: string, port: number): Promise<{ host: string; port: number } | undefined>;
  /** The beginning of an object behind a bucket's public host name, as Route 53's checkers may read it; undefined: refused. */
  object(host: string, path: string): Promise<string | undefined> | undefined;
  now?(): number;
}

/** What is known of a check. */
export interface CheckState {
  id: string;
  type: string;
  healthy: boolean;
  /** Answers in a row that say otherwise. */
  contrary: number;
  /** Why the last one failed; empty when it did not. */
  reason: string;
}

/** A connection within 4 s, and then an answer within 2. */
const CONNECT_MS = 4000;
const ANSWER_MS = 2000;
const READ_BYTES = 5120;
const TICK_MS = 250;

export class HealthChecks {
  private readonly states = new Map<string, CheckState & { next: number }>();
  private readonly timer: NodeJS.Timeout;
  private readonly busy = new Set<string>();

  constructor(
    private readonly declared: () => DeclaredCheck[],
    private readonly surface: Surface,
  ) {
    this.timer = setInterval(() => this.tick(), TICK_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** True while a check is healthy; one without answers yet is, and so is one that does not exist. */
  healthy(id: string): boolean {
    const check = this.declared().find((each) => each.id === id);
    return check === undefined || this.verdict(check);
  }

  /** All checks. */
  list(): CheckState[] {
    return this.declared().map((check) => ({
      id: check.id,
      type: String(check.inputs.type),
      healthy: this.verdict(check),
      contrary: this.states.get(check.id)?.contrary ?? 0,
      reason: this.states.get(check.id)?.reason ?? "",
    }));
  }

  private verdict({ id, inputs }: DeclaredCheck, seen: string[] = []): boolean {
    const inverted = inputs.invertHealthcheck === true;
    // A disabled check counts as healthy, or as unhealthy when it is inverted.
    if (inputs.disabled === true || seen.includes(id)) return !inverted;
    if (inputs.type !== "CALCULATED") return (this.states.get(id)?.healthy ?? true) !== inverted;
    const children = texts(inputs, "childHealthchecks");
    const all = this.declared();
    const well = children.filter((child) => {
      const found = all.find((each) => each.id === child);
      return found === undefined || this.verdict(found, [...seen, id]);
    });
    return well.length >= Number(inputs.childHealthThreshold ?? children.length) !== inverted;
  }

  private tick(): void {
    const now = Date.now();
    const checks = this.declared();
    for (const id of this.states.keys()) if (!checks.some((check) => check.id === id)) this.states.delete(id);
    for (const check of checks) {
      if (check.inputs.type === "CALCULATED" || check.inputs.disabled === true || this.busy.has(check.id)) continue;
      const state = this.states.get(check.id);
      if (state && state.next > now) continue;
      this.busy.add(check.id);
      const next = now + Number(check.inputs.requestInterval ?? 30) * 1000;
      void probe(check.inputs, this.surface)
        .then((reason) => this.note(check, reason, next))
        .finally(() => this.busy.delete(check.id));
    }
  }

  private note({ id, inputs }: DeclaredCheck, reason: string, next: number): void {
    const state = this.states.get(id) ?? {
      id,
      type: String(inputs.type),
      healthy: true,
      contrary: 0,
      reason: "",
      next,
    };
    const well = reason === "";
    const contrary = well === state.healthy ? 0 : state.contrary + 1;
    const turns = contrary >= Number(inputs.failureThreshold ?? 3);
    this.states.set(id, {
      ...state,
      healthy: turns ? well : state.healthy,
      contrary: turns ? 0 : contrary,
      reason,
      next,
    });
  }
}

/** Asks once; why it failed, or nothing. */
export async function probe(inputs: Props, surface: Surface): Promise<string> {
  const type = String(inputs.type);
  const port = Number(inputs.port ?? (type.startsWith("HTTPS") ? 443 : 80));
  const name = String(inputs.fqdn ?? inputs.ipAddress ?? "");
  const path = String(inputs.resourcePath ?? "/");
  const wanted = type.endsWith("STR_MATCH") ? String(inputs.searchString ?? "") : undefined;
  if (!inputs.ipAddress) {
    const object = surface.object(name, path);
    if (object) {
      const content = await object;
      if (content === undefined) return "the object cannot be read";
      return wanted === undefined || content.includes(wanted) ? "" : `"${wanted}" is not in the object`;
    }
  }
  const at = await surface.locate(String(inputs.ipAddress ?? name), port);
  if (!at) return `nobody answers at ${inputs.ipAddress ?? name}:${port}`;
  if (type === "TCP") return tcp(at);
  return http(type.startsWith("HTTPS"), at, name, path, wanted);
}

function tcp(at: { host: string; port: number }): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ ...at, timeout: CONNECT_MS });
    const end = (reason: string) => {
      socket.destroy();
      resolve(reason);
    };
    socket.once("connect", () => end(""));
    socket.once("timeout", () => end("no connection in time"));
    socket.once("error", (error) => end(error.message));
  });
}

function http(
  tls: boolean,
  at: { host: string; port: number },
  name: string,
  path: string,
  wanted: string | undefined,
): Promise<string> {
  return new Promise((resolve) => {
    const send = tls ? httpsRequest : httpRequest;
    // Route 53 does not check certificates.
    const call = send({
      ...at,
      path,
      servername: name,
      rejectUnauthorized: false,
      headers: { host: name, "user-agent": "Amazon-Route53-Health-Check-Service" },
      agent: false,
    });
    const limit = setTimeout(() => call.destroy(new Error("no answer in time")), CONNECT_MS + ANSWER_MS);
    const end = (reason: string) => {
      clearTimeout(limit);
      call.destroy();
      resolve(reason);
    };
    call.once("error", (error) => end(error.message || "no connection"));
    call.once("response", (response) => {
      const status = response.statusCode ?? 0;
      if (status < 200 || status > 399) return end(`status ${status}`);
      if (wanted === undefined) return end("");
      let body = "";
      response.on("data", (chunk) => {
        body += chunk;
        if (body.slice(0, READ_BYTES).includes(wanted)) end("");
        else if (body.length > READ_BYTES) end(`"${wanted}" is not in the first ${READ_BYTES} bytes`);
      });
      response.once("error", (error) => end(error.message));
      response.once("end", () => end(`"${wanted}" is not in the answer`));
    });
    call.end();
  });
}
