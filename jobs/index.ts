/** `dr-jobs <command>`: what CronJobs and restore Jobs run. Configuration: environment variable DR_CONFIG, see config.ts. */
import { canary } from "./canary";
import { FINAL_EXIT_CODE, type JobCommand, type JobConfig, jobCommands, readJobConfig } from "./config";
import { copyMediaToS3 } from "./copy-media-to-s3";
import { copyStatesToS3 } from "./copy-states-to-s3";
import { copyToS3 } from "./copy-to-s3";
import { freshness } from "./freshness";
import { type Fields, JobError, log, summary } from "./lib/log";
import { stopCopies } from "./lib/rclone";
import { isStopping, stop } from "./lib/stop";
import { prepareCanary } from "./prepare-canary";
import { prune } from "./prune";
import { replicate } from "./replicate";
import { replicateMedia } from "./replicate-media";
import { restoreCassandra } from "./restore-cassandra";
import { restoreCopy } from "./restore-copy";
import { restoreElasticsearch } from "./restore-elasticsearch";
import { restoreIndex } from "./restore-index";
import { restoreMedia } from "./restore-media";
import { restoreTable } from "./restore-table";
import { restoreTableCheck } from "./restore-table-check";
import { returnBackups } from "./return-backups";
import { returnMedia } from "./return-media";
import { snapshotCassandra } from "./snapshot-cassandra";
import { snapshotElasticsearch } from "./snapshot-elasticsearch";
import { verifyCopy } from "./verify-copy";

const jobs: { [C in JobCommand]: (config: JobConfig<C>) => Promise<Fields> } = {
  "snapshot-cassandra": snapshotCassandra,
  "snapshot-elasticsearch": snapshotElasticsearch,
  "prepare-canary": prepareCanary,
  canary,
  replicate,
  "replicate-media": replicateMedia,
  "restore-media": restoreMedia,
  "verify-copy": verifyCopy,
  "copy-to-s3": copyToS3,
  "copy-media-to-s3": copyMediaToS3,
  "copy-states-to-s3": copyStatesToS3,
  "return-backups": returnBackups,
  "return-media": returnMedia,
  prune,
  "restore-copy": restoreCopy,
  "restore-cassandra": restoreCassandra,
  "restore-elasticsearch": restoreElasticsearch,
  "restore-index": restoreIndex,
  "restore-table": restoreTable,
  "restore-table-check": restoreTableCheck,
  freshness,
};

// Google's library asks whether it runs there, gives up after a moment and then says that there are no credentials: a pod's metadata
// server may take longer to answer at first. Where a file says who the pod is, the library never asks.
process.env.METADATA_SERVER_DETECTION ??= "assume-present";

function isCommand(text: string | undefined): text is JobCommand {
  return jobCommands.some((command) => command === text);
}

async function run<C extends JobCommand>(command: C): Promise<Fields> {
  return jobs[command](readJobConfig(command));
}

async function main(): Promise<number> {
  const command = process.argv[2];
  const startedAt = Date.now();
  if (!isCommand(command)) {
    const allowed = jobCommands.join(", ");
    summary(command ?? "", "failed", startedAt, { error: `unknown command "${command ?? ""}"`, allowed });
    return 2;
  }
  try {
    summary(command, "ok", startedAt, await run(command));
    return 0;
  } catch (error) {
    const details: JobError["details"] = error instanceof JobError ? error.details : {};
    summary(command, "failed", startedAt, {
      error: error instanceof Error ? error.message : String(error),
      ...details,
    });
    return details.final ? FINAL_EXIT_CODE : 1;
  }
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.on(signal, () => {
    // Told again, the last act's own copies go on.
    if (isStopping()) return;
    stopCopies();
    void stop((error) => log("ended without its last act", { severity: "ERROR", error: error.message })).then(() =>
      process.exit(143),
    );
  });
}

void main().then((code) => {
  if (isStopping()) return;
  stopCopies();
  // Exits even when a client keeps a connection open.
  process.stdout.write("", () => process.exit(code));
});
