import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { guarded } from "./guarded";

test("work that ends in time ends as it does", async () => {
  await guarded(Promise.resolve(), 1);
  await assert.rejects(guarded(Promise.reject(new Error("it did not hold")), 1), { message: "it did not hold" });
});

test("work that hangs fails at its limit", async () => {
  await assert.rejects(guarded(new Promise(() => {}), 0.001), { message: "it did not end within 0.001 minutes" });
});

/** A process of the name of Pulumi's command line, which does this on an interrupt. */
async function update(onInterrupt: string) {
  const script = `printf pulumi > /proc/self/comm; trap '${onInterrupt}' INT; echo; for i in $(seq 400); do sleep 0.05; done`;
  const child = spawn("sh", ["-c", script], { stdio: ["ignore", "pipe", "ignore"] });
  const ended = once(child, "close");
  await once(child.stdout, "data");
  return { ended };
}

test("an update that hangs is interrupted and says what it waited for", async () => {
  const { ended } = await update("exit 7");
  const work = async () => {
    const [code] = await ended;
    throw new Error(`the update ended with ${code}: Cassandra was not ready`);
  };
  await assert.rejects(guarded(work(), 0.005, 1), {
    message: "it did not end within 0.005 minutes; the update ended with 7: Cassandra was not ready",
  });
});

test("an update that ends when it is interrupted was late all the same", async () => {
  const { ended } = await update("exit 0");
  await assert.rejects(
    guarded(
      ended.then(() => undefined),
      0.005,
      1,
    ),
    { message: "it did not end within 0.005 minutes; it ended when it was interrupted" },
  );
});

test("an update that hears no interrupt is killed", async () => {
  const { ended } = await update("");
  await assert.rejects(guarded(new Promise(() => {}), 0.005, 0.005), {
    message: "it did not end within 0.005 minutes",
  });
  const [, signal] = await ended;
  assert.equal(signal, "SIGKILL");
});
