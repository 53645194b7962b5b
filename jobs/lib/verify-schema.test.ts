import assert from "node:assert/strict";
import { test } from "node:test";
import { schemaDigest } from "./medusa";
import { columnsOf } from "./schema";
import { schemaNotes, schemaProblem } from "./verify-schema";

const SCHEMA = `CREATE KEYSPACE media WITH replication = {'class': 'NetworkTopologyStrategy', 'emea': '3'};
CREATE TABLE media.assets (
  tenant int,
  id int,
  title text,
  PRIMARY KEY (tenant, id)
) WITH comment = '';
`;
const of = (schema: string, dropped: string[] = []) => ({
  columns: columnsOf(schema, "media", "assets")!,
  dropped: new Set(dropped),
});

test("a schema that is another than the manifest's is a problem; the order of its statements is none", () => {
  const [keyspace, table] = SCHEMA.trim().split(/;\n/) as [string, string];
  assert.equal(schemaProblem(SCHEMA, schemaDigest(SCHEMA)), undefined);
  assert.equal(schemaProblem(`${table}\n${keyspace};\n`, schemaDigest(SCHEMA)), undefined);
  assert.match(
    schemaProblem(SCHEMA.replace("title", "name"), schemaDigest(SCHEMA))!,
    /has the digest \w+, the manifest/,
  );
});

test("columns that the server has otherwise, or not, or more of, are notes", () => {
  assert.deepEqual(schemaNotes(SCHEMA, "media", "assets", of(SCHEMA)), []);
  const added = of(SCHEMA.replace("title text", "title blob,\n  added int"));
  assert.deepEqual(schemaNotes(SCHEMA, "media", "assets", added), [
    "media.assets: column title is blob, the backup has text",
    "media.assets: column added is not in schema.cql",
  ]);
  const gone = SCHEMA.replace("  title text,\n", "");
  assert.match(schemaNotes(SCHEMA, "media", "assets", of(gone)).join(), /column title text of the backup is not in it/);
  assert.deepEqual(schemaNotes(SCHEMA, "media", "assets", of(gone, ["title"])), []);
  assert.deepEqual(schemaNotes(SCHEMA, "media", "other", of(SCHEMA)), ["media.other is not in schema.cql"]);
  assert.deepEqual(schemaNotes(SCHEMA, "media", "assets", undefined), []);
});
