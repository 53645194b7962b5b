import assert from "node:assert/strict";
import { test } from "node:test";
import { type RestoreSample, restoreTable, summarizeRestore } from "./restore-summary";

const sample: RestoreSample = {
  objects: 12,
  bytes: 2 ** 30,
  toBucket: 10,
  toBucketRaw: 9,
  toDisk: 10,
  toDiskRaw: 8,
  medusa: 20,
  load: 30,
};

test("each copy step has at least 80 % of rclone's throughput", () => {
  const report = summarizeRestore(sample);
  assert.deepEqual([report.result, report.bucketShare, report.diskShare], ["pass", 0.9, 0.8]);
  assert.equal(summarizeRestore({ ...sample, toDisk: 10.1 }).result, "fail");
  assert.equal(summarizeRestore({ ...sample, toBucket: 12 }).result, "fail");
});

test("the table has the shares and the throughput of each step", () => {
  const text = restoreTable(summarizeRestore(sample));
  assert.match(text, /1024 MiB in 12 objects/);
  assert.match(text, /into the site's bucket\s+│ 10\.0 │ 102\s+│ 90 %\s+│ 80 %/);
});
