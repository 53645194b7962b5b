import assert from "node:assert/strict";
import { test } from "node:test";
import { median, peakKib, watchProgram } from "./measure";
import { type Sample, summarize, table } from "./summary";

test("the median is the middle", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.equal(median([7]), 7);
  assert.throws(() => median([]), /nothing/);
});

test("memory is the kernel's high-water mark", () => {
  assert.equal(peakKib("Name:\tnode\nVmPeak:\t  99 kB\nVmHWM:\t  2048 kB\n"), 2048);
  assert.equal(peakKib(""), 0);
  assert.equal(watchProgram(process.pid).stop(), 0, "this process runs no program");
});

const sample = (seconds: number, resources: number): Sample => ({ seconds, resources, cpuSeconds: 1, memoryMiB: 100 });

test("the bound is an empty program's preview and 20 ms for each resource", () => {
  const empty = [sample(2, 0), sample(4, 0), sample(3, 0)];
  const met = summarize(empty, { prod: { preview: [sample(5, 100)] } });
  assert.equal(met.stacks.prod?.boundSeconds, 5);
  assert.equal(met.stacks.prod?.perResourceMs, 20);
  assert.equal(met.result, "pass");
  const one = { preview: [sample(5, 100)], withPolicies: [sample(9, 100)] };
  const both = summarize(empty, { one, other: { preview: [sample(5.1, 100)] } });
  assert.equal(both.result, "fail", "one of them is beyond it");
  assert.equal(both.stacks.one?.withPolicies?.seconds, 9);
  assert.match(table(both), /one: 20 ms per resource, within.*\nother: 21 ms per resource, beyond/);
});

test("a preview without resources measures nothing", () => {
  assert.throws(
    () => summarize([sample(1, 0)], { prod: { preview: [sample(1, 0)] } }),
    /preview of prod showed no resource/,
  );
});
