import assert from "node:assert/strict";
import { test } from "node:test";
import { type Keyspace, keyspacesOf, replicationProblems, unread } from "./replication";

const NTS = "org.apache.cassandra.locator.NetworkTopologyStrategy";
const keyspace = (replicas: Record<string, string>, strategy = NTS): Keyspace => ({
  name: "k",
  replication: { class: strategy, ...replicas },
});
const problems = (of: Keyspace, strict = false) => replicationProblems([of], ["emea", "amer"], 2, strict);

test("a dump's keyspaces are found, Cassandra's own left out", () => {
  const dump = `
CREATE KEYSPACE system_auth WITH replication = {'class': 'NetworkTopologyStrategy', 'emea': '3'}  AND durable_writes = true;
CREATE KEYSPACE files WITH replication = {'class': 'NetworkTopologyStrategy', 'amer': '3', 'emea': '2'}  AND durable_writes = true;
CREATE TABLE files.a (id int PRIMARY KEY) WITH comment = 'CREATE KEYSPACE x';
CREATE KEYSPACE "Odd name" WITH replication = {'class': 'SimpleStrategy', 'replication_factor': '1'} AND durable_writes = true;`;
  assert.deepEqual(keyspacesOf(dump), [
    { name: "files", replication: { class: "NetworkTopologyStrategy", amer: "3", emea: "2" } },
    { name: "Odd name", replication: { class: "SimpleStrategy", replication_factor: "1" } },
  ]);
  assert.deepEqual(keyspacesOf(""), []);
});

test("numbers may stand without quotes", () => {
  const dump = "CREATE KEYSPACE k WITH replication = {'class': 'NetworkTopologyStrategy', 'emea': 3, 'amer': 2};";
  assert.deepEqual(keyspacesOf(dump)[0]?.replication, { class: "NetworkTopologyStrategy", emea: "3", amer: "2" });
});

test("a keyspace whose statement is not understood is named, once, unless it is Cassandra's own", () => {
  const tables = ["files", "odd", "odd", "system_auth"].map((name) => ({ keyspace: name }));
  assert.deepEqual(unread(tables, [{ name: "files", replication: {} }]), [
    "odd has replication that could not be read",
  ]);
  assert.deepEqual(unread([], []), []);
});

test("enough replicas everywhere are fine, also with a datacenter that is being drained", () => {
  assert.deepEqual(problems(keyspace({ emea: "2", amer: "3" })), []);
  assert.deepEqual(problems(keyspace({ emea: "2", amer: "3", apac: "2" })), []);
  assert.deepEqual(replicationProblems([], ["emea"], 2), []);
});

test("too few replicas, a datacenter without any, and a strategy that knows none are named", () => {
  assert.deepEqual(problems(keyspace({ emea: "1", amer: "2" })), ["k has 1 in emea"]);
  assert.deepEqual(problems(keyspace({ amer: "2" })), ["k has none in emea"]);
  assert.deepEqual(problems(keyspace({})), ["k has none in emea, none in amer"]);
  assert.deepEqual(problems(keyspace({ emea: "3/1", amer: "2" })), []);
  assert.deepEqual(problems(keyspace({ replication_factor: "3" }, "SimpleStrategy")), ["k has SimpleStrategy"]);
  assert.deepEqual(problems({ name: "k", replication: {} }), ["k has no strategy"]);
});

test("after a restore, replicas in a datacenter that is not there are named, too", () => {
  const restored = keyspace({ emea: "2", amer: "2", apac: "3" });
  assert.deepEqual(problems(restored, true), ["k has 3 in apac, which is not there"]);
});
