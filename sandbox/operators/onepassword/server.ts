/** 1Password as operators reach it: over the network, which may refuse connections or swallow what is sent. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { findItem, type OnePassword } from "./items";

/** How it answers; in `hangs` it takes connections and says nothing. */
export type Reach = "answers" | "refuses" | "hangs";

/** How long an operator waits for an answer. */
const PATIENCE_MS = 5_000;

/** The service, on a port of loopback. */
export class OnePasswordService {
  private reach: Reach = "answers";
  private port = 0;

  private constructor(
    private readonly server: Server,
    readonly store: OnePassword,
  ) {}

  static async start(store: OnePassword): Promise<OnePasswordService> {
    const service: OnePasswordService = new OnePasswordService(
      createServer((request, response) => {
        if (service.reach === "hangs") return;
        const allowed = request.headers.authorization === `Bearer ${store.token}`;
        const fields = findItem(store, decodeURIComponent((request.url ?? "").slice(1)));
        const status = allowed ? (fields ? 200 : 404) : 401;
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(fields ?? {}));
      }),
      store,
    );
    await service.listen();
    service.port = (service.server.address() as AddressInfo).port;
    return service;
  }

  /** Makes or ends a fault. What is under way then is not answered. */
  async set(reach: Reach): Promise<void> {
    if (reach === this.reach) return;
    if (reach === "refuses") await this.close();
    else if (this.reach === "refuses") await this.listen();
    this.reach = reach;
    if (reach === "answers") this.server.closeAllConnections();
  }

  /** Fields of an item. @throws with what a person reads when there is no answer, or another one */
  async fetch(itemPath: string, token: string): Promise<Record<string, string>> {
    const url = `http://127.0.0.1:${this.port}/${encodeURIComponent(itemPath)}`;
    const headers = { authorization: `Bearer ${token}`, connection: "close" };
    let response: Response;
    try {
      response = await fetch(url, { headers, signal: AbortSignal.timeout(PATIENCE_MS) });
    } catch (error) {
      const { name, cause } = error as Error & { cause?: Error };
      throw new Error(
        name === "TimeoutError" ? `no answer within ${PATIENCE_MS / 1000} s` : (cause?.message ?? "no connection"),
      );
    }
    if (response.status === 401) throw new Error("the service account token is not valid");
    if (!response.ok) throw new Error(`item ${itemPath} was not found`);
    return (await response.json()) as Record<string, string>;
  }

  async close(): Promise<void> {
    if (!this.server.listening) return;
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  private listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen(this.port, "127.0.0.1", () => resolve());
    });
  }
}
