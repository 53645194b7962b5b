import assert from "node:assert/strict";
import { test } from "node:test";
import * as packet from "dns-packet";
import fc from "fast-check";
import { answersTo, type DnsRecord, type Surroundings } from "./answers";
import { respond } from "./server";

const record = (change: Partial<DnsRecord>): DnsRecord => ({
  name: "app.example.com",
  type: "A",
  ttl: 60,
  values: ["192.0.2.1"],
  ...change,
});
const around = (sick: string[] = [], balancers: Record<string, boolean> = {}): Surroundings => ({
  healthy: (id) => !sick.includes(id),
  balancer: (name) =>
    name in balancers ? { addresses: ["198.51.100.9"], healthy: balancers[name] ?? false } : undefined,
});
const primary = record({ failover: "PRIMARY", healthCheckId: "p" });
const standby = record({
  failover: "SECONDARY",
  healthCheckId: "s",
  values: [],
  alias: { name: "lb.example.aws", evaluateTargetHealth: true },
});
const ask = (records: DnsRecord[], state: Surroundings) =>
  answersTo({ name: "App.example.com.", type: "A" }, records, state).map(({ value }) => value);

test("the secondary answers when it is healthy and the primary is not, and only then", () => {
  fc.assert(
    fc.property(fc.boolean(), fc.boolean(), fc.boolean(), (p, s, target) => {
      const state = around([...(p ? [] : ["p"]), ...(s ? [] : ["s"])], { "lb.example.aws": target });
      const expected = !p && s && target ? "198.51.100.9" : "192.0.2.1";
      assert.deepEqual(ask([primary, standby], state), [expected]);
    }),
  );
});

test("an alias that does not look at its target leads there whatever its health", () => {
  const latched = record({
    failover: "PRIMARY",
    healthCheckId: "p",
    values: [],
    alias: { name: "lb.example.aws", evaluateTargetHealth: false },
  });
  assert.deepEqual(ask([latched, standby], around(["p", "s"], { "lb.example.aws": false })), ["198.51.100.9"]);
});

test("an alias leads to another record, and a circle of them to nothing", () => {
  const other = record({ name: "other.example.com", values: ["192.0.2.7"] });
  const to = (name: string) => record({ values: [], alias: { name, evaluateTargetHealth: false } });
  assert.deepEqual(ask([to("other.example.com"), other], around()), ["192.0.2.7"]);
  assert.deepEqual(ask([to("app.example.com")], around()), []);
});

test("weights choose among the healthy, and among all when nobody is", () => {
  const [a, b] = [
    record({ weight: 1, healthCheckId: "a", values: ["192.0.2.10"] }),
    record({ weight: 3, healthCheckId: "b", values: ["192.0.2.11"] }),
  ];
  const at = (pick: number, sick: string[]) =>
    answersTo({ name: "app.example.com", type: "A" }, [a, b], around(sick), pick)[0]?.value;
  assert.equal(at(0.2, []), "192.0.2.10");
  assert.equal(at(0.3, []), "192.0.2.11");
  assert.equal(at(0.9, ["b"]), "192.0.2.10");
  assert.equal(at(0.9, ["a", "b"]), "192.0.2.11");
});

test("a server refuses other zones, knows its own, and says of a name without records that it is none", () => {
  const zone = {
    name: "example.com",
    nameServers: ["ns-1.awsdns-1.com"],
    answer: (name: string, type: string) => {
      if (name !== "app.example.com") return undefined;
      return type === "A" ? [{ type, ttl: 60, value: "192.0.2.1" }] : [];
    },
  };
  const say = (name: string, type: packet.RecordType) => {
    const query = packet.decode(packet.encode({ type: "query", id: 7, questions: [{ name, type }] }));
    return packet.decode(packet.encode(respond(query, [zone])));
  };
  const code = (answer: packet.DecodedPacket) => (answer as unknown as { rcode: string }).rcode;
  assert.equal(code(say("example.org", "A")), "REFUSED");
  assert.equal(code(say("none.example.com", "A")), "NXDOMAIN");
  assert.equal(code(say("app.example.com", "AAAA")), "NOERROR");
  assert.equal(say("app.example.com", "AAAA").authorities?.[0]?.type, "SOA");
  assert.deepEqual(
    say("app.example.com", "A").answers?.map((each) => "data" in each && each.data),
    ["192.0.2.1"],
  );
  assert.equal(say("example.com", "NS").answers?.length, 1);
});
