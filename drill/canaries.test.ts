/** What a drill calls its point of recovery, whatever the second of the minute in which the site is lost. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { pointOfRecovery } from "./canaries";

const at = (time: string) => new Date(`2026-11-30T${time}Z`);
const backedUp = at("04:00:20");
const lostAt = at("04:00:50").getTime();

test("the writes after the newest canary of the backup are lost", () => {
  assert.equal(pointOfRecovery(at("03:59:30"), { newest: at("04:00:30"), backedUp }, lostAt), 80);
});

test("a loss before the next canary takes none of them", () => {
  const newest = at("04:00:05");
  assert.equal(pointOfRecovery(newest, { newest, backedUp }, lostAt), 45);
});

test("a canary of the site that came back is none of the lost one's", () => {
  assert.throws(
    () => pointOfRecovery(at("04:01:30"), { newest: at("04:00:30"), backedUp }, lostAt),
    /none of the lost/,
  );
  assert.throws(
    () => pointOfRecovery(at("04:00:30"), { newest: at("04:00:30"), backedUp }, lostAt),
    /none of the lost/,
  );
});
