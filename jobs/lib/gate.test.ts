/** The gate over small backups, each with one thing wrong, and over one that is larger than the memory. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { underHeapLimit } from "../testing/heap";
import { gate } from "./gate";
import { byBytes } from "./listing";
import { metaPath } from "./medusa";
import type { StoredFile } from "./rclone";

const [P, B, ID] = ["cassandra", "night-emea-20260115t010000z", "0123456789abcdef0123456789abcdef"];
const RACKS = ["rack1", "rack2"];
const TABLES = ["assets", "files"];
const META = ["manifest.json", "schema.cql", "tokenmap.json", "server_version.json"];

interface Node {
  rack: string;
  schema: string;
  version: string;
  sizes: Record<string, number>;
}
/** A backup that is to be changed: nodes by host, and the bucket's objects. */
interface Backup {
  nodes: Record<string, Node>;
  /** What token maps name, the backup's own nodes among them. */
  ring: Record<string, string>;
  bucket: Map<string, StoredFile>;
  /** What manifests have instead of an md5, for what went to S3 in parts. */
  etag?: string;
}

const schemaOf = (tables: readonly string[]) =>
  tables.map((table) => `CREATE TABLE media.${table} (\n    id int PRIMARY KEY\n);`).join("\n\n");
const md5 = (digit: string) => digit.repeat(32);
const dataPath = (host: string, table: string) => `${P}/${host}/data/media/${table}-${ID}/nb-1-big-Data.db`;
const finished = (host: string) => `${P}/index/backup_index/${B}/finished_${host}_1.timestamp`;

/** A backup of two nodes in two racks, with everything that must not count beside it. */
function whole(): Backup {
  const node = (rack: string): Node => ({
    rack,
    schema: schemaOf(TABLES),
    version: JSON.stringify({ release_version: "5.0.4" }),
    sizes: { assets: 10, files: 20 },
  });
  const nodes = { "node-1": node("rack1"), "node-2": node("rack2") };
  const bucket = new Map<string, StoredFile>();
  const put = (name: string, size = 1) => bucket.set(name, { name, size, md5: md5("a") });
  for (const [host, { sizes }] of Object.entries(nodes)) {
    for (const table of TABLES) put(dataPath(host, table), sizes[table]);
    for (const file of META) put(metaPath(P, host, B, file));
    put(finished(host));
    put(`${P}/${host}/data/media/files-${ID}/nb-0-big-Data.db`);
    put(metaPath(P, host, "night-emea-20260114t010000z", "manifest.json"));
  }
  put(`${P}/index/backup_index/night-emea-20260114t010000z/finished_node-1_1.timestamp`);
  return { nodes, ring: { "node-1": "rack1", "node-2": "rack2" }, bucket };
}

async function judged(change: (backup: Backup) => void = () => undefined) {
  const backup = whole();
  change(backup);
  const files: string[] = [];
  const sums = new Map<string, string>();
  const listed: string[] = [];
  const tokens = Object.entries(backup.ring).map(([host, rack], index) => [host, { tokens: [index], rack }]);
  const verdict = await gate(
    P,
    B,
    { nodes: 2, racks: RACKS },
    {
      hosts: Object.keys(backup.nodes).filter((host) => backup.bucket.has(metaPath(P, host, B, "manifest.json"))),
      meta: async (host) => {
        const { schema, version, sizes } = backup.nodes[host]!;
        const sections = Object.entries(sizes).map(([table, size]) => ({
          keyspace: "media",
          columnfamily: `${table}-${ID}`,
          // As Medusa writes it for Google: base64.
          objects: size
            ? [
                {
                  path: dataPath(host, table),
                  MD5: backup.etag ?? Buffer.from(md5("a"), "hex").toString("base64"),
                  size,
                },
              ]
            : [],
        }));
        const tokenmap = JSON.stringify(Object.fromEntries(tokens));
        return { host, manifest: JSON.stringify(sections), schema, tokenmap, version };
      },
      listing: async function* (folder) {
        listed.push(folder);
        for (const name of [...backup.bucket.keys()].sort(byBytes))
          if (name.startsWith(folder)) yield { ...backup.bucket.get(name)!, key: name };
      },
    },
    async (file) => {
      files.push(file.name);
      sums.set(file.name, file.md5);
    },
  );
  return { ...verdict, files, sums, listed };
}

test("a whole backup has no problem; its objects are listed in order, and nothing of other backups", async () => {
  const { problems, files, nodes, tables, versions, indexed, listed } = await judged();
  assert.deepEqual(problems, []);
  assert.deepEqual(files, [...files].sort(byBytes));
  const expected = ["node-1", "node-2"].flatMap((host) => [
    ...TABLES.map((table) => dataPath(host, table)),
    ...META.map((file) => metaPath(P, host, B, file)),
    finished(host),
  ]);
  assert.deepEqual(files, expected.sort(byBytes));
  assert.deepEqual(
    nodes.map(({ host, rack, tokens }) => [host, rack, tokens]),
    [
      ["node-1", "rack1", ["0"]],
      ["node-2", "rack2", ["1"]],
    ],
  );
  assert.deepEqual(tables[1], {
    keyspace: "media",
    table: "files",
    objects: 2,
    bytes: 40,
    nodes: { "node-1": 20, "node-2": 20 },
  });
  assert.deepEqual(versions, ["5.0.4"]);
  assert.deepEqual([...indexed].sort(), ["night-emea-20260114t010000z", B]);
  assert.deepEqual(listed, [`${P}/index/backup_index/`, `${P}/node-1/`, `${P}/node-2/`], "no other datacenter's");
});

const wrong: [string, (backup: Backup) => void, (string | RegExp)[]][] = [
  [
    "a node's backup is not there",
    ({ bucket }) => bucket.delete(metaPath(P, "node-2", B, "manifest.json")),
    ["1 of 2 nodes are in it: node-1", "node node-2 of the token map has no finished backup"],
  ],
  [
    "the token map has a host without a backup",
    ({ ring }) => Object.assign(ring, { "node-3": "rack1" }),
    ["node node-3 of the token map has no finished backup"],
  ],
  [
    "a rack has no node, as its node is in another's",
    ({ ring }) => Object.assign(ring, { "node-2": "rack1" }),
    ["no node of rack2"],
  ],
  [
    "a rack is none of the datacenter's",
    ({ ring }) => Object.assign(ring, { "node-2": "rack9" }),
    ["no node of rack2", "rack9 is no rack of the datacenter: rack1, rack2"],
  ],
  [
    "an object is missing",
    ({ bucket }) => bucket.delete(dataPath("node-2", "files")),
    [`${dataPath("node-2", "files")} is missing`],
  ],
  [
    "an object is short",
    ({ bucket }) => Object.assign(bucket.get(dataPath("node-1", "files"))!, { size: 19 }),
    [`${dataPath("node-1", "files")} has 19 bytes, expected 20`],
  ],
  [
    "an object has other content of its size",
    ({ bucket }) => Object.assign(bucket.get(dataPath("node-1", "assets"))!, { md5: md5("b") }),
    [`${dataPath("node-1", "assets")} has md5 ${md5("b")}, expected ${md5("a")}`],
  ],
  [
    "the storage knows no md5 of an object",
    ({ bucket }) => Object.assign(bucket.get(metaPath(P, "node-1", B, "schema.cql"))!, { md5: "" }),
    [`${metaPath(P, "node-1", B, "schema.cql")} has no md5`],
  ],
  [
    "nodes disagree about the schema",
    ({ nodes }) => Object.assign(nodes["node-2"]!, { schema: schemaOf(["assets"]) }),
    ["nodes disagree about the schema"],
  ],
  [
    "a schema is empty",
    ({ nodes }) => Object.assign(nodes["node-2"]!, { schema: " \n" }),
    [`${metaPath(P, "node-2", B, "schema.cql")} is empty`, "nodes disagree about the schema"],
  ],
  [
    "nodes run different versions",
    ({ nodes }) => Object.assign(nodes["node-2"]!, { version: "not JSON" }),
    ["nodes run different versions: 5.0.4, unknown"],
  ],
  [
    "Medusa's index does not call a node finished",
    ({ bucket }) => bucket.delete(finished("node-2")),
    [/^cassandra\/index\/.*\/finished_node-2_… is missing: Medusa does not call node node-2 finished$/],
  ],
  [
    "a node's backup is empty",
    ({ nodes }) => Object.assign(nodes["node-2"]!, { sizes: { assets: 0, files: 0 } }),
    ["the backup of node node-2 is empty"],
  ],
  [
    "a node's manifest lacks a table of the schema",
    ({ nodes }) => Object.assign(nodes["node-2"]!, { sizes: { assets: 10 } }),
    ["table media.files is not in the backup of node node-2"],
  ],
];
for (const [what, change, expected] of wrong) {
  test(`not complete: ${what}`, async () => {
    const { problems } = await judged(change);
    assert.equal(problems.length, expected.length, problems.join("\n"));
    for (const [index, line] of expected.entries())
      if (typeof line === "string") assert.ok(problems.includes(line), problems.join("\n"));
      else assert.match(problems[index]!, line);
  });
}

test("the order of statements in a schema is no difference", async () => {
  const turned = await judged(({ nodes }) =>
    Object.assign(nodes["node-2"]!, { schema: schemaOf([...TABLES].reverse()) }),
  );
  assert.deepEqual(turned.problems, []);
});

test("200,000 objects go through in a heap that holds one node's, not all", async () => {
  const entry = join(__dirname, "../testing/many-sstables.ts");
  const run = (hold: boolean) => underHeapLimit<number>(entry, { nodes: 20, objects: 200_000, hold }, 32);
  assert.equal(await run(false), 200_040);
  await assert.rejects(run(true), { code: "ERR_WORKER_OUT_OF_MEMORY" });
});

test("what went to S3 in parts has no md5 in listings: it is compared by its size, and the list has its ETag", async () => {
  const etag = `${md5("b")}-768`;
  const inParts = (backup: Backup) => {
    backup.etag = etag;
    for (const host of Object.keys(backup.nodes))
      for (const table of TABLES) {
        const name = dataPath(host, table);
        backup.bucket.set(name, { ...backup.bucket.get(name)!, md5: "" });
      }
  };
  const { problems, sums } = await judged(inParts);
  assert.deepEqual(problems, []);
  assert.equal(sums.get(dataPath("node-1", "files")), etag);
  const short = await judged((backup) => {
    inParts(backup);
    backup.bucket.set(dataPath("node-1", "files"), { name: dataPath("node-1", "files"), size: 19, md5: "" });
  });
  assert.match(short.problems.join(), /has 19 bytes, expected 20/);
});
