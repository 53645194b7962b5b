/** `drill [--small] [--rows N] [--documents N] [--bounded]`: runs the drill; exit status 0 only if everything held. */
import { Command } from "commander";
import { boundedBy, sizeOf } from "./cli-options";
import { drill } from "./drill";
import { summary, writeReport } from "./report";

async function main(): Promise<void> {
  const command = new Command("drill").description(
    "Loses every region of a site on the local cloud and rebuilds it from the second copy",
  );
  const within = boundedBy(command);
  const report = await drill(sizeOf(command));
  const path = writeReport(report);
  console.log(`\n${summary(report)}\n${path}`);
  process.exit(report.result === "pass" && within(report) ? 0 : 1);
}

void main();
