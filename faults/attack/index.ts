/** Runs the attack and says what became of it. */
import { phaseMinutes, SMALL } from "../../drill/config";
import { runWhole } from "../../drill/phases";
import type { PhaseTime } from "../../drill/report";
import { AttackDrill } from "./drill";
import { type AttackReport, countsOf } from "./report";

/** Runs it whole. Never rejects: a failure is in the report. @param withStandby AWS as well */
export async function attack(withStandby: boolean): Promise<AttackReport> {
  const startedAt = new Date();
  const phases: PhaseTime[] = [];
  const run = new AttackDrill(withStandby);
  let failure = await runWhole(run, phases, phaseMinutes(SMALL));
  const counts = countsOf(run.cells);
  if (!failure && counts.cells === 0) failure = "nothing was tried";
  const { restored } = run;
  return {
    result: failure === undefined ? "pass" : "fail",
    ...(failure !== undefined && { failure }),
    startedAt: startedAt.toISOString(),
    seconds: (Date.now() - startedAt.getTime()) / 1000,
    counts,
    wiped: run.wiped,
    restored: restored && {
      rows: restored.cassandra.found,
      documents: restored.elasticsearch.found,
      digestsMatch: restored.cassandra.digestsMatch && restored.elasticsearch.digestsMatch,
      media: run.mediaRestored,
    },
    phases,
    rows: run.cells,
  };
}
