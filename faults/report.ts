/** What a fault matrix found: `reports/latest/<matrix>.json`, the table that a person reads, and the page of the docs. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import Table from "cli-table3";
import type { Fault } from "./fault";
import { beyond, type Choice, type Row } from "./run";

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
  /** Rows that had failed, or were missing, and were run again; absent or empty: none. */
  again?: string[];
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

/**
 * What is left to do of a matrix after its last report: rows that did not pass, rows that it does not have, and rows that
 * were measured under less than is asked for now (`--rate`, `--soak`, other bounds).
 * @param faults the whole matrix, in order
 */
export function unfinished({ rows }: Pick<MatrixReport, "rows">, faults: readonly Fault<never>[]): string[] {
  const holds = (fault: Fault<never>) =>
    rows.some(({ id, pass, measured }) => id === fault.id && pass && measured && !beyond(fault, measured));
  return faults.filter((fault) => !holds(fault)).map(({ id }) => id);
}

/** A report with rows that were run again in the place of what it had; in the order of the matrix. */
export function withAgain(report: MatrixReport, again: readonly Row[], ids: readonly string[]): MatrixReport {
  const rows = ids.flatMap(
    (id) => again.find((row) => row.id === id) ?? report.rows.find((row) => row.id === id) ?? [],
  );
  return {
    ...report,
    result: rows.length === ids.length && rows.every(({ pass }) => pass) ? "pass" : "fail",
    seconds: report.seconds + again.reduce((sum, { seconds }) => sum + seconds, 0),
    rows,
    again: [...new Set([...(report.again ?? []), ...again.map(({ id }) => id)])],
  };
}

/**
 * Name of a run's report. A part of a matrix has its own: a pass of some rows says nothing of the others, and those of the last
 * whole run stay as they were measured.
 */
export const reportName = (matrix: string, { small, only }: Choice): string =>
  small || only ? `${matrix}-part` : matrix;

const pathOf = (matrix: string): string => join(ROOT, "reports", "latest", `${matrix}.json`);

/** The last report of a matrix. @throws when there is none */
export function lastMatrix(matrix: string): MatrixReport {
  const path = pathOf(matrix);
  if (!existsSync(path))
    throw new Error(`there is no ${path} yet; run the whole matrix first, without --again, --only and --small`);
  return JSON.parse(readFileSync(path, "utf8")) as MatrixReport;
}

/** Writes the report; the folder is created. @returns its path */
export function writeMatrix(report: MatrixReport): string {
  const path = pathOf(report.matrix);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`);
  return path;
}

/** The row's line while the matrix runs. */
export function line({ pass, id, seconds, measured, failure }: Row): string {
  return `${pass ? "✔" : "✘"} ${id} (${seconds.toFixed(1)} s): ${failure ?? measured?.noticed}`;
}

const head = ["fault", "noticed", "alert", "recovered", "lost"];

/** What the longest id of a fault, an alert and a loss need with their padding; the sentences share what is left. */
const fixed = { fault: 27, alert: 24, lost: 10 };

/** Width of each column in a terminal of so many; undefined where sentences would be too narrow to read. */
export function columnWidths(columns: number): number[] | undefined {
  if (columns < 110) return undefined;
  const borders = head.length + 1;
  const left = columns - borders - fixed.fault - fixed.alert - fixed.lost;
  return [fixed.fault, Math.ceil(left / 2), fixed.alert, Math.floor(left / 2), fixed.lost];
}

/** The closing table and verdict; in a narrow terminal a block for each fault. */
export function matrixTable({ rows, result }: MatrixReport, columns: number): string {
  const cells = rows.map((row) => [
    `${row.pass ? "✔" : "✘"} ${row.id}`,
    row.measured?.noticed ?? row.failure ?? "",
    row.alert,
    row.measured?.recovered ?? "",
    row.measured ? lost(row.measured.lostSeconds) : "",
  ]);
  const colWidths = columnWidths(columns);
  const found = colWidths ? tableOf(cells, colWidths) : cells.map(block).join("\n");
  const failures = rows.filter(({ pass }) => !pass).map(({ id, failure }) => `${id}: ${failure}`);
  return [found, ...failures, result === "pass" ? `PASS       ${rows.length} faults` : "FAIL"].join("\n");
}

function tableOf(cells: string[][], colWidths: number[]): string {
  const table = new Table({ head, colWidths, wordWrap: true, style: { head: [], border: [] } });
  table.push(...cells);
  return table.toString();
}

function block([title = "", ...values]: string[]): string {
  const [, ...names] = head;
  const lines = names.map((name, index) => `  ${`${name}:`.padEnd(10)} ${values[index] ?? ""}`);
  return [title, ...lines, ""].join("\n");
}

/** A text of so many characters at most; one that was longer ends in an ellipsis. */
export function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

/** The matrix as a page of the docs, with the day it was measured. */
export function matrixPage(title: string, command: string, { rows, startedAt, again = [] }: MatrixReport): string {
  const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("\n", " ");
  const lines = rows.map((row) => {
    const { id, fault, rows: plan, alert, measured, pass, failure } = row;
    return [
      `**${id}**: ${fault}`,
      plan.join(", "),
      measured?.noticed ?? failure ?? "",
      alert.startsWith("none") ? alert : `[${alert}](alerts.md#${alert})`,
      measured?.recovered ?? "",
      figuresOf(row).join("<br>"),
      `${measured ? lost(measured.lostSeconds) : ""}${pass ? "" : " **not as promised**"}`,
    ]
      .map(cell)
      .join(" | ");
  });
  return [
    `# ${title}`,
    "",
    `Measured on the local cloud on ${startedAt.slice(0, 10)} by \`${command}\`, which writes this page with \`--page\`. Each row injects one fault into real parts;`,
    "it passes only when what the alert's condition names was seen, the data came back, and no more was lost than the plan allows. Where the fault was over before",
    "the alert's patience was, the row says so. Metrics of the cloud itself (machines, checkers) are not there locally: that they end is what the fault means.",
    "Column _plan_ names what is at stake: S1 to S8 are the plan's [systems](../plan/systems.ts), D1 to D5 its [disasters](../plan/objectives.ts);",
    '"none: it harms nothing" is where no alert is expected. Column _measured_ has what is bounded, with the least or most that is allowed in brackets.',
    ...(again.length > 0
      ? ["", `Run again alone, as they had not passed with the others: ${again.map((id) => `\`${id}\``).join(", ")}.`]
      : []),
    "",
    "fault | plan | noticed | alert | recovered | measured | lost",
    "--- | --- | --- | --- | --- | --- | ---",
    ...lines,
    "",
  ].join("\n");
}

/** Shown of a row that has them, bounded or not. */
const ALWAYS = ["failedAfterDetection", "recoverySeconds", "failureEndSeconds", "latencyAfterMs"];
const UNITS = { Seconds: " s", Ms: " ms", Percent: " %" } as const;

/** What was measured of a row, with what is allowed: `recovery 5.9 s (at most 10 s)`. */
export function figuresOf({
  expected,
  atLeast = {},
  measured,
}: Pick<Row, "expected" | "atLeast" | "measured">): string[] {
  const figures = measured?.figures;
  if (!figures) return [];
  const { lostSeconds: _, ...most } = expected;
  const names = new Set([...Object.keys(most), ...Object.keys(atLeast), ...ALWAYS.filter((name) => name in figures)]);
  return [...names].map((name) => {
    const unit = Object.entries(UNITS).find(([end]) => name.endsWith(end));
    const words = (unit ? name.slice(0, -unit[0].length) : name).replace(
      /[A-Z]/g,
      (letter) => ` ${letter.toLowerCase()}`,
    );
    const value = (figure: number | null | undefined) =>
      typeof figure === "number" ? `${Number(figure.toFixed(1))}${unit?.[1] ?? ""}` : "unknown";
    const allowed = [
      ...(name in most ? [`at most ${value(most[name])}`] : []),
      ...(name in atLeast ? [`at least ${value(atLeast[name])}`] : []),
    ];
    return `${words} ${value(figures[name])}${allowed.length > 0 ? ` (${allowed.join(", ")})` : ""}`;
  });
}

/** Also of a report that was read: JSON has no word for what was written after the fault. */
const lost = (seconds: number): string =>
  seconds === 0
    ? "nothing"
    : Number.isFinite(seconds)
      ? `${Math.round(seconds)} s`
      : "what was written after the fault";
