import assert from "node:assert/strict";
import { test } from "node:test";
import { maintenanceDays, maintenanceHours, maintenanceWindow } from "./maintenance";
import { schedules } from "./schedules";

test("up to three regions never share a day; a fourth begins again", () => {
  const days = [0, 1, 2].flatMap((position) => maintenanceDays(position));
  assert.equal(new Set(days).size, days.length);
  assert.deepEqual(maintenanceDays(3), maintenanceDays(0));
  assert.deepEqual(maintenanceDays(), ["SA", "SU"]);
});

test("no upgrade meets the night's backups", () => {
  // Media are copied all day if need be: the copy goes on after an upgrade.
  const { mediaReplication: _, verification: __, pruning: ___, ...night } = schedules;
  for (const { cron, startingDeadlineSeconds, activeDeadlineSeconds } of Object.values(night)) {
    const [minute, hour] = cron.split(" ").map(Number);
    const latestEnd = hour! + minute! / 60 + (startingDeadlineSeconds + activeDeadlineSeconds) / 3600;
    assert.ok(latestEnd <= maintenanceHours.start, `${cron} may run until ${latestEnd}:00`);
    assert.ok(hour! + 24 >= maintenanceHours.end);
  }
});

test("no upgrade of the vault's cluster meets what it does weekly", () => {
  const saturday = 6 * 24 + maintenanceHours.start;
  for (const { cron, startingDeadlineSeconds, activeDeadlineSeconds } of [schedules.verification, schedules.pruning]) {
    const [minute, hour, , , day] = cron.split(" ").map(Number);
    const latestEnd = day! * 24 + hour! + minute! / 60 + (startingDeadlineSeconds + activeDeadlineSeconds) / 3600;
    assert.ok(day! >= 1 && latestEnd <= saturday, `${cron} may run until hour ${latestEnd} of the week`);
  }
  assert.deepEqual(maintenanceDays(), ["SA", "SU"]);
});

test("a window says days and hours", () => {
  assert.deepEqual(maintenanceWindow(["MO", "TU"]), {
    startTime: "2026-01-03T08:00:00Z",
    endTime: "2026-01-03T16:00:00Z",
    recurrence: "FREQ=WEEKLY;BYDAY=MO,TU",
  });
});
