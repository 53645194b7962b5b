/** What the measurements of a restore mean. */
import Table from "cli-table3";

/** Least throughput of a copy step, as a share of what rclone alone reaches with the same files at the same place. */
export const BOUND_SHARE = 0.8;

/** What was measured, in seconds for `bytes` each. */
export interface RestoreSample {
  objects: number;
  bytes: number;
  /** The job that brings a copy into a site's bucket, start, checks and record included. */
  toBucket: number;
  /** rclone alone between the same buckets. */
  toBucketRaw: number;
  /** A copy brought onto a disk and each object held against the marker's list. */
  toDisk: number;
  /** rclone alone onto that disk. */
  toDiskRaw: number;
  /** Medusa's download into the node's folders. */
  medusa: number;
  /** From the server's start over the files until every row was read. */
  load: number;
}

/** Contents of reports/latest/bench-restore.json. */
export interface RestoreReport extends RestoreSample {
  result: "pass" | "fail";
  /** Throughput of rclone alone that is reached. */
  bucketShare: number;
  diskShare: number;
  bounds: { share: number };
}

/** Holds a restore against its bounds. */
export function summarizeRestore(sample: RestoreSample): RestoreReport {
  const [bucketShare, diskShare] = [sample.toBucketRaw / sample.toBucket, sample.toDiskRaw / sample.toDisk];
  const within = bucketShare >= BOUND_SHARE && diskShare >= BOUND_SHARE;
  return { result: within ? "pass" : "fail", ...sample, bucketShare, diskShare, bounds: { share: BOUND_SHARE } };
}

/** The report as a table. */
export function restoreTable(report: RestoreReport): string {
  const mib = report.bytes / 2 ** 20;
  const table = new Table({
    head: [`restore of ${mib.toFixed(0)} MiB in ${report.objects} objects`, "s", "MiB/s", "of rclone's", "bound"],
    style: { head: [], border: [] },
  });
  const row = (step: string, seconds: number, share?: number) =>
    table.push([
      step,
      seconds.toFixed(1),
      (mib / seconds).toFixed(0),
      share === undefined ? "" : `${(share * 100).toFixed(0)} %`,
      share === undefined ? "" : `${BOUND_SHARE * 100} %`,
    ]);
  row("from the copies into the site's bucket", report.toBucket, report.bucketShare);
  row("  rclone alone", report.toBucketRaw);
  row("from the copies onto a disk", report.toDisk, report.diskShare);
  row("  rclone alone", report.toDiskRaw);
  row("Medusa, from the bucket into the node", report.medusa);
  row("the node's start, every row read", report.load);
  return table.toString();
}
