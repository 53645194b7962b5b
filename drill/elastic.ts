/** An Elasticsearch client of the few requests the drill makes, and what it writes through it. */
import { Agent, request } from "node:https";
import { DOCUMENT_INDEX, documentOf } from "./dataset";
import type { Progress } from "./workspace";

const BULK = 5000;

export interface ElasticsearchAccess {
  address: string;
  port: number;
  /** Name that the server's certificate has to be for. */
  servername: string;
  /** PEM of the certificate authority. */
  ca: string;
  user: string;
  password: string;
}

/** The server's refusal. */
export class ElasticsearchError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export class Elasticsearch {
  private readonly agent: Agent;

  constructor(private readonly access: ElasticsearchAccess) {
    const { ca, servername } = access;
    this.agent = new Agent({ keepAlive: true, maxSockets: 4, ca, servername });
  }

  /** @throws ElasticsearchError on any status but 2xx */
  request<T>(method: string, path: string, body?: object | string): Promise<T> {
    const { address, port, user, password } = this.access;
    const content = typeof body === "string" ? body : body && JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          agent: this.agent,
          host: address,
          port,
          method,
          path,
          auth: `${user}:${password}`,
          timeout: 120_000,
          headers: content
            ? {
                "content-type": typeof body === "string" ? "application/x-ndjson" : "application/json",
                "content-length": Buffer.byteLength(content),
              }
            : {},
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () => {
            const text = Buffer.concat(chunks).toString("utf8");
            const status = response.statusCode ?? 0;
            if (status >= 200 && status < 300) resolve(JSON.parse(text));
            else
              reject(new ElasticsearchError(status, `${method} ${path} was answered ${status}: ${text.slice(0, 500)}`));
          });
        },
      );
      sent.on("timeout", () => sent.destroy(new Error(`${method} ${path} was not answered within 120 s`)));
      sent.on("error", reject);
      sent.end(content);
    });
  }

  close(): void {
    this.agent.destroy();
  }

  /** Writes the region's documents; they can be searched when this resolves. */
  async writeDocuments(region: string, documents: number, progress: Progress): Promise<void> {
    await this.createIndex(DOCUMENT_INDEX, { created: { type: "date" }, title: { type: "text" } });
    for (let first = 0; first < documents; first += BULK) {
      const lines: string[] = [];
      for (let index = first; index < Math.min(first + BULK, documents); index++) {
        const { id, source } = documentOf(region, index);
        lines.push(JSON.stringify({ index: { _id: id } }), JSON.stringify(source));
      }
      const { errors, items } = await this.request<{ errors: boolean; items: { index: { error?: object } }[] }>(
        "POST",
        `/${DOCUMENT_INDEX}/_bulk`,
        `${lines.join("\n")}\n`,
      );
      if (errors) {
        const refused = items.find((item) => item.index.error);
        throw new Error(`Elasticsearch in ${region} refused a document: ${JSON.stringify(refused)}`);
      }
      progress(`${region}: ${Math.min(first + BULK, documents)} of ${documents} documents`);
    }
    await this.request("POST", `/${DOCUMENT_INDEX}/_refresh`);
  }

  private async createIndex(name: string, properties: object): Promise<void> {
    // A replica where there is a second node for it.
    const settings = { number_of_shards: 1, auto_expand_replicas: "0-1" };
    try {
      await this.request("PUT", `/${name}`, { settings, mappings: { properties } });
    } catch (error) {
      if (!(error instanceof ElasticsearchError && error.message.includes("resource_already_exists"))) throw error;
    }
  }
}
