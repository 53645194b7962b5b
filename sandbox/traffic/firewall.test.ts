/** Firewall rules decide as Compute Engine's do. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Props } from "../lib/types";
import { admits } from "./firewall";

const packets = { network: "n", tags: ["front"], source: "35.191.0.0/16", port: 8080 };
const rule = (inputs: Props, network = "n") => ({
  network,
  inputs: { sourceRanges: ["35.191.0.0/16"], allows: [{ protocol: "tcp", ports: ["8080"] }], ...inputs },
});

test("nothing gets in without a rule", () => {
  assert.ok(!admits([], packets));
});

test("a rule counts for its network, tags, ranges and ports", () => {
  assert.ok(admits([rule({})], packets));
  assert.ok(admits([rule({ targetTags: ["back", "front"] })], packets));
  assert.ok(admits([rule({ sourceRanges: ["0.0.0.0/0"] })], packets));
  assert.ok(admits([rule({ allows: [{ protocol: "tcp", ports: ["80", "8000-8100"] }] })], packets));
  assert.ok(admits([rule({ allows: [{ protocol: "all" }] })], packets));
  for (const [inputs, network] of [
    [{}, "other"],
    [{ targetTags: ["back"] }],
    [{ sourceRanges: ["35.191.0.0/24"] }],
    [{ sourceRanges: [] }],
    [{ allows: [{ protocol: "tcp", ports: ["8081-9000"] }] }],
    [{ allows: [{ protocol: "udp" }] }],
    [{ direction: "EGRESS" }],
    [{ disabled: true }],
  ] as [Props, string?][])
    assert.ok(!admits([rule(inputs, network)], packets), JSON.stringify(inputs));
});

test("the lowest number decides, of equal ones a refusal", () => {
  const denies = [{ protocol: "tcp" }];
  const refusal = (priority: number) => rule({ allows: undefined, denies, priority });
  assert.ok(!admits([rule({}), refusal(900)], packets));
  assert.ok(!admits([rule({}), refusal(1000)], packets));
  assert.ok(admits([rule({}), refusal(1001)], packets));
});
