import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { ElasticsearchError, elasticsearchOf, find } from "./elastic";

/** What the server was sent, a line a request. */
const seen: string[] = [];
const server = createServer(async (request, response) => {
  let body = "";
  for await (const part of request) body += part;
  seen.push(`${request.method} ${request.url} ${body}`);
  response.statusCode = request.url === "/absent" ? 404 : 200;
  response.end(request.url === "/text" ? "no braces" : "{}");
});
const call = () => elasticsearchOf({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });

before(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
after(() => server.close());

test("every method carries its body, and the connection serves the next request", async () => {
  const elasticsearch = call();
  const methods = ["GET", "PUT", "POST", "DELETE"] as const;
  for (const method of methods) await elasticsearch(method, "/with", { name: "ü" });
  for (const method of methods) await elasticsearch(method, "/without");
  assert.deepEqual(seen, [
    ...methods.map((method) => `${method} /with {"name":"ü"}`),
    ...methods.map((method) => `${method} /without `),
  ]);
});

test("what is not there is undefined, and what is no JSON an error", async () => {
  assert.equal(await find(call(), "/absent"), undefined);
  await assert.rejects(call()("GET", "/absent"), ElasticsearchError);
  await assert.rejects(call()("GET", "/text"), /no JSON: no braces/);
});
