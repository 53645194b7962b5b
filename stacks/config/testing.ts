/** Configurations for tests, keys without their namespace. */
import { siteConfig, vaultConfig } from "../../drill/config";
import { checkedSettings } from "../../tests/lib/stack-file";
import type { StackConfig } from ".";

/** Keys without namespace; one that is undefined is not set. */
export type Values = Record<string, unknown>;

/** A drill's site with changes. */
export const site = (change: Values = {}): Values => ({ ...siteConfig("drill-prod"), ...change });

/** A drill's vault with changes. */
export const vault = (change: Values = {}): Values => ({ ...vaultConfig({ retentionDays: 7 }), ...change });

/** A foundation in production with changes. */
export const foundation = (change: Values = {}): Values => ({
  role: "foundation",
  project: "iconik-foundation",
  deployer: "user:a@b",
  media: { location: "EU" },
  sites: [{ name: "prod", project: "iconik-prod" }],
  vault: { project: "iconik-vault" },
  notifications: [{ type: "email", address: "on-call@example.com" }],
  ...change,
});

/** The configuration as a stack's program checks it. @throws ConfigError */
export function parsed(values: Values, stack = "drill-prod"): StackConfig {
  const namespaced = Object.entries(values).map(([key, value]) => [`iconik-dr:${key}`, value] as const);
  return checkedSettings(Object.fromEntries(namespaced), stack);
}
