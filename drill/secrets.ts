/** The secret values that a drill knows, and the places that must not hold them (S5). */
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CoreV1Api } from "@kubernetes/client-node";
import { kubeConfig } from "./clusters";
import { SANDBOX_DIR } from "./sandbox";
import { type ScanResult, type Secret, SecretScan } from "./secret-scan";
import { PROJECT_ROOT } from "./workspace";

/** Keys of Kubernetes Secrets whose values nobody else may know. */
const SECRET_KEY = /(^|[._-])(password|token|elastic|key)$|password|\.key$/i;

/** Kubernetes Secrets that are no secrets of ours: Helm's records of its releases. */
const RECORDS = "helm.sh/release.v1";

/**
 * The values that may be known inside of the clusters only: the token of 1Password, and what is in every cluster's
 * Secrets (passwords that operators fetched or made, tokens, private keys).
 */
export async function knownSecrets(kubeconfigs: Record<string, string>, env = process.env): Promise<Secret[]> {
  const token = env.OP_SERVICE_ACCOUNT_TOKEN;
  if (!token) throw new Error("OP_SERVICE_ACCOUNT_TOKEN is not set, so that it cannot be looked for");
  const secrets = new Map<string, string>([[token, "1Password token"]]);
  for (const [cluster, kubeconfig] of Object.entries(kubeconfigs)) {
    const { items } = await kubeConfig(kubeconfig).makeApiClient(CoreV1Api).listSecretForAllNamespaces();
    for (const { metadata, type, data } of items) {
      if (type === RECORDS) continue;
      for (const [key, encoded] of Object.entries(data ?? {})) {
        if (!SECRET_KEY.test(key)) continue;
        const value = telling(Buffer.from(encoded, "base64").toString("utf8"));
        if (value && !secrets.has(value)) {
          secrets.set(value, `${key} of ${metadata?.namespace}/${metadata?.name} in ${cluster}`);
        }
      }
    }
  }
  return [...secrets].map(([value, name]) => ({ name, value }));
}

/** What is looked for of a value: a line in the middle of a key that has many, as its first ones are like every other's. */
export function telling(value: string): string | undefined {
  const lines = value.split("\n").filter((line) => line.trim().length >= 12 && !line.startsWith("-----"));
  return lines[Math.floor(lines.length / 2)]?.trim();
}

/**
 * Scans what leaves a cluster: files that git tracks and the stack files, Pulumi's state with its history, every object of
 * every bucket, every log, and the outputs that were kept.
 * @throws Error naming each leak, never a value
 */
export async function expectNoSecrets(secrets: Secret[], outputs: Record<string, string>): Promise<ScanResult> {
  const scan = new SecretScan(secrets);
  const tracked = execFileSync("git", ["ls-files", "-z"], { cwd: PROJECT_ROOT, encoding: "utf8" }).split("\0");
  for (const path of tracked.filter(Boolean)) await scan.file(join(PROJECT_ROOT, path), path);
  for (const name of readdirSync(PROJECT_ROOT)) {
    if (/^Pulumi\.drill-.*\.yaml$/.test(name)) await scan.file(join(PROJECT_ROOT, name), name);
  }
  const places: [what: string, folder: string, wanted?: (path: string) => boolean][] = [
    ["state", fileURLToPath(process.env.PULUMI_BACKEND_URL ?? "")],
    ["objects", join(SANDBOX_DIR, "objects")],
    ["logs", SANDBOX_DIR, (path) => /\.log(\.|$)/.test(path)],
  ];
  for (const [what, folder, wanted] of places) {
    const before = scan.result.scanned;
    await scan.folder(folder, wanted);
    // A place that has moved would never hold a secret.
    if (scan.result.scanned === before) throw new Error(`there are no ${what} to scan in ${folder}`);
  }
  for (const [place, text] of Object.entries(outputs)) await scan.text(place, text);
  const { leaks } = scan.result;
  if (leaks.length > 0) {
    const lines = leaks.slice(0, 20).map(({ place, secret, form }) => `  - ${secret} (${form}) in ${place}`);
    throw new Error(`${leaks.length} secrets where none may be\n${lines.join("\n")}`);
  }
  return scan.result;
}
