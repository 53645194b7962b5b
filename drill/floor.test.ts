/** The raw copy beside which a restore is measured. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { overFloor, rawCopy } from "./floor";

async function withStorage(answer: (path: string) => [number, string], run: (endpoint: string) => Promise<void>) {
  const server = createServer((request, response) => {
    const [status, body] = answer(request.headers.authorization === "Bearer t" ? (request.url ?? "") : "stranger");
    response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await run(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test("every object of every page is read whole", async () => {
  const pages: Record<string, string> = {
    "/storage/v1/b/copies/o?prefix=prod%2F": JSON.stringify({ items: [{ name: "prod/a b" }], nextPageToken: "2" }),
    "/storage/v1/b/copies/o?prefix=prod%2F&pageToken=2": JSON.stringify({ items: [{ name: "prod/c" }] }),
    "/storage/v1/b/copies/o/prod%2Fa%20b?alt=media": "four",
    "/storage/v1/b/copies/o/prod%2Fc?alt=media": "seven!!",
  };
  await withStorage(
    (path) => (path in pages ? [200, pages[path]!] : [404, path]),
    async (endpoint) => {
      const { objects, bytes } = await rawCopy(endpoint, "t", "copies", "prod/");
      assert.deepEqual({ objects, bytes }, { objects: 2, bytes: 11 });
    },
  );
});

test("nothing there is nothing copied, and a refusal is none", async () => {
  await withStorage(
    () => [200, "{}"],
    async (endpoint) => assert.equal((await rawCopy(endpoint, "t", "copies", "prod/")).objects, 0),
  );
  await withStorage(
    (path) => (path === "stranger" ? [403, "no"] : [200, "{}"]),
    async (endpoint) => assert.rejects(rawCopy(endpoint, "x", "copies", "prod/"), /was answered 403: no/),
  );
});

test("the ratio counts the start and the copy", () => {
  assert.equal(overFloor(30, { startSeconds: 15, copySeconds: 5, copyBytes: 1 }), 1.5);
});
