/**
 * `faults night|traffic [--small] [--only ID]… [--again] [--page]` and `faults attack [--google] [--page]`: runs a matrix; exit status 0
 * only if every row held. A part (`--small`, `--only`) is reported beside the last whole run.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { writeReport } from "../drill/report";
import { addTools } from "../jobs/testing/tools";
import { attack } from "./attack";
import { attackPage, attackTable } from "./attack/report";
import { nightGroups } from "./night";
import {
  lastMatrix,
  line,
  type MatrixReport,
  matrixPage,
  matrixTable,
  reportName,
  reportOf,
  unfinished,
  withAgain,
  writeMatrix,
} from "./report";
import { type AnyGroup, type Choice, choose, faultsOf, idsOf, type Row, runFaults } from "./run";
import { trafficGroups } from "./traffic";
import { rates } from "./traffic/rows";

interface Options extends Choice {
  page?: boolean;
  /** Rows alone that the last report does not have as passed. */
  again?: boolean;
  /** Of the traffic matrix. */
  rate?: number;
  soak?: number;
}

const ROOT = join(__dirname, "..");

async function matrix(name: string, title: string, groups: readonly AnyGroup[], options: Options): Promise<number> {
  if (options.page) refusePart(options);
  addTools();
  const report = await measured(name, groups, options);
  const path = writeMatrix(report);
  if (options.page) writeFileSync(join(ROOT, "docs", `${name}.md`), matrixPage(title, `make ${name}`, report));
  console.log(`\n${matrixTable(report, process.stdout.columns || 146)}\n${path}`);
  return report.result === "pass" ? 0 : 1;
}

async function measured(
  name: string,
  groups: readonly AnyGroup[],
  { again, ...choice }: Options,
): Promise<MatrixReport> {
  const startedAt = new Date();
  const rows: Row[] = [];
  /** Each row is kept as soon as it is measured: a run that is stopped goes on with `--again`. */
  const run = (chosen: Choice, soFar: (rows: Row[]) => MatrixReport) =>
    runFaults(choose(groups, chosen), (row) => {
      console.log(line(row));
      rows.push(row);
      writeMatrix(soFar(rows));
    });
  if (again) {
    if (choice.small || choice.only) throw new Error("--again chooses the rows itself; leave --small and --only out");
    const last = lastMatrix(name);
    const merged = (done: Row[]) => withAgain(last, done, idsOf(groups));
    return merged(await run({ only: unfinished(last, faultsOf(groups)) }, merged));
  }
  const report = reportName(name, choice);
  const part = (done: Row[]): MatrixReport => ({ ...reportOf(report, startedAt, done), result: "fail" });
  return reportOf(report, startedAt, await run(choice, part));
}

/** A page says what the whole matrix found, under the load that is promised. */
function refusePart({ small, only, rate, soak }: Options): void {
  if (small || only) throw new Error("--page shows the whole matrix; leave --small and --only out");
  if (rate !== undefined || soak !== undefined)
    throw new Error("--page shows the load that the plan promises; leave --rate and --soak out");
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 10_000)) throw new InvalidArgumentError(`"${text}" is no number from 1 to 10000`);
  return value;
}

const collect = (id: string, before: string[] = []) => [...before, id];

const program = new Command("faults").description("Injects faults into the local cloud and says what became of them");
program
  .command("night")
  .description("Backups, copies, retention and restores")
  .option("--small", "the test suite's part")
  .option("--only <id>", "this row alone; may be repeated", collect)
  .option("--again", "only what the last report does not have as passed; the rest stays as it was measured")
  .option("--page", "write docs/faults-night.md")
  .action(async (options: Options) => {
    process.exitCode = await matrix("faults-night", "Faults of the night", nightGroups, options);
  });

program
  .command("traffic")
  .description("A site that serves users: pods, nodes, zones, clusters, regions and the ways between them")
  .option("--small", "the test suite's part")
  .option("--only <id>", "this row alone; may be repeated", collect)
  .option("--again", "only what the last report does not have as passed; the rest stays as it was measured")
  .option("--page", "write docs/faults.md")
  .option("--rate <count>", `requests per second under which a region is killed (default: ${rates.killed})`, positive)
  .option("--soak <seconds>", `load without a fault (default: ${rates.soakSeconds})`, positive)
  .action(async (options: Options) => {
    rates.killed = options.rate ?? rates.killed;
    rates.others = Math.min(rates.others, rates.killed);
    rates.soakSeconds = options.soak ?? rates.soakSeconds;
    process.exitCode = await matrix("faults", "Faults under traffic", trafficGroups, options);
  });

program
  .command("attack")
  .description("Every identity of both clouds tries everything at every bucket; production is wiped and comes back")
  .option("--google", "without the standby on AWS")
  .option("--page", "write docs/attack.md")
  .action(async ({ google, page }: { google?: boolean; page?: boolean }) => {
    if (google && page) throw new Error("--page shows both clouds; leave --google out");
    addTools();
    const report = await attack(!google);
    const path = writeReport(report, "attack");
    // A page of half a run would say that the rest is refused.
    if (page && report.result === "pass") writeFileSync(join(ROOT, "docs", "attack.md"), attackPage(report));
    console.log(`\n${attackTable(report)}\n${path}`);
    process.exitCode = report.result === "pass" ? 0 : 1;
  });

program.parseAsync().then(
  () => process.exit(),
  (error: Error) => {
    console.error(error.message);
    process.exit(1);
  },
);
