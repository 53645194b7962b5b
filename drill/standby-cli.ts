/** `standby [--small] [--rows N] [--documents N] [--kills N] [--brief] [--bounded]`: runs the standby's drill; exit status 0 only if everything held. */
import { Command, InvalidArgumentError } from "commander";
import { MOST_DEATHS } from "./activation";
import { boundedBy, count, sizeOf } from "./cli-options";
import { summary, writeReport } from "./report";
import { standbyDrill } from "./standby";

function deaths(text: string): number {
  const value = count(text);
  if (value > MOST_DEATHS)
    throw new InvalidArgumentError(`"${text}" is more than ${MOST_DEATHS}: each death is at another place`);
  return value;
}

async function main(): Promise<void> {
  const command = new Command("standby")
    .description("Loses Google Cloud on the local cloud, serves from AWS and returns to a fresh site")
    .option("--brief", "a site of one region, and no way home")
    .option(
      "--kills <count>",
      `times that the activation is killed (-9) and repeated, ${MOST_DEATHS} at most`,
      deaths,
      0,
    );
  const within = boundedBy(command);
  const size = sizeOf(command);
  const { kills, brief } = command.opts<{ kills: number; brief?: boolean }>();
  const report = await standbyDrill({ size, kills, brief });
  // A brief one says nothing of the way home: the report of a whole one stays.
  const path = writeReport(report, brief ? "standby-brief" : "standby");
  console.log(`\n${summary(report)}\n${path}`);
  process.exit(report.result === "pass" && within(report) ? 0 : 1);
}

void main();
