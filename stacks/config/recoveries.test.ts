import assert from "node:assert/strict";
import { test } from "node:test";
import type { SiteConfig } from ".";
import { parsed, site, type Values } from "./testing";

const table = { id: "t1", kind: "table", datacenter: "emea", keyspace: "iconik", table: "assets" };
const index = { id: "i1", kind: "index", datacenter: "emea", index: "assets" };
const before = "2026-11-25T12:00:00Z";
const recoveries = (...all: Values[]) => site({ recoveries: all });
const refused = (values: Values, message: RegExp) => assert.throws(() => parsed(values), message);

test("a site without recoveries has none", () => {
  assert.deepEqual((parsed(site()) as SiteConfig).recoveries, []);
});

test("a table is brought back from a backup by name or by time", () => {
  const all = [
    { ...table, before },
    { ...table, id: "t2", backup: "night-emea-20261125t010000z", truncate: true, volume: "2Ti" },
    { id: "all", kind: "table", datacenter: "amer", keyspace: "iconik", before },
  ];
  const config = parsed(recoveries(...all)) as SiteConfig;
  assert.deepEqual(
    config.recoveries.map(({ id }) => id),
    ["t1", "t2", "all"],
  );
});

test("an index is brought back beside the living one, or in its place", () => {
  const all = [
    { ...index, before },
    { ...index, id: "i2", backup: "night-20261125t013000z", replace: true },
  ];
  const { recoveries: found } = parsed(recoveries(...all)) as SiteConfig;
  assert.deepEqual(
    found.map((each) => each.kind === "index" && [each.index, each.replace]),
    [
      ["assets", false],
      ["assets", true],
    ],
  );
  for (const name of [".security-7", "assets-*", "a,b", "Assets", "", "a".repeat(225), "_all", "a/b"]) {
    refused(
      recoveries({ ...index, before, index: name }),
      /recoveries\[0\]\.index is ".*": no index; allowed: one name/,
    );
  }
  refused(recoveries({ ...index, before, index: undefined }), /recoveries\[0\]\.index is not set: no index/);
  refused(recoveries({ ...index, before, truncate: true }), /recoveries\[0\]\.truncate: unknown here/);
  refused(recoveries(index), /recoveries\[0\]\.backup is not set/);
});

test("what cannot be meant is refused with the fix", () => {
  const cases: [Values, RegExp][] = [
    [{ ...table }, /recoveries\[0\]\.backup is not set: missing; name a backup, or say with before of which moment/],
    [
      { ...table, before, backup: "night-emea-20261125t010000z" },
      /recoveries\[0\]\.before is ".*": one of backup and before says which backup; remove the other/,
    ],
    [{ ...table, backup: "copy-20261125t010000z" }, /recoveries\[0\]\.backup is "copy-.*": no backup; allowed: a name/],
    [{ ...table, before: "yesterday" }, /recoveries\[0\]\.before is "yesterday": no moment; allowed: ISO-8601/],
    [{ ...table, before, id: "T1" }, /recoveries\[0\]\.id is "T1": no id; allowed: 1 to 30/],
    [{ ...table, before, id: "a".repeat(31) }, /recoveries\[0\]\.id is "a+": no id; allowed: 1 to 30/],
    [
      { ...table, before, datacenter: "apac" },
      /recoveries\[0\]\.datacenter is "apac": no datacenter of this site; allowed: emea, amer/,
    ],
    [
      { ...table, before, kind: "row" },
      /recoveries\[0\]\.kind is .*"row".*: no kind of recovery; allowed: table, index/,
    ],
    [{ ...table, before, keyspace: "system_auth" }, /recoveries\[0\]\.keyspace is "system_auth": Cassandra's own/],
    [
      { ...table, before, table: undefined, truncate: true },
      /recoveries\[0\]\.truncate is true: a table is emptied by its name alone; name the table/,
    ],
    [
      { ...table, before, volume: "500" },
      /recoveries\[0\]\.volume is "500": no size of a volume; allowed: e\.g\. 500Gi/,
    ],
    [{ ...table, before, tabel: "x" }, /recoveries\[0\]\.tabel: unknown here/],
  ];
  for (const [values, message] of cases) refused(recoveries(JSON.parse(JSON.stringify(values))), message);
});

test("a datacenter that joins or is retired has no backup to recover from", () => {
  const [emea, amer] = site().regions as Values[];
  for (const state of ["joining", "retired"])
    refused(
      site({ regions: [emea, { ...amer, state }], recoveries: [{ ...table, before, datacenter: "amer" }] }),
      /recoveries\[0\]\.datacenter is "amer": a datacenter that is not saved; allowed: emea$/m,
    );
});

test("an id is used once, and never while the whole site is restored", () => {
  refused(
    recoveries({ ...table, before }, { ...table, before }),
    /recoveries\[1\]\.id is "t1": given before in recoveries\[0\]/,
  );
  refused(
    site({ recoveries: [{ ...table, before }], restore: { site: "prod", marker: "latest", grant: "drill-prod" } }),
    /recoveries\[0\]\.id is "t1": the whole site is being restored; remove restore first, or this/,
  );
});
