/** Wrong configurations: each is refused with the key, the value, what is allowed and the fix. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError, type SiteConfig } from ".";
import { parsed, site, type Values, vault } from "./testing";

const emea = { name: "europe-west1", datacenter: "emea", zones: ["europe-west1-b", "europe-west1-c"] };
const amer = { name: "us-east4", datacenter: "amer", zones: ["us-east4-a", "us-east4-b"] };
const grant = (change: Values) => ({
  site: "rebuild-1",
  project: "iconik-drill-rebuild-1",
  bucket: "b-1",
  source: "drill-prod",
  expires: new Date(Date.now() + 3600_000).toISOString(),
  manifestReader: "user:a@b",
  ...change,
});

const failback = (bucket: string) => ({
  standby: {
    issuer: "https://oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF",
    failback: { bucket, datacenter: "emea" },
  },
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
    /iconik-dr:deployer is not set; set an IAM member, e\.g\. serviceAccount:EMAIL$/,
  ],
  [
    "everybody deploying",
    vault({ deployer: "allUsers" }),
    /iconik-dr:deployer is "allUsers": no IAM member; allowed: e\.g\. serviceAccount:EMAIL$/,
  ],
  [
    "a failback into the bucket of the copies",
    { ...vault({}), ...failback("iconik-drill-backup-copies") },
    /standby\.failback\.bucket is "iconik-drill-backup-copies": the bucket of the copies; name one of its own/,
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
    "a control cluster in one of the site's regions",
    site({ controlRegion: "us-east4" }),
    /controlRegion is "us-east4": one of the site's regions.*name another one/,
  ],
  [
    "no control region",
    site({ controlRegion: undefined }),
    /controlRegion is not set; set a region of Google Cloud, e\.g\. europe-west1$/,
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
  ["an unknown key", site({ regoins: [], extra: "x" }), /iconik-dr:extra: unknown here/],
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
    /has 1 problem; nothing was changed\n {2}- iconik-dr:authorizedNetworks\[0\] is "::\/0": no network; allowed: IPv4 in CIDR notation/,
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
      () => parsed(values),
      (error: Error) => {
        assert.ok(error instanceof ConfigError);
        assert.match(error.message, /nothing was changed/);
        for (const message of messages) assert.match(error.message, message);
        return true;
      },
    );
  });
}

const live = { name: "prod", project: "iconik-drill-prod", bucket: "b-1", repositories: ["cassandra-emea"] };
const rebuilt = { ...live, name: "rebuild-1", project: "iconik-drill-rebuild-1" };
const soon = new Date(Date.now() + 3600_000).toISOString();

/** What one sees of a problem, word for word. */
const exact: [what: string, values: Values, line: string][] = [
  [
    "a grant into the project of a site that runs",
    vault({ restoreGrants: [grant({ project: "iconik-drill-prod" })] }),
    'restoreGrants[0].project is "iconik-drill-prod": the project of site "drill-prod" that runs, whose identities never reach the copies; restore into a project of its own',
  ],
  [
    "a grant into the vault's own project",
    vault({ restoreGrants: [grant({ project: "iconik-drill-vault" })] }),
    'restoreGrants[0].project is "iconik-drill-vault": the vault\'s own project; a restored site has a project of its own',
  ],
  [
    "a grant to restore a site that is not copied",
    vault({ restoreGrants: [grant({ source: "prodd" })] }),
    'restoreGrants[0].source is "prodd": no site that is copied here; allowed: drill-prod',
  ],
  [
    "a grant that has ended",
    vault({ restoreGrants: [grant({ expires: "2026-01-01T00:00:00Z" })] }),
    'restoreGrants[0].expires is "2026-01-01T00:00:00Z": has passed; remove the grant, or set a moment that covers the restore',
  ],
  [
    "a grant that nobody can look the copy up with",
    vault({ restoreGrants: [grant({ expires: soon, manifestReader: undefined })] }),
    "restoreGrants[0].manifestReader is not set; set an IAM member, e.g. serviceAccount:EMAIL",
  ],
  [
    "one primary bucket for two sites",
    vault({ sites: [live, rebuilt] }),
    'sites[1].bucket is "b-1": the bucket of sites[0] as well; each site has a primary bucket of its own',
  ],
  [
    "a primary bucket that is the copies'",
    vault({ sites: [{ ...live, bucket: "iconik-drill-backup-copies" }] }),
    'sites[0].bucket is "iconik-drill-backup-copies": the bucket of the copies; name the site\'s primary bucket',
  ],
  [
    "backups into the bucket of the copies",
    site({ backups: { bucket: "iconik-drill-backup-copies", location: "EU" } }),
    'backups.bucket is "iconik-drill-backup-copies": the bucket of the second copies; name a bucket of the site\'s own',
  ],
  [
    "a drill's site that writes to the product's own media",
    site({ media: {} }),
    'media.prefix is "iconik-": the product\'s own buckets; a drill uses scratch ones; set e.g. iconik-drill-',
  ],
  [
    "a site with media of a drill",
    site({ project: "iconik-prod", deletionProtection: true }),
    'media.prefix is "iconik-drill-": scratch buckets are for projects of drills; remove it',
  ],
  ...[site({ project: "iconik-prod", media: {} }), vault({ project: "iconik-safe", media: undefined })].map(
    (values): [string, Values, string] => [
      `an unprotected ${values.role} that is no drill's`,
      values,
      `deletionProtection is false: only projects of drills go unprotected; remove it, or use a project with "drill" between hyphens in its name`,
    ],
  ),
];

for (const [what, values, line] of exact) {
  test(`${what} is refused, word for word`, () => {
    assert.throws(() => parsed(values), {
      name: "ConfigError",
      message: `configuration of stack "drill-prod" has 1 problem; nothing was changed\n  - iconik-dr:${line}`,
    });
  });
}

test("an unprotected foundation that is no drill's is refused", () => {
  const foundation = {
    role: "foundation",
    project: "iconik-foundation",
    deployer: "user:a@b",
    media: { location: "EU" },
    deletionProtection: false,
    notifications: [{ type: "email", address: "a@b.example" }],
  };
  assert.throws(() => parsed(foundation), /deletionProtection is false: only projects of drills go unprotected/);
  const media = { location: "EU", prefix: "iconik-drill-" };
  assert.doesNotThrow(() => parsed({ ...foundation, media, project: "iconik-drill-foundation" }));
  assert.doesNotThrow(() => parsed({ ...foundation, deletionProtection: true }));
});

test("what is not said of Cassandra or Elasticsearch is three", () => {
  const zones = ["europe-west1-b", "europe-west1-c", "europe-west1-d"];
  const of = (cassandra: Values | undefined) => parsed(site({ regions: [{ ...emea, zones }], cassandra }));
  const three = { racks: 3, nodesPerRegion: 3, replicationFactor: 3 };
  for (const partial of [undefined, {}, { racks: 3 }, { nodesPerRegion: 3 }])
    assert.deepEqual((of(partial) as SiteConfig).cassandra, three);
  assert.deepEqual((of({ nodesPerRegion: 6 }) as SiteConfig).cassandra, { ...three, nodesPerRegion: 6 });
});

test("all problems are told at once", () => {
  const wrong = site({
    project: "drill",
    backups: { bucket: "b-1", location: "nowhere" },
    elasticsearch: { nodes: 0 },
  });
  assert.throws(() => parsed(wrong), /has 3 problems/);
});

test("what is empty counts as absent, and the drill's own configurations are right", () => {
  assert.doesNotThrow(() => parsed(site({ restore: {}, schedules: {} })));
  assert.doesNotThrow(() => parsed(vault({ restoreGrants: [grant({})] })));
});

test("what only looks like a structured value is shown as it was written", () => {
  assert.throws(
    () => parsed(site({ controlRegion: "[abc" })),
    /controlRegion is "\[abc": no region that the plan knows/,
  );
});
