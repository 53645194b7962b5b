/** Networks and their parts: names, parents, ranges, and what keeps a network. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import fc from "fast-check";
import type { Props } from "../../lib/types";
import { refused, testCloud } from "../testing";
import { checkRanges } from "./compute";

const type = (name: string) => `gcp:compute/${name[0]?.toLowerCase()}${name.slice(1)}:${name}`;

let cloud: ReturnType<typeof testCloud>;
beforeEach(() => {
  cloud = testCloud();
});
afterEach(() => cloud.end());

const make = (kind: string, inputs: Props) =>
  cloud.control.create(type(kind), "it", { project: "p", ...inputs }, "me@x");
const network = (name: string, project = "p") => make("Network", { name, project });
const subnet = (change: Props) =>
  make("Subnetwork", { name: "s", region: "r1", network: "n", ipCidrRange: "10.0.0.0/20", ...change });

test("names are labels of RFC 1035", async () => {
  for (const wrong of ["N", "1n", "n-", "", `n${"a".repeat(63)}`]) await refused(network(wrong), 400, /must match/);
  assert.equal((await network(`n${"a".repeat(62)}`)).id, `projects/p/global/networks/n${"a".repeat(62)}`);
});

test("parents exist, by id, self link or name in the same project and region", async () => {
  await refused(subnet({}), 404, /'n'/);
  const { id, outputs } = await network("n");
  await refused(subnet({ project: "q" }), 404, /'n'/);
  await subnet({ name: "a", network: id });
  await subnet({ name: "b", network: outputs.selfLink, ipCidrRange: "10.1.0.0/20" });
  await refused(make("RouterNat", { name: "nat", region: "r1", router: "r" }), 404, /'r'/);
  await make("Router", { name: "r", region: "r1", network: id });
  await refused(make("RouterNat", { name: "nat", region: "r2", router: "r" }), 404, /'r'/);
  await make("RouterNat", { name: "nat", region: "r1", router: "r" });
  await refused(make("Firewall", { name: "f", network: id, sourceRanges: ["10.0.0.0"] }), 400, /"10.0.0.0"/);
  await refused(make("Firewall", { name: "f", network: "other" }), 404, /'other'/);
});

test("ranges of one network do not overlap, those of two may; a change is checked without its own old ranges", async () => {
  const { id } = await network("n");
  await network("m");
  await network("n", "q");
  const pods = [{ rangeName: "pods", ipCidrRange: "10.64.0.0/16" }];
  const made = await subnet({ secondaryIpRanges: pods });
  await refused(
    subnet({ name: "t", ipCidrRange: "10.64.8.0/24" }),
    400,
    /10.64.8.0\/24 conflicts with .* 10.64.0.0\/16/,
  );
  await refused(subnet({ region: "r2", network: id }), 400, /conflicts/);
  await subnet({ name: "t", network: "m" });
  await subnet({ project: "q" });
  await cloud.control.update(
    type("Subnetwork"),
    made.id,
    { project: "p", name: "s", region: "r1", network: "n", ipCidrRange: "10.0.0.0/19", secondaryIpRanges: pods },
    "me@x",
  );
});

test("a network stays while something hangs on it", async () => {
  const { id } = await network("n");
  await network("n", "q");
  const firewall = await make("Firewall", { name: "f", network: id, sourceRanges: ["10.0.0.0/8"] });
  await refused(cloud.control.delete(type("Network"), id, "me@x"), 400, /already being used by '.*firewalls\/f'/);
  await cloud.control.delete(type("Network"), "projects/q/global/networks/n", "me@x");
  await cloud.control.delete(type("Firewall"), firewall.id, "me@x");
  await cloud.control.delete(type("Network"), id, "me@x");
});

test("what is no range is refused", () => {
  for (const wrong of ["10.0.0.0", "10.0.0.0/33", "10.0.0/8", "x/8", "10.0.0.1/24", "::/8"])
    assert.throws(() => checkRanges([wrong], []), new RegExp(`Invalid IPCidrRange: "${wrong}"`));
});

test("two ranges conflict exactly when they share an address", () => {
  const range = fc
    .tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 24, max: 32 }))
    .map(([byte, bits]) => ({ first: byte - (byte % 2 ** (32 - bits)), size: 2 ** (32 - bits), bits }));
  fc.assert(
    fc.property(range, range, (a, b) => {
      const text = (each: typeof a) => `10.0.0.${each.first}/${each.bits}`;
      const share = a.first < b.first + b.size && b.first < a.first + a.size;
      if (share) assert.throws(() => checkRanges([text(a)], [text(b)]), /conflicts with/);
      else checkRanges([text(a)], [text(b)]);
    }),
  );
});

test("services are enabled twice without complaint; their names end in googleapis.com", async () => {
  const enable = (service: string) =>
    cloud.control.create("gcp:projects/service:Service", "s", { project: "p", service }, "me@x");
  await enable("container.googleapis.com");
  assert.equal((await enable("container.googleapis.com")).id, "p/container.googleapis.com");
  await refused(enable("container"), 400, /service: "container"/);
});
