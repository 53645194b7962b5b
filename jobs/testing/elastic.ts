/** An Elasticsearch for tests of jobs: the test answers each request by its method and path, and sees what was asked. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Answers a request, its path decoded and without the query: a status and a body; undefined: nothing is ever answered. */
export type Respond = (method: string, path: string, body: unknown) => [status: number, body: unknown] | undefined;

/** A running server. */
export interface TestElastic {
  /** For a job's configuration. */
  access: { url: string; passwordFile: string; caFile: string };
  respond: Respond;
  /** Requests so far, `METHOD /path?query`. */
  requests: string[];
  stop(): Promise<void>;
}

/** Starts it. @param address with its port; default: a free one of 127.0.0.1 */
export async function startElastic(respond: Respond, [host, port] = ["127.0.0.1", 0]): Promise<TestElastic> {
  const folder = mkdtempSync(join(tmpdir(), "elastic-"));
  const files = { passwordFile: join(folder, "password"), caFile: join(folder, "ca") };
  for (const file of Object.values(files)) writeFileSync(file, "x");
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const part of request) text += part;
    const [method, url] = [request.method ?? "", request.url ?? ""];
    elastic.requests.push(`${method} ${url}`);
    const answer = elastic.respond(method, decodeURIComponent(url.split("?")[0]!), text ? JSON.parse(text) : undefined);
    if (answer === undefined) return;
    response.writeHead(answer[0], { "content-type": "application/json" }).end(JSON.stringify(answer[1]));
  });
  await new Promise<void>((resolve) => server.listen(Number(port), String(host), resolve));
  const url = `http://${host}:${(server.address() as AddressInfo).port}`;
  const elastic: TestElastic = {
    access: { url, ...files },
    respond,
    requests: [],
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return elastic;
}
