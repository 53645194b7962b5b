/** What each stack watches, and who hears of it. */
import type { Resource } from "@pulumi/pulumi";
import { Alerts } from "../components/alerts";
import { AuditLogs } from "../components/audit-logs";
import { JobRuns } from "../components/job-runs";
import { Notifications } from "../components/notifications";
import { Uptime } from "../components/uptime";
import {
  type FoundationScope,
  foundationAlerts,
  type SiteScope,
  siteAlerts,
  type VaultScope,
  vaultAlerts,
} from "../plan/alerts";
import { limits } from "../plan/limits";
import { appDomain, checkedPath } from "../plan/traffic";
import type { FoundationConfig, SiteConfig, VaultConfig } from "./config";

/** The vault's alerts. Its audit logs outlive what an attacker needs to be noticed. */
export function monitorVault({ project, notifications }: VaultConfig, scope: VaultScope, dependsOn: Resource[]): void {
  const { channels } = new Notifications("notifications", { project, notifications }, { dependsOn });
  new AuditLogs(
    "audit",
    {
      project,
      services: {
        "storage.googleapis.com": ["ADMIN_READ", "DATA_READ", "DATA_WRITE"],
        // Who acts as a restorer: covers the tokens of service accounts as well.
        "iam.googleapis.com": ["ADMIN_READ", "DATA_READ"],
      },
      retentionDays: limits.auditLogDays,
    },
    { dependsOn },
  );
  new JobRuns("job-runs", { project }, { dependsOn });
  new Alerts("alerts", { project, alerts: vaultAlerts, scope, channels }, { dependsOn });
}

/** A site's alerts about itself. */
export function monitorSite(
  { project, notifications }: SiteConfig,
  scope: SiteScope,
  restoring: boolean,
  dependsOn: Resource[],
): void {
  const { channels } = new Notifications("notifications", { project, notifications }, { dependsOn });
  new AuditLogs(
    "audit",
    { project, services: { "storage.googleapis.com": ["DATA_READ", "DATA_WRITE"] } },
    { dependsOn },
  );
  new JobRuns("job-runs", { project }, { dependsOn });
  new Alerts("alerts", { project, alerts: siteAlerts, scope, channels, restoring }, { dependsOn });
}

/** The foundation's alerts. Media have no data access logs: every request of every user would be one. */
export function monitorFoundation(
  { project, notifications }: FoundationConfig,
  mediaBuckets: FoundationScope["mediaBuckets"],
  dependsOn: Resource[],
): void {
  const { channels } = new Notifications("notifications", { project, notifications }, { dependsOn });
  new Uptime("uptime", { project, host: appDomain, path: checkedPath }, { dependsOn });
  new Alerts(
    "alerts",
    { project, alerts: foundationAlerts, scope: { mediaBuckets, host: appDomain }, channels },
    { dependsOn },
  );
}
