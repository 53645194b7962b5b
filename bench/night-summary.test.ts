import assert from "node:assert/strict";
import { test } from "node:test";
import { BOUND_MEMORY_MIB, type NightSample, nightTable, summarizeNight } from "./night-summary";

const night: NightSample = {
  objects: 100,
  changed: 1,
  bytes: 1000,
  copied: 3,
  copiedBytes: 50,
  seconds: 20,
  listingSeconds: 10,
  memoryMiB: 100,
  rcloneMiB: 50,
};
const result = (change: Partial<NightSample>) => summarizeNight({ ...night, ...change }).result;

test("a night passes at its bounds and fails beyond each", () => {
  assert.equal(result({}), "pass");
  assert.equal(result({ copiedBytes: 51 }), "fail");
  assert.equal(result({ seconds: 20.1 }), "fail");
  assert.equal(result({ memoryMiB: BOUND_MEMORY_MIB + 1 }), "fail");
  assert.throws(() => result({ copied: 0 }), /0 objects were copied of 1 that changed/);
  assert.match(nightTable(summarizeNight(night)), /5\.00 %.*\n.*\n.*20\.0 s of 10\.0 s/);
});
