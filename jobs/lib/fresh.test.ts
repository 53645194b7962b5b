/** What is tonight's backup, and what only looks so. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { backupName, manifestPath } from "../../plan/layout";
import { freshManifests, futureManifests } from "./fresh";

const NOW = new Date("2026-03-10T02:00:00Z");
const tonight = { snapshots: { cassandra: "0 1 * * *", elasticsearch: "30 1 * * *" }, youngHours: 2 };
const CASSANDRA = "cassandra-emea";
const path = (moment: string, repository = CASSANDRA) =>
  manifestPath(repository, backupName(new Date(moment), repository === CASSANDRA ? "emea" : undefined));
const fresh = (...paths: string[]) => freshManifests([CASSANDRA], paths, tonight, NOW);

test("a backup begun since its snapshot was due is tonight's", () => {
  assert.deepEqual(
    [...fresh(path("2026-03-10T01:00:03Z"), path("2026-03-09T01:00:03Z")).backups.values()],
    ["night-emea-20260310t010003z"],
  );
});

test("one that was repeated by day is not, however young it looks", () => {
  const { backups, stale } = fresh(path("2026-03-09T09:00:00Z"));
  assert.equal(backups.size, 0);
  assert.match(stale.join(), /night-emea-20260309t090000z is 17\.0 h old, tonight's was due 2026-03-10T01:00:00/);
});

test("one of the last two hours is, though its snapshot was due after it", () => {
  assert.equal(fresh(path("2026-03-10T00:30:00Z")).backups.size, 1);
});

test("one from the future is passed over for the newest that is not, and told", () => {
  const paths = [path("2099-12-31T01:00:00Z"), path("2026-03-10T01:00:03Z")];
  const future = (...of: string[]) => futureManifests([CASSANDRA], of, NOW);
  assert.equal(fresh(...paths).backups.get(CASSANDRA), "night-emea-20260310t010003z");
  assert.deepEqual(future(...paths), ["cassandra-emea: night-emea-20991231t010000z"]);
  assert.equal(future(path("2026-03-10T02:04:00Z")).length, 0, "clocks differ by minutes");
});

test("each store has its own clock; without a manifest, and with names that are no moments, there is none", () => {
  const search = "elasticsearch-emea";
  const found = freshManifests([CASSANDRA, search], [path("2026-03-09T23:59:00Z", search)], tonight, NOW);
  assert.match(found.stale.join("\n"), /cassandra-emea: no manifest\nelasticsearch-emea: .*due 2026-03-10T01:30:00/);
  assert.match(fresh("manifests/cassandra-emea/night-emea-20261399t990000z.json").stale.join(), /no manifest/);
});
