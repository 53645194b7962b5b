/** Serves metrics of a job that runs on, for Prometheus to scrape. */
import { createServer, type Server } from "node:http";
import type { Registry } from "prom-client";

/**
 * Serves `/metrics`, and `/healthz` for as long as the job is well, on the address in POD_IP or on all.
 * @param healthy asked by every check; false: the pod is started anew
 * @throws when the port is taken
 */
export async function serveMetrics(registry: Registry, port: number, healthy: () => boolean): Promise<Server> {
  const server = createServer((request, response) => {
    const path = (request.url ?? "").split("?")[0];
    if (request.method !== "GET" || (path !== "/metrics" && path !== "/healthz")) {
      response.writeHead(404).end();
      return;
    }
    if (path === "/healthz") {
      const well = healthy();
      response.writeHead(well ? 200 : 503).end(well ? "ok\n" : "stuck\n");
      return;
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { "content-type": registry.contentType }).end(text),
      (error: Error) => response.writeHead(500).end(error.message),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, process.env.POD_IP ?? "0.0.0.0", resolve);
  });
  return server;
}
