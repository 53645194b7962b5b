/** The program of a stack: checks its configuration, then runs its role's program. */
import { ConfigError, parseConfig, type SiteConfig } from "./config";
import { type BucketReader, findCopy } from "./copies";
import type { Probe } from "./https-probe";

/** What a program needs from outside. */
export interface Surroundings {
  stack: string;
  /** Every config value as the engine gives it. */
  config: Record<string, string>;
  env: NodeJS.ProcessEnv;
  /** `secretsprovider` of the stack's file. */
  secretsProvider(): string | undefined;
  reader(): Promise<BucketReader>;
  /** Asks, for the standby, whether the primary still serves. */
  probe(): Promise<Probe>;
  /** Reads S3, for the standby in an account. */
  s3(account: string): Promise<BucketReader>;
}

/** Stack outputs. */
export type Outputs = Record<string, unknown>;

/**
 * Runs the role that the configuration picks.
 * @throws ConfigError before anything is created
 */
export async function program({
  stack,
  config: all,
  env,
  secretsProvider,
  reader,
  probe,
  s3: s3Of,
}: Surroundings): Promise<Outputs> {
  const config = parseConfig(all, stack);
  // Each role's program loads what it needs and no more: a preview starts faster.
  switch (config.role) {
    case "site": {
      const token = onePasswordToken(stack, env);
      if (config.restore) await lookUp(stack, config, await reader());
      return (await import("./site")).site(config, token);
    }
    case "vault":
      return (await import("./vault")).vault(config);
    case "foundation":
      return (await import("./foundation")).foundation(config);
    case "bootstrap":
      return (await import("./bootstrap")).bootstrap(config, stack);
    case "standby": {
      const { notShared } = await import("./standby-state");
      notShared(stack, { backend: env.PULUMI_BACKEND_URL, secretsProvider: secretsProvider() });
      const token = onePasswordToken(stack, env);
      const { notServed, notServing } = await import("./standby-primary");
      // Before the packages of AWS are loaded, which takes seconds: who is refused is told at once.
      await notServing(stack, config, await probe());
      const s3 = await s3Of(config.account);
      await notServed(stack, config, s3);
      const copy = await (await import("./standby-copies")).findStandbyCopy(stack, config, s3);
      return (await import("./standby")).standby(config, token, copy);
    }
  }
}

/** @throws ConfigError when it is not set */
function onePasswordToken(stack: string, env: NodeJS.ProcessEnv): string {
  const token = env.OP_SERVICE_ACCOUNT_TOKEN ?? env.ONEPASSWORD_TOKEN;
  if (token) return token;
  throw new ConfigError(stack, [
    "environment variable OP_SERVICE_ACCOUNT_TOKEN is not set: the clusters fetch every secret with it; set it to a 1Password service account token that may read the site's vault",
  ]);
}

/** Says which copy would be restored. @throws ConfigError when there is none, or it does not fit */
async function lookUp(stack: string, config: SiteConfig, reader: BucketReader): Promise<void> {
  const copy = await findCopy(stack, config, reader);
  const { log } = await import("@pulumi/pulumi");
  for (const { id, reason } of copy?.refused ?? [])
    await log.warn(`copy ${id} is passed over: ${reason}; find out who wrote its marker`);
  if (copy)
    await log.info(
      `restores copy ${copy.marker} of site "${copy.source}", unless it has begun with another: then that one`,
    );
}
