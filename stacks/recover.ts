import type { Resource } from "@pulumi/pulumi";
import { TableRecovery } from "../components/table-recovery";
import type { SiteConfig } from "./config";
import type { Region } from "./region";

/**
 * Declares what is brought back in place (D3), each with a Job that `up` waits for. One that is done may stay in the
 * configuration: its record in the bucket says so.
 * @param dependsOn the stores, and the right to read the backups
 */
export function recover(config: SiteConfig, regions: Region[], dependsOn: Resource[]): void {
  for (const { kind: _, ...recovery } of config.recoveries) {
    const { cluster, accounts } = regions.find(({ datacenter }) => datacenter === recovery.datacenter)!;
    new TableRecovery(
      `recovery-${recovery.id}`,
      {
        ...defined(recovery),
        cluster,
        bucket: config.backups.bucket,
        image: config.images.jobs,
        mirror: config.images.mirror,
      },
      { dependsOn: [...accounts, ...dependsOn] },
    );
  }
}

/** Without the keys whose value is undefined. */
function defined<T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
