/** `standby [--small] [--rows N] [--documents N] [--kills N] [--brief]`: runs the standby's drill; exit status 0 only if everything held. */
import { Command } from "commander";
import { count, sizeOf } from "./cli-options";
import { summary, writeReport } from "./report";
import { standbyDrill } from "./standby";

async function main(): Promise<void> {
  const command = new Command("standby")
    .description("Loses Google Cloud on the local cloud, serves from AWS and returns to a fresh site")
    .option("--brief", "a site of one region, and no way home")
    .option("--kills <count>", "times that the activation is killed (-9) and repeated", count, 0);
  const size = sizeOf(command);
  const report = await standbyDrill({ size, ...command.opts<{ kills: number; brief?: boolean }>() });
  const path = writeReport(report, "standby");
  console.log(`\n${summary(report)}\n${path}`);
  process.exit(report.result === "pass" ? 0 : 1);
}

void main();
