/** States of a site's regions, and how many of them there can be. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { siteConfig } from "../../drill/config";
import { rangesOf, regionCapacity } from "../../plan/addresses";
import { regions as known } from "../../plan/regions";
import { ConfigError, type SiteConfig } from ".";
import { parsed, site } from "./testing";

type Region = { name: string; datacenter: string; zones: string[]; state?: string; share?: number };
const [emea, amer] = siteConfig("drill-prod").regions as [Region, Region];

const parse = (regions: unknown[], change: Record<string, unknown> = {}) =>
  parsed(site({ regions, ...change })) as SiteConfig;
const refused = (words: RegExp, ...args: Parameters<typeof parse>) =>
  assert.throws(
    () => parse(...args),
    (error: unknown) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, words);
      return true;
    },
  );

test("a region is active unless it is said to be draining", () => {
  const states = parse([emea, { ...amer, state: "draining" }]).regions.map(({ state }) => state);
  assert.deepEqual(states, ["active", "draining"]);
});

test("a region may join", () => {
  const states = parse([emea, { ...amer, state: "joining" }]).regions.map(({ state }) => state);
  assert.deepEqual(states, ["active", "joining"]);
});

test("a region has its whole share unless it is given less, and nothing by draining alone", () => {
  const shares = parse([emea, { ...amer, share: 0.5 }]).regions.map(({ share }) => share);
  assert.deepEqual(shares, [1, 0.5]);
  for (const share of [0, 0.05])
    refused(
      /regions\[1\]\.share is 0\S*: less than a load balancer can scale a group to; allowed: 0\.1 to 1, and state: draining/,
      [emea, { ...amer, share }],
    );
  refused(/regions\[1\]\.share is 1\.5: more than all of it; allowed: 0\.1 to 1/, [emea, { ...amer, share: 1.5 }]);
});

test("there are no other states", () =>
  refused(/regions\[1\]\.state is "off": no state of a region; allowed: joining, active, draining, retired/, [
    emea,
    { ...amer, state: "off" },
  ]));

test("somebody has to serve", () =>
  refused(/regions\[0\]\.state is "draining": no region would serve; leave one active/, [
    { ...emea, state: "draining" },
    { ...amer, state: "retired" },
  ]));

test("one that joins does not serve", () =>
  refused(/regions\[0\]\.state is "joining": no region would serve; leave one active/, [
    { ...emea, state: "joining" },
  ]));

for (const state of ["joining", "draining", "retired"])
  test(`a restore needs every datacenter, and one is ${state}`, () =>
    refused(
      new RegExp(
        `regions\\[1\\]\\.state is "${state}": a restore needs every datacenter; add or remove a region once the data is back`,
      ),
      [emea, { ...amer, state }],
      { restore: { site: "drill-prod", marker: "latest", grant: "drill-prod" } },
    ));

test("every region that the plan knows fits into a site at once, and the last one of the address plan too", () => {
  assert.ok(known.size <= regionCapacity);
  assert.deepEqual(rangesOf(regionCapacity - 1), {
    nodes: "10.3.240.0/20",
    services: "10.7.240.0/20",
    pods: "10.127.0.0/16",
  });
  assert.throws(() => rangesOf(regionCapacity), /outside the address plan; allowed: 0 to 63/);
  const all = [...known.values()]
    .filter(({ name }) => name !== "europe-west4")
    .map(({ name, zones }, index) => ({ name, datacenter: `dc${index}`, zones: zones.slice(0, 2) }));
  assert.equal(parse(all).regions.length, known.size - 1);
});
