/** What is changed when one datacenter of several is restored: keyspaces, and what its nodes remember. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { withoutMembers, withoutOthers } from "./absent";

const strategy = "org.apache.cassandra.locator.NetworkTopologyStrategy";
const of = (replication: Record<string, string>) => withoutOthers("Media", replication, ["emea"]);

test("datacenters that are not there leave a keyspace, the others keep their replicas", () => {
  assert.equal(
    of({ class: strategy, emea: "3", amer: "2" }),
    `ALTER KEYSPACE "Media" WITH replication = {'class': 'NetworkTopologyStrategy', 'emea': 3}`,
  );
});

test("keyspaces without others, without any that is there, or of another strategy stay as they are", () => {
  assert.equal(of({ class: strategy, emea: "3" }), undefined);
  assert.equal(of({ class: strategy, amer: "3" }), undefined);
  assert.equal(of({ class: "org.apache.cassandra.locator.LocalStrategy" }), undefined);
  assert.equal(of({ class: "org.apache.cassandra.locator.SimpleStrategy", replication_factor: "1" }), undefined);
});

test("members that a backup's node knew are left out, everything else stays", () => {
  const section = (keyspace: string, columnfamily: string) => ({
    keyspace,
    columnfamily,
    objects: [{ path: `cassandra/n/data/${keyspace}/${columnfamily}/nb-1-big-Data.db`, MD5: "x", size: 1 }],
  });
  const others = [section("system", "local-7a"), section("system", "peer_events-59"), section("media", "peers-0a")];
  const all = [section("system", "peers-37"), section("system", "peers_v2-c4"), ...others];
  const changed = withoutMembers(JSON.stringify(all));
  assert.deepEqual(JSON.parse(changed!), [
    { keyspace: "system", columnfamily: "peers-37", objects: [] },
    { keyspace: "system", columnfamily: "peers_v2-c4", objects: [] },
    ...others,
  ]);
  assert.equal(withoutMembers(changed!), undefined, "it may be repeated");
});
