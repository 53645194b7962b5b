import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { startTimeOf, waitUntil } from "../sandbox/lib/process";
import { killChildren, killTree } from "./kill-tree";

/** Is it there, and no corpse that nobody has fetched yet? */
const runs = (pid: number) => startTimeOf(pid) !== undefined;

/** A shell that has started another process, which it says. */
async function family() {
  const parent = spawn("sh", ["-c", "sleep 60 & echo $!; wait"], { stdio: ["ignore", "pipe", "ignore"] });
  const [line] = await once(parent.stdout, "data");
  return { parent, child: Number(String(line)) };
}

test("a process dies with what it started", async () => {
  const { parent, child } = await family();
  killTree(parent.pid!);
  const [, signal] = await once(parent, "close");
  assert.equal(signal, "SIGKILL");
  // Its pipe is closed a moment before the kernel says that it has ended.
  await waitUntil("its child's end", async () => !runs(child), { timeoutMs: 10_000 });
  killTree(parent.pid!);
});

test("children die by the name of their program, and no others", async () => {
  const { parent } = await family();
  assert.equal(killChildren("pulumi"), 0);
  assert.ok(runs(parent.pid!));
  assert.equal(killChildren("sh"), 1);
  await once(parent, "close");
});
