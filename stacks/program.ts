/** The program of a stack: checks its configuration, then runs its role's program. */
import { ConfigError, parseConfig } from "./config";
import { type BucketReader, findCopy } from "./copies";

/** What a program needs from outside. */
export interface Surroundings {
  stack: string;
  /** Every config value as the engine gives it. */
  config: Record<string, string>;
  env: NodeJS.ProcessEnv;
  reader(): Promise<BucketReader>;
}

/** Stack outputs. */
export type Outputs = Record<string, unknown>;

/**
 * Runs the role that the configuration picks.
 * @throws ConfigError before anything is created
 */
export async function program({ stack, config: all, env, reader }: Surroundings): Promise<Outputs> {
  const config = parseConfig(all, stack);
  // Each role's program loads what it needs and no more: a preview starts faster.
  switch (config.role) {
    case "site": {
      const token = env.OP_SERVICE_ACCOUNT_TOKEN ?? env.ONEPASSWORD_TOKEN;
      if (!token) {
        throw new ConfigError(stack, [
          "environment variable OP_SERVICE_ACCOUNT_TOKEN is not set: the clusters fetch every secret with it; set it to a 1Password service account token that may read the site's vault",
        ]);
      }
      const copy = config.restore && (await findCopy(stack, config, await reader()));
      for (const { id, reason } of copy?.refused ?? []) {
        (await import("@pulumi/pulumi")).log.warn(
          `copy ${id} is passed over: ${reason}; find out who wrote its marker`,
        );
      }
      return (await import("./site")).site(config, token, copy);
    }
    case "vault":
      return (await import("./vault")).vault(config);
    case "foundation":
      return (await import("./foundation")).foundation(config);
    case "bootstrap":
      return (await import("./bootstrap")).bootstrap(config, stack);
    case "standby":
      return (await import("./standby")).standby(stack);
  }
}
