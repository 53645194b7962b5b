import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { LoopbackNetworks, listeningNetworks } from "./networks";

test("two holders never get the same network, and a released one is free again", async () => {
  const [one, other] = [new LoopbackNetworks(), new LoopbackNetworks()];
  const [a, b] = [await one.take(), await other.take()];
  assert.notEqual(a, b);
  one.release(a);
  assert.equal(await other.take(), a);
  other.release(a);
  other.release(b);
});

test("a network that somebody listens on is passed over", async () => {
  const networks = new LoopbackNetworks();
  const free = await networks.take();
  networks.release(free);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, `127.${free}.7.7`, resolve));
  assert.ok(listeningNetworks().has(free));
  const next = await networks.take();
  assert.notEqual(next, free);
  networks.release(next);
  server.close();
});
