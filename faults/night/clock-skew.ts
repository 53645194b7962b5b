/**
 * The clock of the vault's machine is wrong (S2). A copy is named by it and `latest` goes by names: minutes may cost nothing, nor
 * hours ahead; hours behind, where last night's backups lie in the future, and more than a day ahead have to be noticed before they
 * name anything.
 */
import assert from "node:assert/strict";
import { backupName } from "../../plan/layout";
import { clockAhead } from "../clock-ahead";
import type { Fault } from "../fault";
import { cut } from "../report";
import {
  assertRestores,
  backUp,
  type CopiesStage,
  FILES,
  failed,
  markers,
  replicate,
  reset,
  succeeded,
} from "./copies-stage";

const MINUTE = 60;
const HOUR = 60 * MINUTE;

const told = (line: Record<string, unknown>) => cut(String(line.error ?? JSON.stringify(line)), 120);

export const clockSkew: Fault<CopiesStage> = {
  id: "clock-skew",
  fault: "the vault's clock is 4 minutes behind, 3 hours behind, 3 hours ahead, and 30 hours ahead",
  rows: ["S2", "D2"],
  alert: "vault-job-failed",
  mayLoseSeconds: 0,
  small: true,
  async inject(stage) {
    await reset(stage);
    await backUp(stage, backupName(new Date()), FILES + 1, 8);
    await succeeded(replicate(stage, {}, clockAhead(-4 * MINUTE)));
    const objects = await assertRestores(stage, "latest");
    const first = await markers(stage);
    await backUp(stage, backupName(new Date()), FILES + 2, 9);
    const behind = await failed(replicate(stage, {}, clockAhead(-3 * HOUR)), /future/);
    assert.deepEqual(await markers(stage), first, "a copy was named by a clock that is hours behind");
    await succeeded(replicate(stage, {}, clockAhead(3 * HOUR)));
    await assertRestores(stage, "latest");
    // A night later the clock is right: its copy has to be the latest, after the one that was named too late.
    await backUp(stage, backupName(new Date(Date.now() + 24 * HOUR * 1000)), FILES + 3, 10);
    await succeeded(replicate(stage, {}, clockAhead(24 * HOUR)));
    await assertRestores(stage, "latest");
    const before = await markers(stage);
    await backUp(stage, backupName(new Date(Date.now() + 24 * HOUR * 1000 + 60_000)), FILES + 4, 11);
    const line = await failed(replicate(stage, {}, clockAhead((24 + 30) * HOUR)), /old|hours|stale/i);
    assert.deepEqual(await markers(stage), before, "a copy was named by a clock that is a day off");
    return {
      noticed: `3 hours behind the backups are from the future (${told(behind)}); 30 hours ahead they are too old (${told(line)})`,
      signal: { kind: "log", command: "replicate", line },
      recovered: `4 minutes behind and 3 hours ahead the copy is the latest, and the next night's after it; ${objects} objects and more restored and compared each time`,
      lostSeconds: 0,
    };
  },
};
