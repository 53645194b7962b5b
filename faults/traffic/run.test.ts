/** What a run under load amounts to. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { findings } from "./findings";
import { healthLog } from "./health-log";
import { answered, succeeded, usersFor } from "./load";
import { mended, region } from "./run";

test("figures: failures before and after the detection, and what was acknowledged", () => {
  const at = (seconds: number, status: number, writes?: string) => ({ at: seconds * 1000, ms: 5, status, writes });
  const found = findings([at(1, 200, "a"), at(3, 504, "b"), at(4, 200, "c"), at(6, 0), at(7, 200)], 2000, 5000);
  assert.equal(found.failed, 2);
  assert.equal(found.failedAfterDetection, 1);
  assert.equal(found.detectionSeconds, 3);
  assert.equal(found.recoverySeconds, 4);
  assert.equal(found.darkSeconds, 3);
  const hung = { at: 2500, ms: 30_000, status: 504 };
  assert.equal(findings([hung, at(3, 503), at(7, 200)], 2000).failureEndSeconds, 30.5);
  assert.equal(findings([hung, at(3, 503), at(7, 200)], 2000).recoverySeconds, 1);
  assert.equal(findings([at(1, 200), at(2, 503), at(6, 503)], 2000).darkSeconds, 5);
  assert.deepEqual(
    found.acknowledged.map(({ id }) => id),
    ["a", "c"],
  );
  assert.equal(findings([], 0).recoverySeconds, 0);
  assert.equal(findings([], 0).failureEndSeconds, 0);
  assert.equal(findings([], 0).darkSeconds, 0);
  assert.ok(Number.isNaN(findings([], 0).slowedMs));
  const took = (seconds: number, ms: number) => ({ at: seconds * 1000, ms, status: 200 });
  assert.equal(
    findings([took(1, 3), took(1, 900), took(1, 4), took(3, 24), took(4, 5), took(5, 30)], 2000).slowedMs,
    20,
  );
});

test("failures are told by kind, the most frequent first", () => {
  const failed = (seconds: number, ms: number, error: string) => ({ at: seconds * 1000, ms, status: 504, error });
  const all = [failed(2, 30_000, "timeout"), failed(3, 5, "reset"), failed(4, 30_010, "timeout")];
  assert.deepEqual(findings(all, 2000).examples, [
    "2 from 0.0 s on: timeout after 30010 ms at most",
    "1 from 1.0 s on: reset after 5 ms at most",
  ]);
  const reset = (id: string, port: number) =>
    `Get "https://h/api/${id}": read tcp 127.0.3.1:${port}->127.0.0.1:443: EOF`;
  assert.deepEqual(findings([failed(2, 5, reset("a", 1)), failed(2, 6, reset("b", 2))], 2000).examples, [
    "2 from 0.0 s on: read tcp EOF after 6 ms at most",
  ]);
});

test("a search that finds nothing of what is there has failed", () => {
  const line = (body: string, url = "https://h/api/assets?q=load", code = 200) =>
    answered({
      ...{ timestamp: "2026-11-30T10:00:00Z", latency: 5e6, code, error: "", method: "GET", url, headers: null },
      body: Buffer.from(body).toString("base64"),
    });
  assert.ok(succeeded(line('{"assets":[{"id":"a","title":"load 3"}]}')));
  for (const body of ['{"assets":[]}', '{"assets":[{"title":"other"}]}', "", "<html>"]) {
    assert.ok(!succeeded(line(body)), body);
    assert.equal(line(body).error, "a search for what is there found nothing");
  }
  assert.ok(succeeded(line("{}", "https://h/api/assets/1")));
  assert.equal(line("no", undefined, 503).error, "no");
});

test("what was done is put back when it fails, and its own error is told", async () => {
  const log: string[] = [];
  const mend = async () => void log.push("mended");
  assert.equal(await mended(async () => 1, mend), 1);
  await assert.rejects(
    mended(() => Promise.reject(new Error("broke")), mend),
    /^Error: broke$/,
  );
  assert.deepEqual(log, ["mended", "mended"]);
  const stuck = () => Promise.reject(new Error("stuck"));
  await assert.rejects(
    mended(() => Promise.reject(new Error("broke")), stuck),
    /broke; .* not put back: stuck/,
  );
});

test("users stay below the limit of requests of an address", () => {
  assert.equal(usersFor(200), 14);
  assert.equal(usersFor(1), 1);
});

test("a region that nobody sees is neither healthy nor unhealthy", () => {
  assert.ok(!region("a", true)([]));
  assert.ok(!region("a", false)([]));
  const seen = [
    { region: "a", near: "a", healthy: true },
    { region: "a", near: "b", healthy: false },
  ];
  assert.ok(region("a", true, "a")(seen) && region("a", false, "b")(seen) && !region("a", true)(seen));
});

test("the log of health checks is read from a moment on, without a line that is half written", async () => {
  const dir = mkdtempSync(join(tmpdir(), "health-"));
  const path = join(dir, "health.log");
  assert.deepEqual(await healthLog(path, 0), []);
  const line = (timestamp: string, event: string) =>
    JSON.stringify({ timestamp, cluster_name: "app of p near b", locality: { region: "a" }, [event]: {} });
  const lines = [
    line("2026-11-25T10:00:00Z", "add_healthy_event"),
    line("2026-11-25T10:00:02Z", "degraded_healthy_host"),
    line("2026-11-25T10:00:03Z", "eject_unhealthy_event"),
  ];
  writeFileSync(path, `${lines.join("\n")}\n{"timest`);
  const since = Date.parse("2026-11-25T10:00:01Z");
  assert.deepEqual(await healthLog(path, since), [{ at: since + 2000, region: "a", near: "b", healthy: false }]);
  rmSync(dir, { recursive: true });
});
