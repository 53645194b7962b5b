/** `dr-jobs <command>`: what CronJobs and restore Jobs run. Configuration: environment variable DR_CONFIG, see config.ts. */
import { FINAL_EXIT_CODE, type JobCommand, type JobConfig, jobCommands, readJobConfig } from "./config";
import { type Fields, JobError, log, summary } from "./lib/log";
import { stopCopies } from "./lib/rclone";
import { isStopping, stop } from "./lib/stop";

// Only the job that is started is loaded: what others import, such as the client of a database, takes longer than many a job.
const jobs: { [C in JobCommand]: (config: JobConfig<C>) => Promise<Fields> } = {
  "snapshot-cassandra": async (config) => (await import("./snapshot-cassandra")).snapshotCassandra(config),
  "snapshot-elasticsearch": async (config) => (await import("./snapshot-elasticsearch")).snapshotElasticsearch(config),
  "prepare-canary": async (config) => (await import("./prepare-canary")).prepareCanary(config),
  canary: async (config) => (await import("./canary")).canary(config),
  replicate: async (config) => (await import("./replicate")).replicate(config),
  "replicate-media": async (config) => (await import("./replicate-media")).replicateMedia(config),
  "restore-media": async (config) => (await import("./restore-media")).restoreMedia(config),
  "verify-copy": async (config) => (await import("./verify-copy")).verifyCopy(config),
  "copy-to-s3": async (config) => (await import("./copy-to-s3")).copyToS3(config),
  "copy-media-to-s3": async (config) => (await import("./copy-media-to-s3")).copyMediaToS3(config),
  "copy-states-to-s3": async (config) => (await import("./copy-states-to-s3")).copyStatesToS3(config),
  "return-backups": async (config) => (await import("./return-backups")).returnBackups(config),
  "return-media": async (config) => (await import("./return-media")).returnMedia(config),
  prune: async (config) => (await import("./prune")).prune(config),
  "restore-copy": async (config) => (await import("./restore-copy")).restoreCopy(config),
  "restore-cassandra": async (config) => (await import("./restore-cassandra")).restoreCassandra(config),
  "restore-elasticsearch": async (config) => (await import("./restore-elasticsearch")).restoreElasticsearch(config),
  "restore-index": async (config) => (await import("./restore-index")).restoreIndex(config),
  "restore-table": async (config) => (await import("./restore-table")).restoreTable(config),
  "restore-table-check": async (config) => (await import("./restore-table-check")).restoreTableCheck(config),
  freshness: async (config) => (await import("./freshness")).freshness(config),
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
