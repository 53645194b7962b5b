/** Where the sandbox keeps its state, and the environment that points Pulumi and credential helpers to it. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import type { Status, TrafficStatus } from "./cloud/api";
import type { Tools } from "./toolchain";

export const PROJECT_ROOT = join(__dirname, "..");

/** State folder: SANDBOX_DIR, or `.sandbox` of the checkout. */
export const sandboxDir = (): string => process.env.SANDBOX_DIR ?? join(PROJECT_ROOT, ".sandbox");
/** Unix socket of the daemon in a state folder. */
export const socketOf = (dir: string): string => join(dir, "control.sock");
/** Certificate of the authority that the endpoints of AWS show themselves with. */
export const caFileOf = (dir: string): string => join(dir, "ca.crt");
/** Log of the daemon in a state folder. */
export const daemonLog = (dir: string): string => join(dir, "daemon.log");

/** Anybody may read it: what it protects is made up, like everything else here. */
const PASSPHRASE = "sandbox";

/** Environment of the commands that deploy to a running sandbox. `status` is the daemon's. */
export function environment(dir: string, tools: Tools, status: Status): Record<string, string> {
  const state = join(dir, "state");
  const home = join(dir, "pulumi");
  const role = preparedRole();
  for (const folder of [state, home]) mkdirSync(folder, { recursive: true });
  return {
    PATH: [
      join(PROJECT_ROOT, "sandbox", "providers", "bin"),
      join(PROJECT_ROOT, "sandbox", "clusters", "bin"),
      ...(tools.languageHost ? [tools.languageHost] : []),
      dirname(tools.pulumi),
      process.env.PATH ?? "/usr/bin:/bin",
    ].join(":"),
    SANDBOX_DIR: dir,
    SANDBOX_SOCKET: socketOf(dir),
    SANDBOX_STORAGE_ENDPOINT: status.storageEndpoint,
    SANDBOX_S3_ENDPOINT: status.s3Endpoint,
    SANDBOX_DNS_ENDPOINT: status.dnsEndpoint,
    ...(role ? { SANDBOX_AWS_ROLE: role } : {}),
    PULUMI_HOME: home,
    // A file of metadata beside a state is not replaced in one step: an update that is killed meanwhile leaves a state unreadable.
    PULUMI_BACKEND_URL: `file://${state}?metadata=skip`,
    PULUMI_CONFIG_PASSPHRASE: PASSPHRASE,
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    ...secretsToken(dir),
  };
}

/** What else is set where programs reach public addresses through a proxy, as behind a company's: the sandbox's, and its certificates. */
export function behindProxy(
  dir: string,
  { proxyEndpoint }: Status,
  { authority }: TrafficStatus,
): Record<string, string> {
  const authorities = join(dir, "authorities.pem");
  writeFileSync(authorities, [authority, caFileOf(dir)].map((file) => readFileSync(file, "utf8").trim()).join("\n"));
  return {
    HTTPS_PROXY: proxyEndpoint,
    NO_PROXY: "localhost,127.0.0.1",
    // Some programs ask for these first; what this machine's own say leads elsewhere.
    https_proxy: "",
    no_proxy: "",
    NODE_EXTRA_CA_CERTS: authorities,
  };
}

/** The role of AWS that deploys unless told otherwise. */
function preparedRole(): string | undefined {
  const path = join(PROJECT_ROOT, "sandbox.yaml");
  return existsSync(path) ? parse(readFileSync(path, "utf8"))?.preparedRoles?.[0] : undefined;
}

/** The 1Password token that the sandbox made up for whoever deploys. */
function secretsToken(dir: string): Record<string, string> {
  const path = join(dir, "onepassword.json");
  if (!existsSync(path)) return {};
  return { OP_SERVICE_ACCOUNT_TOKEN: String(parse(readFileSync(path, "utf8")).token) };
}
