/** The proxy by which a machine here reaches public addresses. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { createServer as createTcpServer } from "node:net";
import { after, test } from "node:test";
import { servePublicProxy } from "./public-proxy";

const ends: (() => unknown)[] = [];
after(() => Promise.all(ends.map((end) => end())));

/** Asks a proxy for a way; returns its status, and what says the other end once it has heard a word. */
async function connect(endpoint: string, way: string): Promise<{ status: number; heard?: string }> {
  const { hostname, port } = new URL(endpoint);
  const asked = request({ host: hostname, port, method: "CONNECT", path: way }).end();
  const [response, socket] = (await once(asked, "connect")) as [{ statusCode: number }, Socket];
  if (response.statusCode !== 200) return { status: response.statusCode };
  socket.write("hello");
  const [heard] = await once(socket, "data");
  socket.destroy();
  return { status: 200, heard: String(heard) };
}

test("an address leads to what stands for it here, while somebody does", async () => {
  const echo = createTcpServer((socket) => socket.on("error", () => undefined).pipe(socket));
  await once(echo.listen(0, "127.0.0.1"), "listening");
  ends.push(() => echo.close());
  const { port } = echo.address() as AddressInfo;
  let lost = false;
  const proxy = await servePublicProxy(async (address, at) =>
    !lost && address === "198.51.100.7" && at === 443 ? { host: "127.0.0.1", port } : undefined,
  );
  ends.push(proxy.close);
  assert.deepEqual(await connect(proxy.endpoint, "198.51.100.7:443"), { status: 200, heard: "hello" });
  for (const other of ["198.51.100.7:80", "198.51.100.8:443", "app.example.com:443", "198.51.100.7"])
    assert.deepEqual(await connect(proxy.endpoint, other), { status: 502 }, other);
  lost = true;
  assert.deepEqual(await connect(proxy.endpoint, "198.51.100.7:443"), { status: 502 });
});

test("what does not take connections is reached by nobody, and is no reason to end", async () => {
  const proxy = await servePublicProxy(async (address) => {
    if (address === "198.51.100.9") throw new Error("nobody knows");
    return { host: "127.254.254.254", port: 9 };
  });
  ends.push(proxy.close);
  for (const way of ["198.51.100.7:443", "198.51.100.9:443"])
    assert.deepEqual(await connect(proxy.endpoint, way), { status: 502 });
});
