/** `services <front|api|worker|prepare>`: the parts of the sample product, one image. */
import { api } from "./api";
import { front } from "./front";
import { prepare } from "./prepare";
import { apiSettings, frontSettings, prepareSettings, settings, workerSettings } from "./settings";
import { worker } from "./worker";

const parts: Record<string, () => Promise<void>> = {
  front: () => front(settings(frontSettings)),
  api: () => api(settings(apiSettings)),
  worker: () => worker(settings(workerSettings)),
  prepare: () => prepare(settings(prepareSettings)),
};

const name = process.argv[2] ?? "";
const part = Object.hasOwn(parts, name) ? parts[name] : undefined;
// Requests under way are finished while the load balancer forgets the pod: the manifests' preStop waits before this.
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => process.exit(0));

if (!part) {
  console.error(`unknown part "${name}"; allowed: ${Object.keys(parts).join(", ")}`);
  process.exitCode = 2;
} else {
  part().catch((error: Error) => {
    console.error(error.message);
    process.exit(1);
  });
}
