/**
 * Load from one place: requests at a constant rate, whether or not those before were answered, by vegeta. Users have an
 * address each, as Cloud Armor counts by address.
 *
 * Of five requests one writes an asset and waits until both stores of the answering region have it; three read an asset, one
 * searches. Memory: an entry for each request.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { rateLimit, regionHeader } from "../../plan/traffic";
import { loadTools } from "../../sandbox/toolchain";
import type { Entry } from "./stage";

/** What became of one request. */
export interface Answered {
  /** When it was sent, in milliseconds since 1970. */
  at: number;
  ms: number;
  /** 0: there was no answer. */
  status: number;
  /** Region that answered; absent: nobody did. */
  region?: string;
  /** The asset that it writes; absent: it reads. */
  writes?: string;
  /** It searched for what is there and was told of nothing: an index that is missing answers so, with 200. */
  empty?: true;
  error?: string;
}

/** How much, from where. */
export interface LoadOptions {
  /** Requests per second. */
  rate: number;
  /** Region that the users are in. */
  from: string;
  /** Assets that exist, for reads; at least one. */
  assets: readonly string[];
}

/** Share of the limit of requests that a user makes use of. */
const SHARE = 0.75;
/** Longer than the load balancer waits for a backend. */
const TIMEOUT_SECONDS = 35;
/** Addresses of users: 127.0.3.1 and up. */
const userAddress = (index: number) => `127.0.3.${index + 1}`;

/** A word of every title that is written, and what searches for it. */
const WORD = "load";
const SEARCH = `?q=${WORD}`;

/** True when a request got what it asked for. */
export const succeeded = ({ status, empty }: Answered): boolean => status >= 200 && status <= 299 && !empty;

export class Load {
  readonly answers: Answered[] = [];
  private readonly users: { attack: ChildProcess; done: Promise<unknown> }[] = [];

  private constructor(
    private readonly entry: Entry,
    private readonly options: LoadOptions,
    private readonly told: (answer: Answered) => void,
  ) {}

  /** Begins; requests are sent until {@link stop}. @param told hears of each answer as it comes */
  static start(entry: Entry, options: LoadOptions, told: (answer: Answered) => void = () => undefined): Load {
    const load = new Load(entry, options, told);
    const count = usersFor(options.rate);
    for (let index = 0; index < count; index++) load.users.push(load.user(index, options.rate / count));
    return load;
  }

  /** Sends no more, waits for the answers that are due and gives all of them, as they were sent. @throws when vegeta failed */
  async stop(): Promise<Answered[]> {
    for (const { attack } of this.users) attack.kill("SIGINT");
    await Promise.all(this.users.map(({ done }) => done));
    return this.answers.sort((a, b) => a.at - b.at);
  }

  private user(index: number, rate: number) {
    const { host, listener, authority } = this.entry;
    const { vegeta } = loadTools();
    const attack = spawn(
      vegeta,
      [
        ...["attack", "-format", "json", "-lazy", "-duration", "0", "-timeout", `${TIMEOUT_SECONDS}s`],
        ...["-rate", `${Math.round(rate * 60)}/1m`, "-laddr", userAddress(index), "-root-certs", authority],
        ...["-connect-to", `${host}:443:${listener}`, "-redirects", "-1"],
      ],
      { stdio: ["pipe", "pipe", "pipe"], env: { GOMAXPROCS: "1" } },
    );
    const encode = spawn(vegeta, ["encode", "-to", "json"], {
      stdio: ["pipe", "pipe", "pipe"],
      env: { GOMAXPROCS: "1" },
    });
    attack.stdout.pipe(encode.stdin);
    attack.stdin.on("error", () => undefined);
    void this.ask(attack);
    let said = "";
    for (const { stderr } of [attack, encode])
      stderr.on("data", (chunk) => {
        said += chunk;
      });
    const lines = createInterface({ input: encode.stdout });
    lines.on("line", (line) => {
      const answer = answered(JSON.parse(line));
      this.answers.push(answer);
      this.told(answer);
    });
    const done = Promise.all([once(encode, "close"), once(lines, "close")]).then(() => {
      if (said) throw new Error(`vegeta: ${said}`);
    });
    return { attack, done };
  }

  /** Targets, as many as it reads, until it ends. */
  private async ask({ stdin }: ChildProcess): Promise<void> {
    if (stdin) await pipeline(Readable.from(this.targets()), stdin).catch(() => undefined);
  }

  private *targets(): Generator<string> {
    for (let count = 0; ; count++) {
      const { body, ...target } = this.target(count);
      const encoded = body ? { body: Buffer.from(JSON.stringify(body)).toString("base64") } : {};
      yield `${JSON.stringify({ ...target, ...encoded })}\n`;
    }
  }

  private target(count: number) {
    const base = `https://${this.entry.host}/api/assets`;
    const header = { [this.entry.clientHeader]: [this.options.from], "content-type": ["application/json"] };
    const { assets } = this.options;
    if (count % 5 === 0)
      return { method: "PUT", url: `${base}/${randomUUID()}?wait=found`, header, body: { title: `${WORD} ${count}` } };
    if (count % 5 === 1) return { method: "GET", url: `${base}${SEARCH}`, header };
    return { method: "GET", url: `${base}/${assets[count % assets.length]}`, header };
  }
}

/** Users that a rate takes so that none of them is limited. */
export function usersFor(rate: number): number {
  return Math.ceil(rate / ((rateLimit.requests / rateLimit.intervalSeconds) * SHARE));
}

/** A line of `vegeta encode -to json`. */
export interface Result {
  timestamp: string;
  latency: number;
  code: number;
  error: string;
  method: string;
  url: string;
  headers: Record<string, string[]> | null;
  /** Base64. */
  body: string | null;
}

/** Of a refusal, as much as tells why. */
const SAID = 160;

/** What became of a request, of a line of vegeta. */
export function answered({ timestamp, latency, code, error, method, url, headers, body }: Result): Answered {
  const text = body ? Buffer.from(body, "base64").toString("utf8") : "";
  const empty = code === 200 && url.endsWith(SEARCH) && !hit(text);
  const said = empty ? "a search for what is there found nothing" : code >= 400 ? text.slice(0, SAID) : "";
  const header = Object.entries(headers ?? {}).find(([name]) => name.toLowerCase() === regionHeader);
  return {
    at: Date.parse(timestamp),
    ms: latency / 1e6,
    status: code,
    ...(header?.[1][0] ? { region: header[1][0] } : {}),
    ...(method === "PUT" ? { writes: /assets\/([^?]+)/.exec(url)?.[1] } : {}),
    ...(empty ? { empty } : {}),
    ...(error || said ? { error: [error, said].filter(Boolean).join(": ") } : {}),
  };
}

/** Whether a search's answer has an asset of a load. */
function hit(text: string): boolean {
  try {
    const { assets } = JSON.parse(text) as { assets?: { title?: string }[] };
    return assets?.some(({ title }) => title?.startsWith(WORD)) ?? false;
  } catch {
    return false;
  }
}
