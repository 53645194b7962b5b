/** Canaries: what they make in the stores, and the writer as its own process between a search cluster and no Cassandra. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer as createHttp, type IncomingMessage } from "node:http";
import { createServer as createHttps } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "cassandra-driver";
import { generate } from "selfsigned";
import { canary, canaryDay, canaryMetric } from "../plan/canary";
import { copyTiers, retention } from "../plan/retention";
import { freePort } from "../sandbox/lib/process";
import { jobConfig } from "./config";
import { canaryRole, canarySchema, newestDocument, prepareCassandra, prepareIndex } from "./lib/canaries";
import { type Elasticsearch, ElasticsearchError } from "./lib/elastic";
import { startJob } from "./testing/job";

/** A Cassandra that keeps a keyspace's replication and remembers statements. */
function ring(replication?: Record<string, string>) {
  const statements: string[] = [];
  const client = {
    async execute(query: string) {
      if (query.startsWith("SELECT replication"))
        return { first: () => ({ replication: { class: "…NetworkTopologyStrategy", ...replication } }) };
      statements.push(query);
      return {};
    },
  } as unknown as Client;
  return { client, statements };
}
const role = { username: `ca"nary`, password: "it's" };

test("canaries outlive every backup that can be restored", () => {
  assert.ok(canary.keepDays >= retention.copiesDays + retention.copiesSoftDeleteDays);
  assert.ok(canary.keepDays >= 31 * copyTiers.monthly + retention.copiesSoftDeleteDays, "the oldest monthly copy");
  const [keyspace, table, alter] = canarySchema(["emea", "amer"], 3);
  assert.match(keyspace!, /'emea': '3', 'amer': '3'/);
  assert.match(table!, new RegExp(`default_time_to_live = ${canary.keepDays * 86400} `));
  assert.match(alter!, new RegExp(`^ALTER TABLE dr.canary WITH default_time_to_live = ${canary.keepDays * 86400}$`));
  assert.equal(canaryDay(new Date("2026-01-15T23:59:59.999Z")), "2026-01-15");
});

test("the role writes one table, reads nothing, and its name and password cannot end the statement", () => {
  const statements = canaryRole(role.username, role.password);
  assert.ok(statements.every((each) => each.includes('"ca""nary"')));
  assert.ok(statements.some((each) => each.includes("PASSWORD = 'it''s'")));
  assert.deepEqual(
    statements.filter((each) => each.startsWith("GRANT")),
    [`GRANT MODIFY ON TABLE dr.canary TO "ca""nary"`],
  );
});

test("a region that joined or left changes the keyspace, a second run does not", async () => {
  const same = ring({ emea: "3", amer: "3" });
  assert.equal(await prepareCassandra(same.client, ["amer", "emea"], 3, role), false);
  assert.ok(!same.statements.some((each) => each.startsWith("ALTER KEYSPACE")));
  const others: Record<string, string>[] = [
    { emea: "3" },
    { emea: "3", amer: "2" },
    { emea: "3", amer: "3", apac: "3" },
    {},
  ];
  for (const has of others) {
    const other = ring(has);
    assert.equal(await prepareCassandra(other.client, ["emea", "amer"], 3, role), true, JSON.stringify(has));
    assert.ok(
      other.statements.includes(
        "ALTER KEYSPACE dr WITH replication = {'class': 'NetworkTopologyStrategy', 'emea': '3', 'amer': '3'}",
      ),
    );
  }
});

test("an index that is there is left alone; none, or an empty one, has no newest canary", async () => {
  const refused =
    (status: number, body: string): Elasticsearch =>
    async () => {
      throw new ElasticsearchError(status, "PUT /dr-canary", body);
    };
  await prepareIndex(refused(400, "resource_already_exists_exception"));
  await assert.rejects(prepareIndex(refused(403, "security_exception")), /403/);
  assert.equal(await newestDocument(refused(404, "index_not_found_exception")), null);
  const empty = (async () => ({ hits: { hits: [] } })) as Elasticsearch;
  assert.equal(await newestDocument(empty), null);
  const found = (async () => ({ hits: { hits: [{ _source: { at: "2026-01-15T01:00:00.000Z" } }] } })) as Elasticsearch;
  assert.equal(await newestDocument(found), "2026-01-15T01:00:00.000Z");
});

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "canary-"));
});
after(() => rm(folder, { recursive: true, force: true }));

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

test("each store's success is its own; a new password and authority are taken up", async () => {
  const certificate = () =>
    generate([{ name: "commonName", value: "search" }], {
      extensions: [{ name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] }],
    });
  let pem = await certificate();
  let password = "first";
  const seen: string[] = [];
  let refused = 0;
  const answer = (request: IncomingMessage) => {
    const given = Buffer.from(request.headers.authorization?.slice(6) ?? "", "base64").toString();
    seen.push(`${request.method} ${request.url?.split("?")[0]}`);
    if (given === `canary:${password}`) return { status: 200, body: `{"hits":{"hits":[{"_id":"7"}]}}` };
    refused++;
    return { status: 401, body: "{}" };
  };
  const search = createHttps({ key: pem.private, cert: pem.cert }, (request, response) => {
    const { status, body } = answer(request);
    response.writeHead(status).end(body);
  });
  const kube = createHttp((request, response) => {
    assert.equal(request.url, "/api/v1/namespaces/elasticsearch/secrets/authority");
    const data = { "ca.crt": Buffer.from(pem.cert).toString("base64") };
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ kind: "Secret", data }));
  });
  const [searchPort, kubePort, port] = [await listen(search), await listen(kube), await freePort()];
  const file = async (name: string, content: string) => {
    await writeFile(join(folder, name), content);
    return join(folder, name);
  };
  const kubeconfig = await file(
    "kubeconfig",
    JSON.stringify({
      clusters: [{ name: "c", cluster: { server: `http://127.0.0.1:${kubePort}`, "insecure-skip-tls-verify": true } }],
      users: [{ name: "u", user: {} }],
      contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
      "current-context": "x",
    }),
  );
  const credentials = {
    usernameFile: await file("username", "canary\n"),
    passwordFile: await file("password", "first\n"),
  };
  const job = await startJob(
    "canary",
    jobConfig("canary", {
      datacenter: "emea",
      cql: { contactPoints: ["127.0.0.1"], port: await freePort(), ...credentials },
      elasticsearch: {
        url: `https://127.0.0.1:${searchPort}`,
        ...credentials,
        authority: { namespace: "elasticsearch", secret: "authority" },
      },
      port,
      everySeconds: 0.2,
    }),
    { KUBECONFIG: kubeconfig, POD_IP: "127.0.0.1" },
  );
  const last = async (store: string) => {
    const text = await fetch(`http://127.0.0.1:${port}/metrics`).then(
      (response) => response.text(),
      () => "",
    );
    return Number(new RegExp(`^${canaryMetric}\\{store="${store}",datacenter="emea"\\} (\\S+)`, "m").exec(text)?.[1]);
  };
  const until = async (what: string, holds: () => Promise<boolean>) => {
    for (let tries = 0; tries < 600; tries++) {
      if (await holds()) return;
      await sleep(100);
    }
    throw new Error(`not seen: ${what}; the job's log: ${JSON.stringify(seen)}`);
  };
  try {
    await until("a first canary", async () => (await last("elasticsearch")) > Date.now() / 1000 - 5);
    assert.equal(await last("cassandra"), 0, "no Cassandra is there");
    assert.ok(seen.includes("PUT /dr-canary") && seen.includes("DELETE /dr-canary/_doc/7"));
    password = "second";
    await until("a refusal", async () => refused > 0);
    const stopped = await last("elasticsearch");
    await until("more refusals", async () => refused > 2);
    assert.equal(await last("elasticsearch"), stopped, "what is refused does not count");
    await file("password", "second\n");
    await until("a canary with the new password", async () => (await last("elasticsearch")) > stopped);
    pem = await certificate();
    search.setSecureContext({ key: pem.private, cert: pem.cert });
    search.closeAllConnections();
    const renewed = Date.now() / 1000;
    await until("a canary with the new certificate", async () => (await last("elasticsearch")) > renewed);
  } finally {
    job.child.kill("SIGTERM");
    const { lines } = await job.done;
    search.close();
    kube.close();
    assert.ok(lines.some(({ severity, store }) => severity === "ERROR" && store === "cassandra"));
    assert.ok(!JSON.stringify(lines).includes("second"));
  }
});
