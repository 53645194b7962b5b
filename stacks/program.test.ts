/** The entry of every stack: with a wrong configuration not a single resource is declared. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { declared } from "../tests/lib/declared";
import { stackSettings } from "../tests/lib/stack-file";
import type { BucketReader } from "./copies";
import { program } from "./program";

const TOKEN = { OP_SERVICE_ACCOUNT_TOKEN: "t" };
const nothing: BucketReader = { list: async () => [], read: () => assert.fail() };

/** Runs the program of prod's stack file with some keys changed; the resources that got registered are counted. */
async function run(changes: Record<string, unknown>, env: NodeJS.ProcessEnv = TOKEN) {
  const settings: Record<string, unknown> = { ...stackSettings("prod"), ...changes };
  const config = Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]),
  );
  let failure = "";
  const { resources } = await declared(async () => {
    try {
      return await program({
        stack: "prod",
        config,
        env,
        secretsProvider: () => undefined,
        reader: async () => nothing,
        probe: () => assert.fail(),
        s3: () => assert.fail(),
      });
    } catch (error) {
      failure = (error as Error).message;
      return {};
    }
  }, "prod");
  return { failure, resources };
}

test("a right configuration declares the site", async () => {
  const { failure, resources } = await run({});
  assert.equal(failure, "");
  assert.ok(resources.length > 90);
});

const emea = {
  name: "europe-west1",
  datacenter: "emea",
  zones: ["europe-west1-b", "europe-west1-c", "europe-west1-d"],
};
const wrong: [what: string, changes: Record<string, unknown>, message: RegExp][] = [
  ["an unknown role", { "iconik-dr:role": "sight" }, /iconik-dr:role is "sight".*allowed: site, vault/],
  ["an unknown region", { "iconik-dr:regions": [{ ...emea, name: "europe-west99" }] }, /"europe-west99".*allowed/],
  ["one region twice", { "iconik-dr:regions": [emea, emea] }, /given before in regions\[0\]/],
  [
    "replicas below two",
    { "iconik-dr:cassandra": { racks: 3, nodesPerRegion: 3, replicationFactor: 1 } },
    /replicationFactor is 1.*set 2 or 3/,
  ],
  [
    "a bucket in no multi-region",
    { "iconik-dr:backups": { bucket: "iconik-prod-backups", location: "europe-west1" } },
    /backups\.location is "europe-west1": no multi-region/,
  ],
  [
    "a schedule that is no cron expression",
    { "iconik-dr:schedules": { cassandraSnapshot: "nightly" } },
    /schedules\.cassandraSnapshot is "nightly": no cron expression/,
  ],
  [
    "a copy that doesn't exist",
    { "iconik-dr:restore": { site: "prod", marker: "latest", grant: "prod" } },
    /restore\.marker is "latest": no such copy/,
  ],
];

for (const [what, changes, message] of wrong) {
  test(`${what} stops the program before anything is declared`, async () => {
    const { failure, resources } = await run(changes);
    assert.match(failure, message);
    assert.match(failure, /nothing was changed/);
    assert.deepEqual(resources, []);
  });
}

test("a missing token of 1Password is asked for before anything is declared", async () => {
  const { failure, resources } = await run({}, {});
  assert.match(failure, /OP_SERVICE_ACCOUNT_TOKEN is not set/);
  assert.deepEqual(resources, []);
});
