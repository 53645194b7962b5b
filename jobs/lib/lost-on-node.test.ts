/** What counts as a node's loss of a table, by replicas, sizes and tokens. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { dropped } from "./dropped";
import { heldByNodes, withNodes } from "./lost-on-node";
import { type CassandraManifest, type Manifest, manifestSchema } from "./manifest";

const [FIRST, SECOND, THIRD] = [
  "night-emea-20260115t010000z",
  "night-emea-20260116t010000z",
  "night-emea-20260117t010000z",
];
const MIB = 1024 * 1024;
const LOST = [{ name: "media.files@b", backup: FIRST }];

/** A backup with bytes of `media.files` by host; undefined: a manifest of before nodes were counted. */
function backup(
  name: string,
  nodes: Record<string, number> | undefined,
  { gone = [], token = "1" }: { gone?: Manifest["dropped"]; token?: string } = {},
): CassandraManifest {
  const hosts = Object.keys(nodes ?? { a: 1, b: 1, c: 1 });
  const bytes = Object.values(nodes ?? { a: 1 }).reduce((sum, each) => sum + each, 0);
  const at = "2026-01-15T01:00:00Z";
  return manifestSchema.parse({
    version: 2,
    kind: "cassandra",
    files: { path: "manifests/list.jsonl", sha256: "0".repeat(64), objects: 1, bytes: 1 },
    repository: "cassandra-emea",
    backup: name,
    startedAt: at,
    finishedAt: at,
    dropped: gone,
    datacenter: "emea",
    nodes: hosts.map((host) => ({ host, rack: "rack1", tokens: [token, host] })),
    racks: ["rack1"],
    schemaDigest: "",
    tables: [{ keyspace: "media", table: "files", objects: 1, bytes, ...(nodes && { nodes }) }],
    versions: { cassandra: "5.0.4" },
  }) as CassandraManifest;
}

interface Rules {
  replicas?: number;
  approved?: string[];
  mayEmpty?: string[];
}
function lost(
  before: Manifest,
  tonight: CassandraManifest,
  { replicas = 3, approved = [], mayEmpty = [] }: Rules = {},
) {
  const expiring = new Set(mayEmpty);
  const keyspaces = [{ name: "media", replication: { class: "NetworkTopologyStrategy", emea: String(replicas) } }];
  const held = heldByNodes(before, tonight, { keyspaces, mayEmpty: expiring });
  return dropped(before, withNodes(tonight), { approved, mayEmpty: expiring, held });
}

test("where every node has every row, one that has none has lost them, however few they were", () => {
  assert.deepEqual(lost(backup(FIRST, { a: 1, b: 1, c: 1 }), backup(SECOND, { a: 1, b: 0, c: 1 })), LOST);
  assert.deepEqual(
    lost(backup(FIRST, { a: 9, b: 9, c: 9 }), backup(SECOND, { a: 1, b: 1, c: 1 })),
    [],
    "fewer is no loss",
  );
  assert.deepEqual(lost(backup(FIRST, { a: 9, b: 0, c: 9 }), backup(SECOND, { a: 9, b: 0, c: 9 })), [], "it had none");
});

test("where a node has only some rows, little may go by itself; much does not, on the same tokens", () => {
  const [few, much] = [backup(FIRST, { a: 9, b: 9, c: 9 }), backup(FIRST, { a: 9, b: MIB, c: 9 })];
  const tonight = backup(SECOND, { a: 9, b: 0, c: 9 });
  assert.deepEqual(lost(few, tonight, { replicas: 2 }), []);
  assert.deepEqual(lost(much, tonight, { replicas: 2 }), LOST);
  assert.deepEqual(lost(much, backup(SECOND, { a: 9, b: 0, c: 9 }, { token: "7" }), { replicas: 2 }), []);
});

test("it stays told until the rows are back or people say that it is meant", () => {
  const without = { a: 1, b: 0, c: 1 };
  const still = backup(SECOND, without, { gone: LOST });
  assert.deepEqual(lost(still, backup(THIRD, without)), LOST);
  assert.deepEqual(lost(still, backup(THIRD, { a: 1, b: 1, c: 1 })), []);
  for (const approved of ["media.files@b", "media.files*"])
    assert.deepEqual(lost(still, backup(THIRD, without), { approved: [approved] }), [], approved);
  assert.deepEqual(lost(still, backup(THIRD, without), { approved: ["media.files"] }), LOST, "that is the whole table");
});

test("nobody's loss: rows that expire, a node that left, manifests of before", () => {
  const before = backup(FIRST, { a: 1, b: 1, c: 1 });
  assert.deepEqual(lost(before, backup(SECOND, { a: 1, b: 0, c: 1 }), { mayEmpty: ["media.files"] }), []);
  assert.deepEqual(lost(before, backup(SECOND, { a: 1, c: 1 })), []);
  assert.deepEqual(lost(backup(FIRST, undefined), backup(SECOND, { a: 1, b: 0, c: 1 })), []);
  assert.deepEqual(lost(before, backup(SECOND, undefined)), []);
});

test("an emptied table is told once, not for each node", () => {
  const told = lost(backup(FIRST, { a: 1, b: 1, c: 1 }), backup(SECOND, { a: 0, b: 0, c: 0 }));
  assert.deepEqual(told, [{ name: "media.files", backup: FIRST }]);
});
