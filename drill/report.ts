/** What a drill found, as `reports/latest/drill.json` and as the lines a person reads. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Table from "cli-table3";
import { describePath, type Step } from "./critical-path";
import type { FloorReport } from "./floor";
import { PROJECT_ROOT } from "./workspace";

export interface PhaseTime {
  name: string;
  /** ISO-8601, UTC. */
  startedAt: string;
  seconds: number;
}

/** What one table or index should hold and what was found in it. */
export interface Restored {
  name: string;
  expected: number;
  found: number;
  digestMatches: boolean;
}

export interface DrillReport {
  result: "pass" | "fail";
  /** Why it failed; absent when it passed. */
  failure?: string;
  restored: {
    cassandra: {
      expected: number;
      found: number;
      digestsMatch: boolean;
      tables: Restored[];
      replicas: Record<string, number[]>;
    };
    elasticsearch: { expected: number; found: number; digestsMatch: boolean; clusters: Restored[] };
  } | null;
  /** Attempts of every identity of the site on the second copies. */
  denied: { attempts: number; refused: number } | null;
  /** Secret values that were looked for outside of the clusters, and where one was found. */
  secrets: { values: number; scanned: number; bytes: number; found: number } | null;
  /** From the loss of the last region to the end of the `pulumi up` that rebuilt the site. */
  rtoSeconds: number | null;
  /** From the newest write that was restored to the loss. */
  rpoSeconds: number | null;
  /** What the RTO cannot be below, measured in the same run; `criticalPath` is what the rebuild waited for. */
  floor: FloorReport | null;
  criticalPath: Step[];
  phases: PhaseTime[];
  /** Peak of the memory in use above the least in use, in MiB. */
  peakMemoryMiB: number;
  leftovers: string[];
}

/** What the standby's drill found beside that. */
export interface StandbyReport extends DrillReport {
  /** Why an activation was refused while Google served; null: it was not asked for. */
  refusal: string | null;
  /** Where the activation was killed, in this order. */
  deaths: string[];
  /** Rows that were written while the standby served, and those of them that a fresh site has. */
  failback: { rowsWritten: number; rowsReturned: number } | null;
}

/** Writes a report; the folder is created. Returns its path. */
export function writeReport(report: object, name = "drill"): string {
  const folder = join(PROJECT_ROOT, "reports", "latest");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${name}.json`);
  writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`);
  return path;
}

const verdict = (match: boolean) => (match ? "digests match" : "DIGESTS DIFFER");

/** The closing lines: a table of phases, then what was restored, what was denied, RTO and RPO. */
export function summary(report: DrillReport & Partial<StandbyReport>): string {
  const table = new Table({
    head: ["phase", "seconds"],
    colAligns: ["left", "right"],
    style: { head: [], border: [] },
  });
  for (const phase of report.phases) table.push([phase.name, phase.seconds.toFixed(1)]);
  const lines = [table.toString(), ""];
  if (report.restored) {
    const { cassandra, elasticsearch } = report.restored;
    const perCluster = elasticsearch.clusters.map((cluster) => `${cluster.found}/${cluster.expected}`).join(" and ");
    lines.push(
      `restored   cassandra ${cassandra.found}/${cassandra.expected} rows in ${cassandra.tables.length} tables, ${verdict(cassandra.digestsMatch)}` +
        ` · elasticsearch ${elasticsearch.clusters.length} clusters, ${perCluster} documents, ${verdict(elasticsearch.digestsMatch)}`,
    );
  }
  if (report.denied)
    lines.push(`denied     ${report.denied.refused}/${report.denied.attempts} attempts on the second copies`);
  if (report.secrets) {
    const { values, scanned, bytes, found } = report.secrets;
    lines.push(
      `secrets    ${found} of ${values} found in ${scanned} files, objects and logs (${Math.round(bytes / 2 ** 20)} MiB)`,
    );
  }
  if (report.rtoSeconds !== null)
    lines.push(
      `RTO ${Math.round(report.rtoSeconds)} s · RPO ${report.rpoSeconds === null ? "unknown" : `${Math.round(report.rpoSeconds)} s`}`,
    );
  if (report.deaths?.length)
    lines.push(`killed     the activation, ${report.deaths.length} times: ${report.deaths.join(", ")}`);
  if (report.refusal) lines.push(`refused    an activation before the loss: ${report.refusal}`);
  if (report.failback)
    lines.push(
      `failback   ${report.failback.rowsReturned}/${report.failback.rowsWritten} rows that were written in AWS are in the fresh site`,
    );
  if (report.floor) lines.push(floorLine(report.floor));
  if (report.criticalPath.length > 0) lines.push(`waited for ${describePath(report.criticalPath)}`);
  lines.push(`memory     peak ${report.peakMemoryMiB} MiB`);
  if (report.leftovers.length) lines.push(`left over  ${report.leftovers.join("\n           ")}`);
  lines.push(report.result === "pass" ? "PASS" : `FAIL       ${report.failure}`);
  return lines.join("\n");
}

function floorLine({ ratio, bound, startSeconds, copySeconds, copyBytes }: FloorReport) {
  const copied = `${Math.round(copyBytes / 2 ** 20)} MiB in ${copySeconds.toFixed(1)} s`;
  return `floor      RTO is ${ratio.toFixed(2)} times (bound ${bound}) the start of the same site, ${Math.round(startSeconds)} s, and a raw copy of ${copied}`;
}
