/** Options that the drills have in common. */
import { type Command, InvalidArgumentError } from "commander";
import { type DrillSize, FULL, SMALL } from "./config";
import { FLOOR_BOUND } from "./floor";
import type { DrillReport } from "./report";

/** Parses the number of an option. @throws when it is none */
export function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 100_000_000) {
    throw new InvalidArgumentError(`"${text}" is no whole number from 1 to 100000000`);
  }
  return value;
}

/**
 * Adds `--bounded`, for a bench on a quiet machine: an RTO over its bound fails. Elsewhere the ratio is printed and fails nothing (ADR 38).
 * @returns asks, once the command line is read, whether a report is within what was asked for; says so when it is not
 */
export function boundedBy(command: Command): (report: DrillReport) => boolean {
  command.option("--bounded", `fails when the RTO is more than ${FLOOR_BOUND} times its floor`);
  return ({ floor }) => {
    if (!command.opts<{ bounded?: boolean }>().bounded) return true;
    if (floor !== null && floor.ratio <= floor.bound) return true;
    console.log(
      `the RTO is ${floor?.ratio.toFixed(2) ?? "not known beside a"} times its floor; ${FLOOR_BOUND} is allowed`,
    );
    return false;
  };
}

/** Reads the command line. Ends the process when it is wrong. @returns the size of the data set */
export function sizeOf(command: Command): DrillSize {
  const options = command
    .option("--small", `the data set of the test suite: ${SMALL.rows} rows, ${SMALL.documents} documents per region`)
    .option("--rows <count>", "Cassandra rows over all tables", count)
    .option("--documents <count>", "Elasticsearch documents in each region", count)
    .parse()
    .opts<{ small?: boolean; rows?: number; documents?: number }>();
  const base = options.small ? SMALL : FULL;
  return { rows: options.rows ?? base.rows, documents: options.documents ?? base.documents };
}
