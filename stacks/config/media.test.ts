/** Wrong configurations of the media and of who uses them: each is refused word for word. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { vaultConfig } from "../../drill/config";
import type { VaultConfig } from ".";
import { foundation, parsed, type Values } from "./testing";

/** A day so many days from now. */
const day = (days: number) => new Date(Date.now() + days * 24 * 3600_000).toISOString().slice(0, 10);
const media = (change: Values = {}) => ({ location: "EU", project: "iconik-foundation", ...change });
const vault = (change: Values = {}, rest: Values = {}): Values => ({
  ...vaultConfig({ retentionDays: 7 }),
  project: "iconik-vault",
  deletionProtection: true,
  media: media(change),
  ...rest,
});
const approval = (change: Values = {}) => ({ bucket: "iconik-files", date: day(1), objects: 10, ...change });
const approvals = (...list: Values[]) => vault({ approvals: list });

const parse = (values: Values) => parsed(values, "it");

const EUROPE = "europe-west2, europe-west6";
const AMERICA = "northamerica-northeast1, northamerica-northeast2, northamerica-south1";
const OURS =
  "no media bucket of the product, and customer-owned buckets are never copied; allowed: iconik-files, iconik-keyframes, iconik-proxies";
const TAKEN = "a media bucket of the plan; backups have buckets of their own";
const SHARE = "no share; allowed: a number from 0 to 0.5, e.g. 0.02 for 2 %";
const FLOOR = "no number of objects; allowed: an integer from 0 to 1000000";
const OBJECTS = "no number of objects; allowed: an integer of 1 or more, as the failed job says";
const DAY = "no day; allowed: YYYY-MM-DD in quotes, the day of the run in UTC";

const cases: [what: string, values: Values, line: string][] = [
  [
    "a primary in a single region",
    vault({ location: "europe-west1" }),
    'media.location is "europe-west1": no multi-region, so the bucket would be lost with its region; allowed: EU, US, ASIA, ASIA1, EUR4, EUR5, EUR7, EUR8, NAM4',
  ],
  [
    "secondaries inside the primaries' dual-region",
    vault({ location: "EUR8" }),
    'media.location is "EUR8": the secondaries cannot lie in the vault\'s location: "europe-west6" lies inside the primary\'s multi-region EUR8; choose one of europe-central2, europe-north1, europe-north2, europe-southwest1, europe-west1, europe-west2, europe-west4, europe-west8, europe-west9, europe-west10, europe-west12',
  ],
  [
    "secondaries on another continent",
    vault({ location: "US" }),
    `media.location is "US": the secondaries cannot lie in the vault's location: "europe-west6" is on another continent (europe) than US (north-america); choose one of ${AMERICA}`,
  ],
  [
    "media in the vault's own project",
    vault({ project: "iconik-vault" }),
    "media.project is \"iconik-vault\": the vault's own project; whoever owns the primaries must not own the copies; name the foundation's",
  ],
  [
    "media in a site's project",
    vault({ project: "iconik-drill-prod" }),
    'media.project is "iconik-drill-prod": the project of site "drill-prod"; name the foundation\'s',
  ],
  ["media without a project", vault({ project: undefined }), "media.project is not set; set the project's id"],
  [
    "a list of buckets, a customer's among them",
    vault({ buckets: ["acme-media"] }),
    "media.buckets: unknown here; Pulumi.yaml says which keys role vault takes",
  ],
  [
    "approval for a customer's bucket",
    approvals(approval({ bucket: "acme-media" })),
    `media.approvals[0].bucket is "acme-media": ${OURS}`,
  ],
  [
    "approval for a secondary",
    approvals(approval({ bucket: "iconik-files-secondary" })),
    `media.approvals[0].bucket is "iconik-files-secondary": ${OURS}`,
  ],
  [
    "approval of any number",
    approvals(approval({ objects: undefined })),
    `media.approvals[0].objects is not set: ${OBJECTS}`,
  ],
  ["approval of nothing", approvals(approval({ objects: 0 })), `media.approvals[0].objects is 0: ${OBJECTS}`],
  [
    "approval for a moment",
    approvals(approval({ date: "2026-11-25T00:00:00Z" })),
    `media.approvals[0].date is "2026-11-25T00:00:00Z": ${DAY}`,
  ],
  [
    "approval for a day that was",
    approvals(approval({ date: day(-1) })),
    `media.approvals[0].date is "${day(-1)}": has passed; remove the approval, or set the day of the run`,
  ],
  [
    "approval for months ahead",
    approvals(approval({ date: day(60) })),
    `media.approvals[0].date is "${day(60)}": more than 7 days ahead; approve what is to happen soon`,
  ],
  [
    "two approvals for one night",
    approvals(approval(), approval({ objects: 99 })),
    `media.approvals[1].date is "${day(1)}": given twice for iconik-files; keep the one with the number that is meant`,
  ],
  ["a breaker that lets everything pass", vault({ breaker: { share: 1 } }), `media.breaker.share is 1: ${SHARE}`],
  ["a share in words", vault({ breaker: { share: "2 %" } }), `media.breaker.share is "2 %": ${SHARE}`],
  ["half an object", vault({ breaker: { floor: 0.5 } }), `media.breaker.floor is 0.5: ${FLOOR}`],
  ["a floor above any bucket", vault({ breaker: { floor: 1e9 } }), `media.breaker.floor is 1000000000: ${FLOOR}`],
  [
    "copies of backups in a media bucket",
    vault({}, { copies: { bucket: "iconik-files-secondary", retentionDays: 7 } }),
    `copies.bucket is "iconik-files-secondary": ${TAKEN}`,
  ],
  [
    "a site that backs up to a media bucket",
    vault({}, { sites: [{ ...(vaultConfig({ retentionDays: 7 }).sites as Values[])[0], bucket: "iconik-proxies" }] }),
    `sites[0].bucket is "iconik-proxies": ${TAKEN}`,
  ],
  [
    "a wrong hour for media",
    vault({}, { schedules: { mediaReplication: "at night" } }),
    'schedules.mediaReplication is "at night": no cron expression; allowed: five fields in UTC, e.g. 0 1 * * *',
  ],
  [
    "scratch buckets outside a drill",
    vault({ prefix: "iconik-drill-" }),
    'media.prefix is "iconik-drill-": scratch buckets are for projects of drills; remove it',
  ],
  [
    "the product's media in a drill",
    vault({}, { project: "iconik-drill-vault" }),
    'media.prefix is "iconik-": the product\'s own buckets; a drill uses scratch ones; set e.g. iconik-drill-',
  ],
  [
    "a prefix without a drill in it",
    vault({ prefix: "acme-" }, { project: "iconik-drill-vault" }),
    'media.prefix is "acme-": no prefix of scratch buckets; allowed: lower-case letters, digits and hyphens with "drill" between hyphens',
  ],
  [
    "foundation: another prefix",
    foundation({ media: { location: "EU", prefix: "acme-" } }),
    'media.prefix is "acme-": scratch buckets are for projects of drills; remove it',
  ],
  [
    "foundation: a site twice",
    foundation({
      sites: [
        { name: "prod", project: "iconik-prod" },
        { name: "prod", project: "iconik-prod-2" },
      ],
    }),
    'sites[1].name is "prod": given twice; name each site once',
  ],
  [
    "foundation: two sites of one project",
    foundation({
      sites: [
        { name: "prod", project: "iconik-prod" },
        { name: "rebuild-1", project: "iconik-prod" },
      ],
    }),
    'sites[1].project is "iconik-prod": the project of sites[0] as well; each site has its own',
  ],
  [
    "foundation: a site in its own project",
    foundation({ sites: [{ name: "prod", project: "iconik-foundation" }] }),
    'sites[0].project is "iconik-foundation": the foundation\'s own project; a site has a project of its own',
  ],
  [
    "foundation: a site in the vault's project",
    foundation({ sites: [{ name: "prod", project: "iconik-vault" }] }),
    'sites[0].project is "iconik-vault": the vault\'s project; a site has a project of its own',
  ],
  [
    "foundation: the vault in its own project",
    foundation({ vault: { project: "iconik-foundation" } }),
    'vault.project is "iconik-foundation": the foundation\'s own project; second copies are under administrators of their own',
  ],
  [
    "foundation: a site without a project",
    foundation({ sites: [{ name: "prod" }] }),
    "sites[0].project is not set; set the project's id",
  ],
];

for (const [what, values, line] of cases) {
  test(`${what} is refused, word for word`, () => {
    assert.throws(() => parse(values), {
      name: "ConfigError",
      message: `configuration of stack "it" has 1 problem; nothing was changed\n  - iconik-dr:${line}`,
    });
  });
}

test("what is not said is the plan's, and what is empty is absent", () => {
  const of = (values: Values) => (parse(values) as VaultConfig).media;
  assert.deepEqual(of(vault()), {
    ...media(),
    prefix: "iconik-",
    breaker: { share: 0.02, floor: 500 },
    approvals: [],
    restores: [],
  });
  assert.deepEqual(of(vault({ breaker: { floor: 0 } }))?.breaker, { share: 0.02, floor: 0 });
  assert.deepEqual(of(vault({ approvals: [] }))?.approvals, []);
  assert.equal(of(vault({}, { media: {} })), undefined);
  assert.doesNotThrow(() =>
    parse(approvals(approval(), approval({ date: day(7) }), approval({ bucket: "iconik-proxies" }))),
  );
  for (const change of [{}, { sites: [] }, { vault: {} }, { sites: [], vault: {} }])
    assert.doesNotThrow(() => parse(foundation(change)));
});

test("secondaries in the primaries' multi-region are refused with the location that they share with the backups", () => {
  assert.throws(
    () => parse(vault({}, { location: "europe-west4" })),
    new RegExp(`location is "europe-west4": inside the multi-region EU that holds primaries; choose one of ${EUROPE}`),
  );
});
