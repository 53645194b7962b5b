/** Wrong configurations and what one reads of each, word for word. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { multiRegions, regions } from "../../plan/regions";
import { ConfigError } from ".";
import { parsed, site, type Values, vault } from "./testing";

const STACK = "drill-prod";
const foundation = (change: Values = {}): Values => ({
  role: "foundation",
  project: "iconik-drill-foundation",
  deployer: "user:a@b",
  deletionProtection: false,
  media: { location: "EU", prefix: "iconik-drill-" },
  ...change,
});
const emea = { name: "europe-west1", datacenter: "emea", zones: ["europe-west1-b", "europe-west1-c"] };
const copied = {
  name: "prod",
  project: "iconik-drill-prod",
  bucket: "b-1",
  repositories: ["cassandra-emea"],
};
const REGIONS = [...regions.keys()].join(", ");
const CODES = [...multiRegions.keys()].join(", ");
const PROJECT = "no project id; allowed: 6 to 30 lower-case letters, digits and hyphens";
const BUCKET = "no bucket name; allowed: 3 to 63 lower-case letters, digits, - and _";
const MEMBER = "no IAM member; allowed: e.g. serviceAccount:EMAIL";
const SITE = "no site name; allowed: 2 to 21 lower-case letters, digits and hyphens, a letter first";
const DATACENTER = "no datacenter name; allowed: 2 to 15 lower-case letters and digits, e.g. emea";
const CRON = "no cron expression; allowed: five fields in UTC, e.g. 0 1 * * *";
const IMAGE = "no image by digest; allowed: REGISTRY/NAME@sha256:64 hex digits";
const IMAGES = "no repository of images; allowed: REGISTRY/PROJECT/REPOSITORY, without scheme, tag and / at the end";
const NETWORK = "no network; allowed: IPv4 in CIDR notation, e.g. 203.0.113.0/24";

const bootstrap = (change: Values = {}): Values => ({
  role: "bootstrap",
  project: "iconik-drill-bootstrap",
  deployer: "group:people@b",
  deletionProtection: false,
  github: { repository: "o/r", repositoryId: "7" },
  stacks: [state()],
  ...change,
});
const state = (change: Values = {}): Values => ({
  name: "prod",
  role: "site",
  project: "iconik-drill-prod",
  stateLocation: "EU",
  ...change,
});
const grant = (change: Values = {}): Values => ({
  site: "rebuild-1",
  project: "iconik-drill-rebuild-1",
  bucket: "b-1",
  source: STACK,
  expires: new Date(Date.now() + 3600_000).toISOString(),
  manifestReader: "user:a@b",
  ...change,
});
const SOON = new Date(Date.now() + 3600_000).toISOString();
const LATER = new Date(Date.now() + 48 * 3600_000).toISOString();
const NUMBER = "no number of a repository; allowed: a text of digits, see `gh api repos/OWNER/NAME --jq .id`";
const PLACE = `no place for a bucket and a key alike; allowed: EU, US, ASIA, ASIA1, EUR4, NAM4 or a region`;

const wrong: [values: Values, ...lines: string[]][] = [
  [{}, "role is not set: no role; allowed: site, vault, foundation, standby, bootstrap"],
  [{ role: "sight" }, 'role is "sight": no role; allowed: site, vault, foundation, standby, bootstrap'],

  [site({ project: undefined }), "project is not set; set the project's id"],
  [site({ project: "iconik-drill-X" }), `project is "iconik-drill-X": ${PROJECT}`],
  [site({ deployer: undefined }), "deployer is not set; set an IAM member, e.g. serviceAccount:EMAIL"],
  [site({ deployer: "somebody" }), `deployer is "somebody": ${MEMBER}`],
  [site({ deletionProtection: "maybe" }), 'deletionProtection is "maybe": of the wrong kind; allowed: true or false'],
  [site({ regions: undefined }), "regions is not set; set a list of { name, datacenter, zones }"],
  [site({ regions: { a: 1 } }), 'regions is {"a":1}: of the wrong kind; allowed: a list'],
  [
    site({ regions: [{ ...emea, name: "mars-1" }] }),
    `regions[0].name is "mars-1": no region that the plan knows; allowed: ${REGIONS}`,
  ],
  [site({ regions: [{ ...emea, datacenter: "EMEA-1" }] }), `regions[0].datacenter is "EMEA-1": ${DATACENTER}`],
  [
    site({ regions: [{ ...emea, colour: "x" }] }),
    "regions[0].colour: unknown here; Pulumi.yaml says which keys role site takes",
  ],
  [
    site({ regions: [{ ...emea, zones: ["europe-west1-b", "europe-west1-b"] }] }),
    'regions[0].zones[1] is "europe-west1-b": given twice; name each zone once',
  ],
  // A mistake in a key is one problem, and not the missing key as well.
  [
    site({ controlRegion: undefined, controlRegoin: "europe-west4" }),
    "controlRegoin: unknown here; did you mean controlRegion?",
  ],
  [
    site({ authorizedNetworks: undefined, authorizedNetwork: ["192.0.2.0/28"] }),
    "authorizedNetwork: unknown here; did you mean authorizedNetworks?",
  ],
  [site({ foundation: { deploier: "user:a@b" } }), "foundation.deploier: unknown here; did you mean deployer?"],
  [
    site({ regions: [{ name: "europe-west1", datacentre: "emea", zones: emea.zones }] }),
    "regions[0].datacentre: unknown here; did you mean datacenter?",
  ],
  [site({ region: [emea] }), "region: unknown here; did you mean regions?"],
  [site({ retention: { copiesDays: 7 } }), "retention: unknown here; it is the plan's: plan/retention.ts"],
  [site({ restoreGrants: [grant()] }), "restoreGrants: unknown here; Pulumi.yaml says which keys role site takes"],
  [site({ controlRegion: "mars" }), `controlRegion is "mars": no region that the plan knows; allowed: ${REGIONS}`],
  [
    site({ cassandra: { racks: 2, nodesPerRegion: 2.5, replicationFactor: 2 } }),
    "cassandra.nodesPerRegion is 2.5: of the wrong kind; allowed: a whole number",
  ],
  [
    site({ cassandra: { racks: 1, nodesPerRegion: 2, replicationFactor: 2 } }),
    "cassandra.racks is 1: two racks or more are needed; set 2 or 3",
  ],
  [site({ elasticsearch: { nodes: 0 } }), "elasticsearch.nodes is 0: too few; allowed: 1 or more"],
  [site({ elasticsearch: { nodes: "three" } }), 'elasticsearch.nodes is "three": of the wrong kind; allowed: a number'],
  [site({ backups: undefined }), "backups is not set; set { bucket, location }"],
  [site({ backups: { bucket: "B!", location: "EU" } }), `backups.bucket is "B!": ${BUCKET}`],
  [
    site({ backups: { bucket: "b-1", location: "x" } }),
    `backups.location is "x": no multi-region, so the bucket would be lost with its region; allowed: ${CODES}`,
  ],
  [
    site({ vault: { project: "iconik-drill-vault", location: "europe-west6" } }),
    "vault.copiesBucket is not set; set the bucket's name",
  ],
  [
    site({ charts: { repository: "http://x" } }),
    'charts.repository is "http://x": no OCI repository; allowed: oci://REGISTRY/PATH',
  ],
  [site({ onePassword: { vault: "" } }), 'onePassword.vault is "": too short; allowed: 1 or more'],
  [site({ site: "S" }), `site is "S": ${SITE}`],
  [
    site({ site: "markers" }),
    'site is "markers": taken: the second copies keep documents of their own under evidence, listings, markers; choose another name',
  ],
  [site({ images: "x" }), 'images is "x": of the wrong kind; allowed: an object'],
  [site({ images: { ...(site().images as Values), jobs: "x:latest" } }), `images.jobs is "x:latest": ${IMAGE}`],
  ...["oci://r/p/mirror", "r/p/mirror/", "r/p/mirror:1", "r", "r//m", ""].map((mirror): [Values, string] => [
    site({ images: { ...(site().images as Values), mirror } }),
    `images.mirror is "${mirror}": ${IMAGES}`,
  ]),
  [
    site({ images: { ...(site().images as Values), mirror: undefined } }),
    "images.mirror is not set; set a repository of images: REGISTRY/PROJECT/REPOSITORY",
  ],
  [site({ schedules: { cassandraSnapshot: "0 0 * * * *" } }), `schedules.cassandraSnapshot is "0 0 * * * *": ${CRON}`],
  [
    site({ schedules: { weekly: "0 1 * * *" } }),
    "schedules.weekly: unknown here; Pulumi.yaml says which keys role site takes",
  ],
  [site({ authorizedNetworks: ["10.0.0.1"] }), `authorizedNetworks[0] is "10.0.0.1": ${NETWORK}`],
  [
    site({ restore: { site: "prod", marker: "x", grant: STACK } }),
    'restore.marker is "x": no copy; allowed: latest or a marker id (copy-YYYYMMDDthhmmssz)',
    "vault.markerKeys is []: a restore believes no copy without a key; set the vault's output markerKeys",
  ],

  [vault({ location: undefined }), "location is not set; set a region of Google Cloud, e.g. europe-west1"],
  [vault({ location: "x" }), `location is "x": no region that the plan knows; allowed: ${REGIONS}`],
  [vault({ copies: undefined }), "copies is not set; set { bucket }"],
  [vault({ copies: { bucket: "c-1", retentionDays: -1 } }), "copies.retentionDays is -1: too few; allowed: 0 or more"],
  [
    vault({ copies: { bucket: "c-1", retentionDays: 9999 } }),
    "copies.retentionDays is 9999: too many; allowed: 3650 or fewer",
  ],
  [vault({ sites: [{ ...copied, repositories: [] }] }), "sites[0].repositories is []: too few; allowed: 1 or more"],
  [
    vault({ sites: [copied, { ...copied, project: "iconik-drill-p2", bucket: "b-2" }] }),
    'sites[1].name is "prod": given twice; its copies would mix; name each site once',
  ],
  [
    vault({ sites: [{ ...copied, project: "iconik-drill-vault" }] }),
    'sites[0].project is "iconik-drill-vault": the vault\'s own project; a site has a project of its own',
  ],
  [vault({ restoreGrants: [grant({ site: undefined })] }), "restoreGrants[0].site is not set; set the site's name"],
  [vault({ publishers: ["allUsers"] }), `publishers[0] is "allUsers": ${MEMBER}`],

  [foundation({ media: undefined }), "media is not set; set { location }"],
  [
    foundation({ media: { location: "europe-west1", prefix: "iconik-drill-" } }),
    `media.location is "europe-west1": no multi-region, so the bucket would be lost with its region; allowed: ${CODES}`,
  ],
  [foundation({ regions: [emea] }), "regions: unknown here; Pulumi.yaml says which keys role foundation takes"],

  [
    bootstrap({ github: { repository: "r", repositoryId: "7" } }),
    'github.repository is "r": no repository; allowed: OWNER/NAME',
  ],
  [bootstrap({ github: { repository: "o/r", repositoryId: 7 } }), `github.repositoryId is 7: ${NUMBER}`],
  [bootstrap({ github: { repository: "o/r", repositoryId: "r" } }), `github.repositoryId is "r": ${NUMBER}`],
  [bootstrap({ stacks: [] }), "stacks is not set; set a list of { name, role, project, stateLocation }"],
  [
    bootstrap({ stacks: [state({ name: "P" })] }),
    'stacks[0].name is "P": no stack name; allowed: 2 to 20 lower-case letters, digits and hyphens, a letter first',
  ],
  [
    bootstrap({ stacks: [state({ role: "standby" })] }),
    'stacks[0].role is "standby": not known; allowed: site, vault, foundation',
  ],
  [bootstrap({ stacks: [state({ stateLocation: "EUR7" })] }), `stacks[0].stateLocation is "EUR7": ${PLACE}`],
  [
    bootstrap({ stacks: [state({ regions: ["europe-west1"], stateLocation: "europe-west1" })] }),
    'stacks[0].stateLocation is "europe-west1": one of the stack\'s regions, with which its state would be lost; choose a multi-region or another region',
  ],
  [
    bootstrap({ stacks: [state(), state({ project: "iconik-drill-p2" })] }),
    'stacks[1].name is "prod": given before in stacks[0]; each stack has its own',
  ],
  [
    bootstrap({ stacks: [state(), state({ name: "other" })] }),
    'stacks[1].project is "iconik-drill-prod": given before in stacks[0]; each stack has its own',
  ],
  [
    bootstrap({ stacks: [state({ project: "iconik-drill-bootstrap" })] }),
    'stacks[0].project is "iconik-drill-bootstrap": the project of the states, which no pipeline administers; a stack has a project of its own',
  ],
  [
    bootstrap({ stacks: [state(), state({ name: "vault", role: "vault", project: "iconik-drill-vault" })] }),
    'stacks[1].role is "vault": beside stacks of other roles, whose administrators would reach the copies; give the vault a bootstrap stack of its own',
  ],
  [
    bootstrap({ stacks: [state({ publishes: true })] }),
    "stacks[0].publishes is true: only the vault has a registry to publish to; remove it",
  ],
  [
    bootstrap({ breakGlass: { member: "group:g@b", until: "2026-01-01T00:00:00Z" } }),
    'breakGlass.until is "2026-01-01T00:00:00Z": has passed; remove breakGlass, or set a moment that covers the work',
  ],
  [
    bootstrap({ breakGlass: { member: "group:g@b", until: LATER } }),
    `breakGlass.until is "${LATER}": more than 24 hours ahead; break-glass access ends soon`,
  ],
  [bootstrap({ breakGlass: { member: "allUsers", until: SOON } }), `breakGlass.member is "allUsers": ${MEMBER}`],
  [
    bootstrap({ stateReader: { issuer: "https://example.com" } }),
    'stateReader.issuer is "https://example.com": no issuer of an EKS cluster; allowed: https://oidc.eks.REGION.amazonaws.com/id/ID',
  ],
  [
    bootstrap({ project: "iconik-bootstrap" }),
    'deletionProtection is false: only projects of drills go unprotected; remove it, or use a project with "drill" between hyphens in its name',
  ],
];

test("at least forty configurations are refused, word for word", () => assert.ok(wrong.length >= 40));

test("what the others are made from is accepted", () => {
  for (const values of [
    site(),
    vault(),
    vault({ restoreGrants: [grant()] }),
    foundation(),
    bootstrap(),
    bootstrap({ breakGlass: { member: "group:g@b", until: SOON } }),
  ])
    assert.doesNotThrow(() => parsed(values));
});

for (const [values, ...lines] of wrong) {
  test(`refused: ${lines.join("; ").slice(0, 100)}`, () => {
    const count = lines.length === 1 ? "1 problem" : `${lines.length} problems`;
    assert.throws(() => parsed(values), {
      name: "ConfigError",
      message: `configuration of stack "${STACK}" has ${count}; nothing was changed\n${lines.map((line) => `  - iconik-dr:${line}`).join("\n")}`,
    });
  });
}

test("a refusal has no frames: the SDK colours those that it hides, and Node.js does not end with each", () => {
  const { stack } = new ConfigError(STACK, ["it is wrong"]);
  assert.equal(
    stack,
    `ConfigError: configuration of stack "${STACK}" has 1 problem; nothing was changed\n  - it is wrong`,
  );
});
