/** Objects that went to S3 in parts: their checksum, and what comparisons make of it. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { same } from "./compare";
import { md5Hex } from "./medusa";
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
