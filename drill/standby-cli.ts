/** `standby [--small] [--rows N] [--documents N]`: runs the standby's drill; exit status 0 only if everything held. */
import { sizeOf } from "./cli-options";
import { summary, writeReport } from "./report";
import { standbyDrill } from "./standby";

async function main(): Promise<void> {
  const report = await standbyDrill(
    sizeOf("standby", "Loses Google Cloud on the local cloud, serves from AWS and returns to a fresh site"),
  );
  const path = writeReport(report, "standby");
  console.log(`\n${summary(report)}\n${path}`);
  process.exit(report.result === "pass" ? 0 : 1);
}

void main();
