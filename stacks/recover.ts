import type { Resource } from "@pulumi/pulumi";
import { IndexRecovery } from "../components/index-recovery";
import { TableRecovery } from "../components/table-recovery";
import type { SiteConfig } from "./config";
import type { Region } from "./region";

/**
 * Declares what is brought back in place (D3), each with a Job that `up` waits for. One that is done may stay in the
 * configuration: its record in the bucket says so.
 * @param dependsOn the stores, and the right to read the backups
 */
export function recover(config: SiteConfig, regions: Region[], dependsOn: Resource[]): void {
  for (const recovery of config.recoveries) {
    const region = regions.find(({ datacenter }) => datacenter === recovery.datacenter)!;
    const name = `recovery-${recovery.id}`;
    const common = { cluster: region.cluster, bucket: config.backups.bucket, image: config.images.jobs };
    const first = [...region.accounts, ...dependsOn];
    if (recovery.kind === "index") {
      const { kind: _, ...rest } = recovery;
      new IndexRecovery(name, { ...defined(rest), ...common }, { dependsOn: [region.elasticsearch, ...first] });
    } else {
      const { kind: _, ...rest } = recovery;
      const args = { ...defined(rest), ...common, mirror: config.images.mirror };
      new TableRecovery(name, args, { dependsOn: first });
    }
  }
}

/** Without the keys whose value is undefined. */
function defined<T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
