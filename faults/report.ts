/** What a fault matrix found: `reports/latest/<matrix>.json`, the table that a person reads, and the page of the docs. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Table from "cli-table3";
import type { Row } from "./run";

const ROOT = join(__dirname, "..");

/** A run of a matrix. */
export interface MatrixReport {
  /** Name of the matrix and of its report, e.g. `faults-night`. */
  matrix: string;
  result: "pass" | "fail";
  /** ISO-8601, UTC. */
  startedAt: string;
  seconds: number;
  rows: Row[];
}

/** The report of rows that were run. No row at all is no pass. */
export function reportOf(matrix: string, startedAt: Date, rows: Row[]): MatrixReport {
  return {
    matrix,
    result: rows.length > 0 && rows.every(({ pass }) => pass) ? "pass" : "fail",
    startedAt: startedAt.toISOString(),
    seconds: (Date.now() - startedAt.getTime()) / 1000,
    rows,
  };
}

/** Writes the report; the folder is created. @returns its path */
export function writeMatrix(report: MatrixReport): string {
  const folder = join(ROOT, "reports", "latest");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${report.matrix}.json`);
  writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`);
  return path;
}

/** The row's line while the matrix runs. */
export function line({ pass, id, seconds, measured, failure }: Row): string {
  return `${pass ? "✔" : "✘"} ${id} (${seconds.toFixed(1)} s): ${failure ?? measured?.noticed}`;
}

/** The closing table and verdict. */
export function matrixTable({ rows, result }: MatrixReport): string {
  const table = new Table({
    head: ["fault", "noticed", "alert", "recovered", "lost"],
    colWidths: [26, 40, 24, 40, 10],
    wordWrap: true,
    style: { head: [], border: [] },
  });
  for (const row of rows)
    table.push([
      `${row.pass ? "✔" : "✘"} ${row.id}`,
      row.measured?.noticed ?? row.failure ?? "",
      row.alert,
      row.measured?.recovered ?? "",
      row.measured ? lost(row.measured.lostSeconds) : "",
    ]);
  const failures = rows.filter(({ pass }) => !pass).map(({ id, failure }) => `${id}: ${failure}`);
  return [table.toString(), ...failures, result === "pass" ? `PASS       ${rows.length} faults` : "FAIL"].join("\n");
}

/** The matrix as a page of the docs, with the day it was measured. */
export function matrixPage(title: string, command: string, { rows, startedAt }: MatrixReport): string {
  const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("\n", " ");
  const lines = rows.map(({ id, fault, rows: plan, alert, measured, pass }) =>
    [
      `**${id}**: ${fault}`,
      plan.join(", "),
      measured?.noticed ?? "",
      alert.startsWith("none") ? alert : `[${alert}](alerts.md#${alert})`,
      measured?.recovered ?? "",
      `${measured ? lost(measured.lostSeconds) : ""}${pass ? "" : " **not as promised**"}`,
    ]
      .map(cell)
      .join(" | "),
  );
  return [
    `# ${title}`,
    "",
    `Measured on the local cloud on ${startedAt.slice(0, 10)} by \`${command}\`, which writes this page with \`--page\`. Each row injects one fault into real parts;`,
    "it passes only when the fault was noticed by what the alert listens to, the data came back, and no more was lost than the plan allows.",
    "",
    "fault | plan | noticed | alert | recovered | lost",
    "--- | --- | --- | --- | --- | ---",
    ...lines,
    "",
  ].join("\n");
}

const lost = (seconds: number): string => (seconds === 0 ? "nothing" : `${Math.round(seconds)} s`);
