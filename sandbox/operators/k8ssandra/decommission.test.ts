import assert from "node:assert/strict";
import { test } from "node:test";
import type { OperatorContext } from "../../lib/types";
import type { Objects } from "../objects";
import { leave, stillNeeded, takeOut } from "./decommission";
import type { CassandraDatacenter } from "./types";

const NTS = { class: "NetworkTopologyStrategy" };

test("a datacenter is needed while a user keyspace has replicas in it", () => {
  assert.match(
    stillNeeded("west", { files: { ...NTS, east: "3", west: "3" } }) ?? "",
    /cannot decommission DC west: keyspace files still has replicas on it/,
  );
  assert.equal(stillNeeded("west", { files: { ...NTS, east: "3" }, system_auth: { ...NTS, west: "3" } }), undefined);
  assert.equal(stillNeeded("west", {}), undefined);
});

/** A cluster that holds at most one datacenter and notes what is done to it. */
function remote(datacenter: CassandraDatacenter | undefined) {
  const done: string[] = [];
  const objects = {
    get: async () => datacenter,
    merge: async (object: { metadata: unknown }) => void done.push(`merge ${JSON.stringify(object.metadata)}`),
    delete: async () => void done.push("delete"),
  } as unknown as Objects;
  return { done, objects };
}

test("it is told to decommission before it is deleted, and nothing is done while it is needed", async () => {
  const { done, objects } = remote({ metadata: { name: "west" } });
  const needed = async () => ({ files: { ...NTS, west: "2" } });
  await assert.rejects(takeOut(objects, "db", "west", needed), /keyspace files/);
  assert.deepEqual(done, []);
  assert.equal(await takeOut(objects, "db", "west", async () => ({})), false);
  assert.match(done[0] ?? "", /decommission-on-delete":"true".*"finalizers":\["finalizer\.cassandra/);
  assert.equal(done[1], "delete");
});

test("one that is going is waited for, one that is gone is done with", async () => {
  const never = async () => assert.fail("asked");
  const going = remote({ metadata: { name: "west", deletionTimestamp: new Date() } });
  assert.equal(await takeOut(going.objects, "db", "west", never), false);
  assert.equal(await takeOut(remote(undefined).objects, "db", "west", never), true);
  assert.deepEqual(going.done, []);
});

const context = (code: number, stderr: string, ran: string[]) =>
  ({
    agent: {
      exec: async (_: string, pod: string, __: string, command: string[]) => {
        ran.push(`${pod}: ${command.slice(1).join(" ")}`);
        return { code, stdout: "", stderr };
      },
    },
  }) as unknown as OperatorContext;
const going = (annotations: Record<string, string>): CassandraDatacenter => ({
  metadata: { name: "west", namespace: "db", annotations, finalizers: ["other", "finalizer.cassandra.datastax.com"] },
});
const pods = [{ metadata: { name: "a" } }, { metadata: { name: "b" } }];
const told = { "cassandra.datastax.com/decommission-on-delete": "true" };

test("every node hands over what it holds, then the datacenter may go", async () => {
  const { done, objects } = remote(undefined);
  const ran: string[] = [];
  await leave(objects, context(0, "", ran), going(told), pods);
  assert.deepEqual(ran, ["a: decommission --force", "b: decommission --force"]);
  assert.deepEqual(done, ['merge {"name":"west","namespace":"db","finalizers":["other"]}']);
});

test("a node that cannot leave keeps it; one that has left does not", async () => {
  const { done, objects } = remote(undefined);
  await assert.rejects(
    leave(objects, context(2, "no such node", []), going(told), pods),
    /a cannot leave: no such node/,
  );
  assert.deepEqual(done, []);
  await leave(objects, context(2, "node is already decommissioned", []), going(told), pods);
  assert.equal(done.length, 1);
});

test("one that was not told to decommission goes as it is", async () => {
  const { done, objects } = remote(undefined);
  const ran: string[] = [];
  await leave(objects, context(0, "", ran), going({}), pods);
  assert.deepEqual([ran, done.length], [[], 1]);
});
