/** Looking a copy up before a restore: refused with what there is, before anything is created. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { seal } from "../jobs/lib/envelope";
import type { Marker } from "../jobs/lib/manifest";
import { testKey } from "../jobs/testing/kms";
import { markerPath } from "../plan/layout";
import { markerType } from "../plan/markers";
import { stackConfig } from "../tests/lib/stack-file";
import { ConfigError, type SiteConfig } from "./config";
import { type BucketReader, findCopy } from "./copies";

const OLDER = "copy-20260114t020000z";
const NEWER = "copy-20260115t020000z";
const moment = "2026-01-15T01:00:00.000Z";
const files = { path: "a.jsonl", sha256: "0".repeat(64), objects: 1, bytes: 1 };

const cassandra = (datacenter: string, racks: string[], version = "5.0.4") => ({
  version: 2 as const,
  kind: "cassandra" as const,
  repository: `cassandra-${datacenter}`,
  backup: "night-20260115t010000z",
  startedAt: moment,
  finishedAt: moment,
  files,
  datacenter,
  nodes: racks.map((rack, index) => ({ host: `node-${index}`, rack, tokens: ["1"] })),
  racks,
  schemaDigest: "",
  tables: [],
  versions: { cassandra: version },
});
const elasticsearch = (datacenter: string) => ({
  version: 2 as const,
  kind: "elasticsearch" as const,
  repository: `elasticsearch-${datacenter}`,
  backup: "night-20260115t013000z",
  startedAt: moment,
  finishedAt: moment,
  files,
  indices: [{ name: "i", shards: 1, files: 1, bytes: 1, mappingsDigest: "" }],
  versions: { elasticsearch: "9.2.3" },
});
type Head = ReturnType<typeof cassandra> | ReturnType<typeof elasticsearch>;

const RACKS = ["rack1", "rack2", "rack3"];
const whole: Head[] = ["emea", "amer"].flatMap((name) => [cassandra(name, RACKS), elasticsearch(name)]);

function marker(id: string, heads: Head[]): Marker {
  const repositories = heads.map((manifest) => [
    manifest.repository,
    { backup: manifest.backup, copy: id, manifest, listing: files, layers: [id] },
  ]);
  return { version: 2, site: "prod", id, createdAt: moment, repositories: Object.fromEntries(repositories) };
}

const key = testKey();
const signed = async (each: Marker, id = each.id, by = key): Promise<[string, string]> => [
  markerPath("prod", id),
  await seal(markerType, JSON.stringify(each), by),
];

/** A bucket of copies with these markers of prod. */
async function reader(...markers: Marker[]): Promise<BucketReader> {
  return bucketOf(await Promise.all(markers.map((each) => signed(each))));
}

function bucketOf(entries: [string, string][]): BucketReader {
  const objects = new Map(entries);
  return {
    list: async (bucket, prefix) => {
      assert.equal(bucket, "iconik-vault-backup-copies");
      return [...objects.keys()].filter((name) => name.startsWith(prefix));
    },
    read: async (_, name) => objects.get(name)!,
  };
}

const find = async (
  bucket: BucketReader | Promise<BucketReader>,
  restore?: { site?: string; marker?: string; before?: string },
  changes = {},
) => {
  const wanted = restore && { site: "prod", marker: "latest", grant: "rebuild-1", ...restore };
  const { vault } = stackConfig("prod") as SiteConfig;
  const own = { project: "iconik-rebuild-1", restore: wanted, vault: { ...vault, markerKeys: [key.pem] } };
  const config = stackConfig("prod", { ...own, ...changes }, "rebuild-1");
  return findCopy("rebuild-1", config as SiteConfig, await bucket);
};
const refused = (promise: Promise<unknown>, ...messages: RegExp[]) =>
  assert.rejects(promise, (error: Error) => {
    assert.ok(error instanceof ConfigError, error.stack);
    assert.match(error.message, /nothing was changed/);
    for (const message of messages) assert.match(error.message, message);
    return true;
  });

test("a site that restores nothing asks nobody", async () => {
  const silent: BucketReader = { list: () => assert.fail(), read: () => assert.fail() };
  assert.equal(await find(silent), undefined);
});

test("the newest copy is found, and one by its name", async () => {
  const bucket = reader(marker(NEWER, whole), marker(OLDER, whole));
  assert.deepEqual(await find(bucket, {}), { source: "prod", marker: NEWER, refused: [] });
  assert.deepEqual(await find(bucket, { marker: OLDER }), { source: "prod", marker: OLDER, refused: [] });
});

test("a forged, an unsigned or a moved marker is passed over as the newest, and refused by its name", async () => {
  const [unsigned, forged, moved] = ["20260118", "20260117", "20260116"].map((day) => `copy-${day}t020000z`);
  const bucket = bucketOf([
    [markerPath("prod", unsigned!), JSON.stringify(marker(unsigned!, whole))],
    await signed(marker(forged!, whole), forged, testKey()),
    await signed(marker(OLDER, whole), moved),
    await signed(marker(NEWER, whole)),
  ]);
  const found = await find(bucket, {});
  assert.equal(found?.marker, NEWER);
  assert.deepEqual(
    found?.refused.map(({ id }) => id),
    [unsigned, forged, moved],
  );
  await refused(
    find(bucket, { marker: forged! }),
    /restore\.marker is "copy-20260117.* is not of a key that is trusted/,
  );
  await refused(find(bucket, { marker: unsigned! }), /it is not signed: no envelope/);
  await refused(find(bucket, { marker: moved! }), /it was signed for copy copy-20260114t020000z of site "prod"/);
  const others = { vault: { ...(stackConfig("prod") as SiteConfig).vault, markerKeys: [testKey().pem] } };
  await refused(find(bucket, {}, others), /none of the 4 markers .* is believed .*compare iconik-dr:vault\.markerKeys/);
});

test("a copy that doesn't exist is answered with those that do", () =>
  refused(
    find(reader(marker(OLDER, whole)), { marker: NEWER }),
    /restore\.marker is "copy-20260115t020000z": no such copy of site "prod" in iconik-vault-backup-copies/,
    /allowed: latest, copy-20260114t020000z/,
  ));

test("a grant that is not there or has ended is said to be the reason, in one line", () =>
  refused(
    find(
      {
        list: () =>
          Promise.reject(new Error("\u001b[31minvocation refused: 403 may not list\u001b[0m\n    at grpc.frame")),
        read: () => assert.fail(),
      },
      {},
    ),
    /restore\.grant is "rebuild-1": the copies in iconik-vault-backup-copies cannot be read \(invocation refused: 403 may not list\); add or renew it/,
  ));

test("a site without copies is said to have none", () =>
  refused(find(reader(marker(OLDER, whole)), { site: "staging" }), /no such copy of site "staging".*allowed: none/));

test("a copy without one of the site's datacenters does not fit", () =>
  refused(
    find(reader(marker(NEWER, whole.slice(0, 3))), {}),
    /regions\[1\]\.datacenter is "amer": copy copy-20260115t020000z has no elasticsearch-amer; it has cassandra-amer, cassandra-emea/,
  ));

test("a copy of other nodes and racks does not fit", () => {
  const two = ["rack1", "rack2"];
  const heads = [cassandra("emea", two), elasticsearch("emea"), ...whole.slice(2)];
  return refused(
    find(reader(marker(NEWER, heads)), {}),
    /has 2 problems/,
    /cassandra\.nodesPerRegion is 3: .* has 2 nodes in emea; set 2/,
    /cassandra\.racks is 3 \(rack1, rack2, rack3\): .* has rack1, rack2 in emea; set 2/,
  );
});

test("a copy of another major version does not fit", () => {
  const heads = [cassandra("emea", RACKS, "4.1.9"), ...whole.slice(1)];
  return refused(
    find(reader(marker(NEWER, heads)), {}),
    /was written by 4\.1\.9 in emea; use the program of a commit with its major version/,
  );
});

test("before takes the newest copy that began at or before a moment", async () => {
  const found = (before: string) => find(reader(marker(OLDER, whole), marker(NEWER, whole)), { before });
  assert.equal((await found("2026-01-15T02:00:00Z"))?.marker, NEWER);
  assert.equal((await found("2026-01-15T01:59:59Z"))?.marker, OLDER);
  await refused(
    found("2026-01-14T01:00:00Z"),
    /restore\.before is "2026-01-14T01:00:00Z": no copy of site "prod" .* began at or before it; the oldest of 2 is copy-20260114t020000z/,
  );
  await refused(find(reader(), { before: "2026-01-14T01:00:00Z" }), /the oldest of 0 is none/);
});

test("a copy that a newer Elasticsearch wrote is refused", async () => {
  const newer = whole.map((head) =>
    head.kind === "elasticsearch" ? { ...head, versions: { elasticsearch: "10.0.0" } } : head,
  );
  await refused(
    find(reader(marker(NEWER, newer)), {}),
    /has Elasticsearch 9\.2\.3: copy copy-20260115t020000z was written by 10\.0\.0 in emea; use the program of a commit with its major version or a newer one/,
  );
});
