/** What goes over a wire arrives whole and in order, whatever the distance does meanwhile. */
import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Wire } from "./wire";

const CHUNKS = 2_000;

test("bytes arrive in the order in which they were sent, also while the distance changes", async () => {
  let received = "";
  const target = createServer((socket) => {
    socket.setEncoding("utf8").on("data", (text: string) => {
      received += text;
    });
  });
  await new Promise<void>((resolve) => target.listen(0, "127.0.0.1", resolve));
  const { port } = target.address() as { port: number };
  let asked = 0;
  const wire = await Wire.start({
    target: { host: "127.0.0.1", port },
    // Whole and broken milliseconds, which timers round.
    delayMs: () => [14, 13.999, 14.001, 2][asked++ % 4]!,
    open: () => true,
  });
  try {
    const socket = connect(wire.end);
    socket.setNoDelay(true);
    let sent = "";
    for (let chunk = 0; chunk < CHUNKS; chunk++) {
      sent += `${chunk} `;
      socket.write(`${chunk} `);
      if (chunk % 3 === 0) await sleep(0);
    }
    socket.end();
    for (let waited = 0; received.length < sent.length && waited < 10_000; waited += 20) await sleep(20);
    assert.equal(received, sent);
  } finally {
    await wire.close();
    target.close();
  }
});
