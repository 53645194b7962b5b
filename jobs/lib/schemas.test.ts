/** docs/schemas is what the jobs write and read. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020";
import addFormats from "ajv-formats";
import { manifestOf } from "../testing/backups";
import { jsonSchemas } from "./schemas";

const FOLDER = join(__dirname, "..", "..", "docs", "schemas");

test("docs/schemas is what the jobs write and read", () => {
  const schemas = jsonSchemas();
  if (process.env.UPDATE_GOLDEN) {
    mkdirSync(FOLDER, { recursive: true });
    for (const [name, text] of schemas) writeFileSync(join(FOLDER, name), text);
  }
  const hint = "if it is meant, give the document a new version, run `make golden` and review the difference";
  assert.deepEqual(readdirSync(FOLDER).sort(), [...schemas.keys()].sort(), hint);
  for (const [name, text] of schemas) assert.equal(readFileSync(join(FOLDER, name), "utf8"), text, hint);
});

test("each says a version, takes what is written and refuses what is not", () => {
  const ajv = addFormats.default(new Ajv2020({ strict: false }));
  const schemas = new Map([...jsonSchemas()].map(([name, text]) => [name, JSON.parse(text)]));
  for (const [name, schema] of schemas) {
    assert.ok(schema.description && schema.title, name);
    if (name !== "file.json") assert.match(JSON.stringify(schema), /"version":\{"type":"number","const":\d+\}/, name);
  }
  const manifest = ajv.compile(schemas.get("manifest.json"));
  const { manifest: good } = manifestOf("cassandra", "night-emea-20260115t010000z", { "a/b": "c" });
  assert.ok(manifest(good), ajv.errorsText(manifest.errors));
  assert.ok(!manifest({ ...good, version: 0 }));
  assert.ok(!manifest({ ...good, nodes: [] }));
  const evidence = ajv.compile(schemas.get("evidence.json"));
  const found = {
    version: 1,
    site: "prod",
    marker: "copy-20260115t020000z",
    repository: "cassandra-emea",
    backup: "night-emea-20260115t010000z",
    startedAt: "2026-01-15T07:00:00Z",
    finishedAt: "2026-01-15T08:00:00Z",
    result: "ok",
    problems: [],
    notes: [],
    server: "5.0.4",
    objects: 1,
    bytes: 1,
    nodes: [{ host: "n", parts: [{ name: "a.b", rows: 1, digest: "0".repeat(32) }] }],
  };
  assert.ok(evidence(found), ajv.errorsText(evidence.errors));
  assert.ok(!evidence({ ...found, result: "good" }));
  assert.ok(!evidence({ ...found, nodes: [{ host: "n", parts: [{ name: "a.b", rows: 1, digest: "0" }] }] }));
});
