/** The product as a user reaches it: by its public name, wherever Route 53 says that it is. */
import { Resolver } from "node:dns/promises";
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { appDomain, regionHeader } from "../plan/traffic";
import { locate } from "./sandbox";

/** What came back. */
export interface Response {
  status: number;
  body: string;
  /** Region that answered. */
  region: string;
  /** Address that the name led to. */
  address: string;
  /** From the request to the end of the answer. */
  seconds: number;
}

const SECONDS = 30;
/** For how long a place counts as known: to look is a program's start. */
const KNOWN_MS = 10_000;
const known = new Map<string, { until: number; at: ReturnType<typeof locate> }>();

/** Everything is looked for again: a cloud has gone or come back. */
export const forgetPlaces = () => known.clear();

function place(address: string): ReturnType<typeof locate> {
  const found = known.get(address);
  if (found && found.until > Date.now()) return found.at;
  const at = locate(address, 443);
  known.set(address, { until: Date.now() + KNOWN_MS, at });
  at.catch(() => known.delete(address));
  return at;
}

/** Addresses of the name, as its own name servers answer. */
export async function resolveName(): Promise<string[]> {
  const resolver = new Resolver({ timeout: 2000, tries: 2 });
  resolver.setServers([process.env.SANDBOX_DNS_ENDPOINT ?? ""]);
  return resolver.resolve4(appDomain);
}

/** Sends a request to the name; a body is JSON unless it is text, which goes as it is. @throws when it leads nowhere, or the certificate is none of the name */
export async function ask(method: string, path: string, body?: object | string): Promise<Response> {
  const [address] = await resolveName();
  if (address === undefined) throw new Error(`${appDomain} has no address`);
  return askAt(address, method, path, body);
}

/** Sends a request to an address, with the public name as SNI and Host. */
export async function askAt(address: string, method: string, path: string, body?: object | string): Promise<Response> {
  const at = await place(address);
  const ca = at.authorities.map((file) => readFileSync(file, "utf8"));
  const [type, sent] =
    typeof body === "string" ? ["application/octet-stream", body] : ["application/json", body && JSON.stringify(body)];
  const began = Date.now();
  return new Promise((resolve, reject) => {
    const call = request(
      {
        host: at.host,
        port: at.port,
        ca,
        servername: appDomain,
        method,
        path,
        headers: { host: appDomain, "content-type": type, ...(sent && { "content-length": Buffer.byteLength(sent) }) },
        timeout: SECONDS * 1000,
        agent: false,
      },
      (answer) => {
        const parts: Buffer[] = [];
        answer.on("data", (part: Buffer) => parts.push(part));
        answer.on("error", reject);
        answer.on("end", () =>
          resolve({
            status: answer.statusCode ?? 0,
            body: Buffer.concat(parts).toString("utf8"),
            region: String(answer.headers[regionHeader] ?? ""),
            address,
            seconds: (Date.now() - began) / 1000,
          }),
        );
      },
    );
    call.on("timeout", () => call.destroy(new Error(`no answer in ${SECONDS} s`)));
    call.on("error", reject);
    call.end(sent);
  });
}

/** Repeats a question until it is answered as wanted. @throws with the last answer when it is not in time */
export async function until<T>(
  what: string,
  seconds: number,
  look: () => Promise<T>,
  good: (value: T) => boolean,
): Promise<T> {
  let seen = "nothing";
  for (const deadline = Date.now() + seconds * 1000; Date.now() < deadline; ) {
    try {
      const value = await look();
      if (good(value)) return value;
      seen = JSON.stringify(value).slice(0, 500);
    } catch (error) {
      seen = (error as Error).message;
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error(`${what} within ${seconds} s; the last answer was ${seen}`);
}
