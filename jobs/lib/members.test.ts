import assert from "node:assert/strict";
import { test } from "node:test";
import { othersOf } from "./members";

const peer = (address: string, data_center: string | null) => ({
  peer: address,
  data_center,
  host_id: `id-of-${address}`,
});

test("a node's peers of its own datacenter are its other members", () => {
  assert.deepEqual(othersOf("emea", [peer("10.0.0.2", "emea"), peer("10.0.0.1", "emea"), peer("10.9.0.1", "amer")]), [
    { address: "10.0.0.1", hostId: "id-of-10.0.0.1" },
    { address: "10.0.0.2", hostId: "id-of-10.0.0.2" },
  ]);
});

test("a node alone has none; a peer of which nothing is known yet is of no datacenter", () => {
  assert.deepEqual(othersOf("emea", []), []);
  assert.deepEqual(othersOf("emea", [peer("10.0.0.1", null)]), []);
});
