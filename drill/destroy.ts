/** How a drill takes down what it made: a front end before the sites behind it, and the vault last. */
import type { Stack } from "@pulumi/pulumi/automation";
import { FOUNDATION, PROD, REBUILD, VAULT, vaultConfig } from "./config";
import { destroy, type Progress, setConfig, up } from "./workspace";

/** `pulumi destroy` of the foundation, the sites and the vault, which gives up its retention first; one that is not there is passed over. */
export async function destroySites(vault: Stack, progress: Progress): Promise<void> {
  for (const name of [FOUNDATION, REBUILD, PROD]) await destroy(name, progress);
  setConfig(VAULT, vaultConfig({ retentionDays: 0 }));
  await up(vault, progress);
  await destroy(VAULT, progress);
}
