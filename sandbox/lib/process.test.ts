import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { pauseTree, waitUntil } from "./process";

const stateOf = (pid: number) => /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1];

test("a process and what it started stand still together, and go on", async () => {
  const parent = spawn("sh", ["-c", "sleep 60 & echo $!; wait"], { stdio: ["ignore", "pipe", "ignore"] });
  const pid = parent.pid ?? 0;
  const child = await new Promise<number>((resolve) => parent.stdout.once("data", (text) => resolve(Number(text))));
  pauseTree(pid, true);
  await waitUntil("both to stand", async () => [pid, child].every((each) => stateOf(each) === "T"), {
    timeoutMs: 5000,
  });
  pauseTree(pid, false);
  await waitUntil("both to go on", async () => [pid, child].every((each) => stateOf(each) === "S"), {
    timeoutMs: 5000,
  });
  process.kill(child, "SIGKILL");
  await new Promise((resolve) => parent.once("exit", resolve));
  assert.doesNotThrow(() => pauseTree(pid, true));
});
