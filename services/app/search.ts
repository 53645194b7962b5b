/** The services' way to their own region's Elasticsearch, as a user of their own. */
import { readFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { credentials } from "./cassandra";
import type { StoreSettings } from "./settings";

/** Milliseconds that a call may take. */
const CALL_MS = 5_000;
const ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

/** An answer that is no success. */
export class SearchError extends Error {
  constructor(
    readonly code: number,
    call: string,
    body: string,
  ) {
    super(`Elasticsearch answered ${call} with ${code}: ${body.slice(0, 300)}`);
  }
}

/** Version of a document: when its asset was changed, so that an older one, however late it comes, is refused (409). */
export const indexVersion = (changed: Date) => ({ version: changed.getTime(), version_type: "external_gte" });

/** A connection that was kept open was closed from the other end as it was used again. Every call here may be made twice. */
class ClosedError extends Error {}

/** Sends a request and parses the answer, again when a kept connection was closed meanwhile. `body` is JSON, or text of lines of it. */
export type Search = <T>(method: string, path: string, body?: unknown) => Promise<T>;

/**
 * A client of Elasticsearch. The authority of its certificate is asked of Kubernetes, because a Secret of another namespace
 * cannot be mounted; ECK renews it, so it is asked again when a certificate is not trusted.
 */
export async function search(
  options: Pick<StoreSettings, "ELASTICSEARCH_URL" | "ELASTICSEARCH_CREDENTIALS" | "ELASTICSEARCH_CERTIFICATES">,
  authorityOf: (secret: string) => Promise<string> = certificateAuthority,
): Promise<Search> {
  const [user, password] = await credentials(options.ELASTICSEARCH_CREDENTIALS);
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  let ca: string | undefined;
  return async (method, path, body) => {
    for (let attempt = 1; ; attempt++) {
      ca ??= await authorityOf(options.ELASTICSEARCH_CERTIFICATES);
      try {
        const text = await call(new URL(path, options.ELASTICSEARCH_URL), { method, ca, agent }, authorization, body);
        return JSON.parse(text);
      } catch (error) {
        const distrusted = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(String((error as { code?: string }).code));
        if (!(distrusted || error instanceof ClosedError) || attempt > 1) throw error;
        if (distrusted) ca = undefined;
      }
    }
  };
}

function call(
  url: URL,
  options: { method: string; ca: string; agent?: Agent },
  authorization: string,
  body: unknown,
): Promise<string> {
  const content = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  const type = typeof body === "string" ? "application/x-ndjson" : "application/json";
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      { ...options, timeout: CALL_MS, headers: { authorization, "content-type": type } },
      (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(parts).toString("utf8");
          const status = response.statusCode ?? 0;
          if (status >= 200 && status <= 299) resolve(text);
          else reject(new SearchError(status, `${options.method} ${url.pathname}`, text));
        });
      },
    );
    sent.on("timeout", () => sent.destroy(new Error(`no answer from ${url.host} in ${CALL_MS} ms`)));
    sent.on("error", (error: NodeJS.ErrnoException) =>
      reject(
        sent.reusedSocket && error.code === "ECONNRESET" ? new ClosedError(error.message, { cause: error }) : error,
      ),
    );
    sent.end(content);
  });
}

/** `ca.crt` of a Secret `NAMESPACE/NAME`, read with the pod's own account, which may read that one. */
async function certificateAuthority(secret: string): Promise<string> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;
  const [namespace, name] = secret.split("/");
  const url = new URL(`https://${host}:${port ?? 443}/api/v1/namespaces/${namespace}/secrets/${name}`);
  const token = await readFile(`${ACCOUNT}/token`, "utf8");
  const ca = await readFile(`${ACCOUNT}/ca.crt`, "utf8");
  const { data } = JSON.parse(await call(url, { method: "GET", ca }, `Bearer ${token.trim()}`, undefined)) as {
    data?: Record<string, string>;
  };
  const found = data?.["ca.crt"];
  if (!found) throw new Error(`Secret ${secret} has no ca.crt`);
  return Buffer.from(found, "base64").toString("utf8");
}
