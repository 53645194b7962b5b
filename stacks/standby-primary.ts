/** Asks the primary before the standby takes over: two sites that take writes cannot be made one again. */
import { request } from "node:https";
import { route53Check } from "../plan/failover";
import { configNamespace } from "../plan/names";
import { appDomain } from "../plan/traffic";
import { ConfigError, type StandbyConfig } from "./config";

/** Does the product answer at an address, asked by its public name? */
export type Probe = (address: string) => Promise<boolean>;

/** Times that it is asked, and seconds that an answer may take. */
const attempts = 3;
const seconds = 5;

/**
 * Refuses to activate the standby while the primary still serves, unless the configuration says by name that it is fenced, or
 * that what it takes from now on is given up.
 * @throws ConfigError
 */
export async function notServing(stack: string, config: StandbyConfig, probe: Probe): Promise<void> {
  const { active, primary, restored } = config;
  if (!active || restored !== undefined || primary.fenced !== undefined || primary.force !== undefined) return;
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (!(await probe(primary.address))) continue;
    throw new ConfigError(stack, [
      `${configNamespace}:active is true: site "${primary.site}" still answers at ${primary.address}, and what it takes from now on would be ` +
        `lost; fence it (docs/runbooks/d4-google-lost.md) and set ${configNamespace}:primary.fenced to "${primary.site}", or give its writes up ` +
        `with ${configNamespace}:primary.force "${primary.site}"`,
    ]);
  }
}

/** Asks over HTTPS at the address, with the public name as SNI and Host: what Route 53's health check does. */
export const httpsProbe: Probe = (address) =>
  new Promise((resolve) => {
    const sent = request(
      {
        host: address,
        servername: appDomain,
        headers: { host: appDomain },
        path: route53Check.path,
        method: "GET",
        timeout: seconds * 1000,
        agent: false,
      },
      (response) => {
        response.resume();
        resolve((response.statusCode ?? 500) < 400);
      },
    );
    sent.on("timeout", () => sent.destroy(new Error("no answer")));
    // Whoever has no valid certificate for the name is not the product.
    sent.on("error", () => resolve(false));
    sent.end();
  });
