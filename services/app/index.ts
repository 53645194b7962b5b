/** `services <front|api|worker|prepare|check-customers>`: the parts of the sample product, one image. */
import { requests } from "../../plan/traffic";
import { api } from "./api";
import { checkCustomers, customerPlaces } from "./customers";
import { front } from "./front";
import { drain } from "./http";
import { prepare } from "./prepare";
import { apiSettings, checkSettings, frontSettings, prepareSettings, settings, workerSettings } from "./settings";
import { worker } from "./worker";

const parts: Record<string, () => Promise<void>> = {
  front: () => front(settings(frontSettings)),
  api: () => api(settings(apiSettings)),
  worker: () => worker(settings(workerSettings)),
  prepare: () => prepare(settings(prepareSettings)),
  "check-customers": () => {
    const { CUSTOMERS, REGION } = settings(checkSettings);
    return checkCustomers(customerPlaces(CUSTOMERS, REGION));
  },
};

const name = process.argv[2] ?? "";
const part = Object.hasOwn(parts, name) ? parts[name] : undefined;
/** As long as the load balancer waits for an answer. */
const LAST_MS = requests.timeoutSeconds * 1000;
// The manifests' preStop waits until load balancer and Services have forgotten the pod; what has begun then is finished.
for (const signal of ["SIGTERM", "SIGINT"] as const)
  process.on(signal, () => void drain(LAST_MS).then(() => process.exit()));

if (!part) {
  console.error(`unknown part "${name}"; allowed: ${Object.keys(parts).join(", ")}`);
  process.exitCode = 2;
} else {
  part().catch((error: Error) => {
    console.error(error.message);
    process.exit(1);
  });
}
