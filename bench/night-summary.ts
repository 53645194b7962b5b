/** What the measurements of a night mean. */
import Table from "cli-table3";

/** Greatest share of a full copy's bytes that a night with 1 % of changes moves. */
export const BOUND_BYTES = 0.05;
/** Greatest time of such a night, as a multiple of the listings it takes by rclone alone. */
export const BOUND_TIME = 2;
/** Greatest resident size of the job's own process in MiB, whatever the number of objects. */
export const BOUND_MEMORY_MIB = 300;

/** What was measured. */
export interface NightSample {
  objects: number;
  changed: number;
  /** Bytes of a full copy. */
  bytes: number;
  copied: number;
  copiedBytes: number;
  seconds: number;
  /** Both buckets listed twice by rclone alone. */
  listingSeconds: number;
  memoryMiB: number;
  /** All rclones of a moment together. */
  rcloneMiB: number;
}

/** Contents of reports/latest/bench-night.json. */
export interface NightReport extends NightSample {
  result: "pass" | "fail";
  bytesShare: number;
  timeRatio: number;
  bounds: { bytesShare: number; timeRatio: number; memoryMiB: number };
}

/** Holds a night against its bounds. @throws when it copied less than what changed: it measured nothing */
export function summarizeNight(sample: NightSample): NightReport {
  const { copied, changed, copiedBytes, bytes, seconds, listingSeconds, memoryMiB } = sample;
  if (copied < changed)
    throw new Error(`${copied} objects were copied of ${changed} that changed: nothing was measured`);
  const [bytesShare, timeRatio] = [copiedBytes / bytes, seconds / listingSeconds];
  const within = bytesShare <= BOUND_BYTES && timeRatio <= BOUND_TIME && memoryMiB <= BOUND_MEMORY_MIB;
  const bounds = { bytesShare: BOUND_BYTES, timeRatio: BOUND_TIME, memoryMiB: BOUND_MEMORY_MIB };
  return { result: within ? "pass" : "fail", ...sample, bytesShare, timeRatio, bounds };
}

/** The report as a table. */
export function nightTable(report: NightReport): string {
  const table = new Table({
    head: [`night of ${report.objects} objects, ${report.changed} changed`, "measured", "bound"],
  });
  const percent = (share: number) => `${(share * 100).toFixed(2)} %`;
  table.push(
    ["bytes of a full copy's", percent(report.bytesShare), percent(report.bounds.bytesShare)],
    [
      `time of the listings' (${report.seconds.toFixed(1)} s of ${report.listingSeconds.toFixed(1)} s)`,
      report.timeRatio.toFixed(2),
      report.bounds.timeRatio.toFixed(2),
    ],
    ["memory of the job, MiB", report.memoryMiB.toFixed(0), String(report.bounds.memoryMiB)],
    ["memory of its rclones together, MiB", report.rcloneMiB.toFixed(0), ""],
  );
  return table.toString();
}
