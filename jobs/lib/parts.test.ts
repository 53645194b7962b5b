/** Objects that went to S3 in parts: their checksum, and what the gate and comparisons make of it. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { same } from "./compare";
import { gate, md5Hex } from "./medusa";
import { checksumPattern, etagOfParts, isOfParts, partBytes } from "./parts";

const md5 = (content: string | Buffer) => createHash("md5").update(content);

test("an ETag of parts is computed as S3 does, however the bytes come", async () => {
  const parts = [md5("abcd").digest(), md5("efgh").digest(), md5("i").digest()];
  const expected = `${md5(Buffer.concat(parts)).digest("hex")}-3`;
  for (const chunks of [["abcdefghi"], ["a", "bcdefg", "hi"], ["abcd", "efgh", "i"]])
    assert.equal(await etagOfParts(chunks.map(Buffer.from), 4), expected);
});

test("parts are of 8 MiB until 10,000 are not enough", () => {
  assert.equal(partBytes(6 * 2 ** 30), 8 * 2 ** 20);
  assert.equal(partBytes(8 * 2 ** 20 * 10_000), 8 * 2 ** 20);
  assert.equal(partBytes(8 * 2 ** 20 * 10_000 + 1), 16 * 2 ** 20);
});

const etag = `${"0a".repeat(16)}-768`;

test("a checksum is an md5 or an ETag of parts", () => {
  assert.ok(isOfParts(etag) && checksumPattern.test(etag) && md5Hex(etag) === etag);
  assert.ok(!isOfParts("0a".repeat(16)) && !checksumPattern.test(`${etag}x`) && !checksumPattern.test(""));
});

test("what went up in parts is compared by its size; nothing else is", () => {
  const file = (size: number, sum: string) => ({ name: "a", size, md5: sum });
  assert.ok(same(file(9, etag), file(9, "")) && same(file(9, "0b".repeat(16)), file(9, etag)));
  assert.ok(!same(file(9, etag), file(8, "")) && !same(file(9, ""), file(9, "")));
  assert.ok(!same(file(9, etag), file(9, `${"0b".repeat(16)}-768`)));
});

test("a backup with an object of parts is complete, and its list has the ETag", () => {
  const prefix = "cassandra";
  const data = `${prefix}/node-1/data/media/files-${"0".repeat(32)}/nb-1-big-Data.db`;
  const finished = `${prefix}/index/backup_index/night/finished_node-1_1.timestamp`;
  const listing = (size: number) =>
    new Map(
      [
        { name: data, size, md5: "" },
        { name: finished, size: 1, md5: "0c".repeat(16) },
      ].map((each) => [each.name, each]),
    );
  const meta = {
    host: "node-1",
    manifest: JSON.stringify([
      { keyspace: "media", columnfamily: `files-${"0".repeat(32)}`, objects: [{ path: data, MD5: etag, size: 6e9 }] },
    ]),
    schema: "CREATE TABLE media.files (id int PRIMARY KEY);",
    tokenmap: JSON.stringify({ "node-1": { tokens: [0], rack: "rack1" } }),
    version: "{}",
  };
  const verdict = (size: number) => gate(prefix, "night", { nodes: 1, racks: ["rack1"] }, listing(size), [meta]);
  assert.deepEqual(verdict(6e9).problems, []);
  assert.equal(verdict(6e9).files.find(({ name }) => name === data)!.md5, etag);
  assert.match(verdict(5e9).problems.join(), /has 5000000000 bytes, expected 6000000000/);
});
