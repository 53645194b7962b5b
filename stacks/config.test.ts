/** Wrong configurations: each is refused with the key, the value, what is allowed and the fix. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { siteConfig, vaultConfig } from "../drill/config";
import { ConfigError, parseConfig } from "./config";

type Values = Record<string, unknown>;

const site = (change: Values = {}): Values => ({ ...siteConfig("drill-prod"), ...change });
const vault = (change: Values = {}): Values => ({ ...vaultConfig({ retentionDays: 7 }), ...change });
const parse = (values: Values) =>
  parseConfig(
    Object.fromEntries(
      Object.entries(values)
        .filter(([, value]) => value !== undefined)
        .map(([key, value]) => [`iconik-dr:${key}`, typeof value === "string" ? value : JSON.stringify(value)]),
    ),
    "drill-prod",
  );
const emea = { name: "europe-west1", datacenter: "emea", zones: ["europe-west1-b", "europe-west1-c"] };
const amer = { name: "us-east4", datacenter: "amer", zones: ["us-east4-a", "us-east4-b"] };
const grant = (change: Values) => ({
  site: "rebuild-1",
  project: "iconik-drill-rebuild-1",
  bucket: "b-1",
  source: "drill-prod",
  expires: new Date(Date.now() + 3600_000).toISOString(),
  ...change,
});

const cases: [what: string, values: Values, ...messages: RegExp[]][] = [
  [
    "no role",
    { project: "iconik-drill" },
    /iconik-dr:role is not set: no role; allowed: site, vault, foundation, standby/,
  ],
  [
    "nobody who deploys",
    site({ deployer: undefined }),
    /iconik-dr:deployer is not set: no IAM member; allowed: e\.g\. serviceAccount:EMAIL$/,
  ],
  [
    "everybody deploying",
    vault({ deployer: "allUsers" }),
    /iconik-dr:deployer is "allUsers": no IAM member; allowed: e\.g\. serviceAccount:EMAIL$/,
  ],
  [
    "an unknown region",
    site({ regions: [{ ...emea, name: "mars-1" }] }),
    /regions\[0\]\.name is "mars-1": no region .*allowed: .*europe-west1/,
  ],
  [
    "one region twice",
    site({ regions: [emea, { ...amer, name: "europe-west1", zones: emea.zones }] }),
    /regions\[1\]\.name is "europe-west1": given before in regions\[0\]/,
  ],
  [
    "one datacenter twice",
    site({ regions: [emea, { ...amer, datacenter: "emea" }] }),
    /regions\[1\]\.datacenter is "emea": given before/,
  ],
  [
    "a zone of another region",
    site({ regions: [{ ...emea, zones: ["europe-west1-b", "us-east4-a"] }] }),
    /zones\[1\] is "us-east4-a": no zone of region "europe-west1"; allowed: europe-west1-b/,
  ],
  [
    "replicas below two",
    site({ cassandra: { racks: 2, nodesPerRegion: 2, replicationFactor: 1 } }),
    /replicationFactor is 1: two replicas or more are needed.*set 2 or 3/,
  ],
  [
    "more replicas than nodes",
    site({ cassandra: { racks: 2, nodesPerRegion: 2, replicationFactor: 3 } }),
    /replicationFactor is 3: more replicas than the region's 2 nodes/,
  ],
  [
    "nodes that do not fill the racks",
    site({ cassandra: { racks: 2, nodesPerRegion: 3, replicationFactor: 2 } }),
    /nodesPerRegion is 3: no multiple of 2 racks.*set 4/,
  ],
  [
    "more racks than zones",
    site({ cassandra: { racks: 3, nodesPerRegion: 3, replicationFactor: 2 } }),
    /regions\[0\]\.zones is .*3 racks need a zone each/,
  ],
  [
    "a bucket in no multi-region",
    site({ backups: { bucket: "b-1", location: "europe-west1" } }),
    /backups\.location is "europe-west1": no multi-region.*allowed: EU, US/,
  ],
  [
    "copies inside the primary's multi-region",
    site({ vault: { project: "iconik-drill-vault", location: "europe-west4", copiesBucket: "c-1" } }),
    /vault\.location is "europe-west4": .*lies inside.*EU.*europe-west6/,
  ],
  [
    "copies on another continent",
    site({ vault: { project: "iconik-drill-vault", location: "us-east4", copiesBucket: "c-1" } }),
    /vault\.location is "us-east4": .*another continent/,
  ],
  [
    "the vault in the site's project",
    site({ vault: { project: "iconik-drill-prod", location: "europe-west6", copiesBucket: "c-1" } }),
    /vault\.project is "iconik-drill-prod": the site's own project/,
  ],
  [
    "a schedule that is no cron expression",
    site({ schedules: { cassandraSnapshot: "at one" } }),
    /schedules\.cassandraSnapshot is "at one": no cron expression; allowed: five fields/,
  ],
  [
    "an image by tag",
    site({ images: { jobs: "r/dr/jobs:latest" } }),
    /images\.jobs is "r\/dr\/jobs:latest": no image by digest/,
  ],
  ["an unknown key", site({ regoins: [], extra: "x" }), /iconik-dr: is "extra": unknown here/],
  [
    "a grant for another site",
    site({ restore: { site: "prod", marker: "latest", grant: "other" } }),
    /restore\.grant is "other": a grant for another site; set "drill-prod"/,
  ],
  [
    "a marker that is none",
    site({ restore: { site: "prod", marker: "yesterday", grant: "drill-prod" } }),
    /restore\.marker is "yesterday": no copy; allowed: latest/,
  ],
  [
    "a control plane that nobody reaches",
    site({ authorizedNetworks: [] }),
    /iconik-dr:authorizedNetworks is \[\]: nobody could reach the control planes, this update neither; name the networks that deploy and operate$/,
  ],
  [
    "a vault's control plane that nobody reaches",
    vault({ authorizedNetworks: undefined }),
    /iconik-dr:authorizedNetworks is \[\]: nobody could reach the control planes/,
  ],
  [
    "a control plane that everybody reaches",
    site({ authorizedNetworks: ["192.0.2.0/28", "0.0.0.0/0"] }),
    /iconik-dr:authorizedNetworks\[1\] is "0\.0\.0\.0\/0": every network there is; name those that deploy and operate$/,
  ],
  [
    "a control plane that everybody reaches by IPv6",
    site({ authorizedNetworks: ["::/0"] }),
    /has 1 problem; nothing was created\n {2}- iconik-dr:authorizedNetworks\[0\] is "::\/0": no network; allowed: IPv4 in CIDR notation/,
  ],
  [
    "a vault inside a multi-region",
    vault({ location: "europe-west1" }),
    /iconik-dr:location is "europe-west1": inside the multi-region EU/,
  ],
  [
    "a grant that lasts too long",
    vault({ restoreGrants: [grant({ expires: "2999-01-01T00:00:00Z" })] }),
    /restoreGrants\[0\]\.expires is "2999-01-01T00:00:00Z": more than 14 days ahead/,
  ],
  [
    "a grant without a zone",
    vault({ restoreGrants: [grant({ expires: "2026-01-01 00:00" })] }),
    /expires is "2026-01-01 00:00": no moment; allowed: ISO-8601/,
  ],
  [
    "one grant twice",
    vault({ restoreGrants: [grant({}), grant({})] }),
    /restoreGrants\[1\]\.site is "rebuild-1": granted twice/,
  ],
  [
    "copies that are kept too briefly",
    vault({ deletionProtection: true, copies: { bucket: "c-1", retentionDays: 3 } }),
    /copies\.retentionDays is 3: second copies are kept 7 days or more/,
  ],
  [
    "a repository that is none",
    vault({ sites: [{ name: "prod", project: "iconik-p", bucket: "b-1", repositories: ["postgres-emea"] }] }),
    /repositories\[0\] is "postgres-emea": no repository/,
  ],
];

for (const [what, values, ...messages] of cases) {
  test(`${what} is refused`, () => {
    assert.throws(
      () => parse(values),
      (error: Error) => {
        assert.ok(error instanceof ConfigError);
        assert.match(error.message, /nothing was created/);
        for (const message of messages) assert.match(error.message, message);
        return true;
      },
    );
  });
}

test("all problems are told at once", () => {
  const wrong = site({ project: "X", backups: { bucket: "b-1", location: "nowhere" }, elasticsearch: { nodes: 0 } });
  assert.throws(() => parse(wrong), /has 3 problems/);
});

test("what is empty counts as absent, and the drill's own configurations are right", () => {
  assert.doesNotThrow(() => parse(site({ restore: {}, schedules: {} })));
  assert.doesNotThrow(() => parse(vault({ restoreGrants: [grant({})] })));
});
