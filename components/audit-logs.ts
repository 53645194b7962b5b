import * as gcp from "@pulumi/gcp";
import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";

/** Log types beyond admin activity, which is always written. */
type LogType = "ADMIN_READ" | "DATA_READ" | "DATA_WRITE";

/** Arguments of {@link AuditLogs}. */
export interface AuditLogsArgs {
  project: string;
  /** Data access logs by service; authoritative for each. */
  services: Record<string, LogType[]>;
  /** Days that the project's logs are kept. Default: Google's 30. */
  retentionDays?: number;
}

/**
 * Data access logs: who read, wrote or was refused what (D5). Nobody is exempted: what is stolen is an identity whose
 * traffic looks ordinary.
 */
export class AuditLogs extends ComponentResource {
  constructor(name: string, args: AuditLogsArgs, opts?: ComponentResourceOptions) {
    super("iconik:monitoring:AuditLogs", name, {}, opts);
    for (const [service, types] of Object.entries(args.services)) {
      new gcp.projects.IAMAuditConfig(
        `${name}-${service.split(".")[0]}`,
        { project: args.project, service, auditLogConfigs: types.map((logType) => ({ logType })) },
        { parent: this },
      );
    }
    if (args.retentionDays !== undefined) {
      new gcp.logging.ProjectBucketConfig(
        `${name}-default`,
        { project: args.project, location: "global", bucketId: "_Default", retentionDays: args.retentionDays },
        { parent: this },
      );
    }
    this.registerOutputs({});
  }
}
