/** `drill [--small] [--rows N] [--documents N]`: runs the drill; exit status 0 only if everything held. */
import { Command, InvalidArgumentError } from "commander";
import { FULL, SMALL } from "./config";
import { drill } from "./drill";
import { summary, writeReport } from "./report";

function size(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 100_000_000) {
    throw new InvalidArgumentError(`"${text}" is no whole number from 1 to 100000000`);
  }
  return value;
}

const options = new Command("drill")
  .description("Loses every region of a site on the local cloud and rebuilds it from the second copy")
  .option("--small", `the data set of the test suite: ${SMALL.rows} rows, ${SMALL.documents} documents per region`)
  .option("--rows <count>", "Cassandra rows over all tables", size)
  .option("--documents <count>", "Elasticsearch documents in each region", size)
  .parse()
  .opts<{ small?: boolean; rows?: number; documents?: number }>();

async function main(): Promise<void> {
  const base = options.small ? SMALL : FULL;
  const report = await drill({ rows: options.rows ?? base.rows, documents: options.documents ?? base.documents });
  const path = writeReport(report);
  console.log(`\n${summary(report)}\n${path}`);
  process.exit(report.result === "pass" ? 0 : 1);
}

void main();
