/** fake-gcs-server: the storage API without any access control. Only the gateway talks to it. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { freePort, type ProcessTable, waitUntil } from "../lib/process";

export interface StorageServer {
  /** `http://127.0.0.1:PORT` */
  endpoint: string;
  stop(): Promise<void>;
}

/** Starts it over `dir`/objects and waits until it answers. */
export async function startStorageServer(options: {
  dir: string;
  binary: string;
  processes: ProcessTable;
}): Promise<StorageServer> {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const folder = join(options.dir, "objects");
  mkdirSync(folder, { recursive: true });
  const log = join(options.dir, "storage.log");
  const child = options.processes.run({
    name: "fake-gcs-server",
    command: options.binary,
    args: [
      ...["-scheme", "http", "-host", "127.0.0.1", "-port", String(port)],
      ...["-backend", "filesystem", "-filesystem-root", folder, "-log-level", "warn"],
      ...["-external-url", endpoint, "-public-host", `127.0.0.1:${port}`],
    ],
    log,
  });
  const answers = () =>
    fetch(`${endpoint}/storage/v1/b?project=any`)
      .then((response) => response.ok)
      .catch(() => false);
  await waitUntil("the storage server", answers, { timeoutMs: 120_000, child, log });
  return { endpoint, stop: () => child.stop() };
}
