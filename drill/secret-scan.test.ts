/** A planted secret is found in every form and at every place of a file; what is none is not. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { SecretScan } from "./secret-scan";

const SECRET = { name: "password", value: 'p"ss/w+rd\\with ümlaut?' };
const { value } = SECRET;
const folder = mkdtempSync(join(tmpdir(), "secret-scan-"));
after(() => rmSync(folder, { recursive: true }));

async function formsIn(content: string | Buffer, name = "file"): Promise<string[]> {
  const path = join(folder, name);
  writeFileSync(path, content);
  const scan = new SecretScan([SECRET]);
  await scan.file(path);
  assert.equal(scan.result.scanned, 1);
  assert.ok(scan.result.leaks.every(({ place, secret }) => place === path && secret === "password"));
  return scan.result.leaks.map(({ form }) => form);
}

const base64 = (before: string) => Buffer.from(`${before}${value} and more`).toString("base64");
const planted: [what: string, content: string | Buffer, form: RegExp, file?: string][] = [
  ["plain", `user:${value}`, /^plain$/],
  ["alone in base64", Buffer.from(value).toString("base64"), /^base64 at 0$/],
  ["in base64 behind 3 bytes", base64("abc"), /^base64 at 0$/],
  ["in base64 behind 1 byte", base64("a"), /^base64 at 1$/],
  ["in base64 behind 2 bytes", base64("ab"), /^base64 at 2$/],
  ["in a token for URLs", Buffer.from(`x${value}yz`).toString("base64url"), /^base64url at 1$/],
  ["in a URL", `https://u:${encodeURIComponent(value)}@host`, /^URL-encoded$/],
  ["in JSON", JSON.stringify({ password: value }), /^JSON$/],
  ["in JSON within JSON", JSON.stringify({ state: JSON.stringify({ password: value }) }), /^JSON in JSON$/],
  ["packed by gzip", gzipSync(`log ${value}`), /^plain$/, "old.log.gz"],
];
for (const [what, content, form, file] of planted) {
  test(`${what}, it is found`, async () => {
    const found = await formsIn(content, file);
    assert.ok(
      found.some((each) => form.test(each)),
      found.join() || "nothing was found",
    );
  });
}

test("base64 is found wherever the value is in it", () =>
  fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 40 }), async (before, behind) => {
      const text = Buffer.concat([before, Buffer.from(value), behind]).toString("base64");
      assert.notDeepEqual(await formsIn(text), []);
    }),
    { numRuns: 50 },
  ));

test("a value across the border of two chunks is found once", async () => {
  const chunk = 1 << 20;
  for (const shift of [1, 5, Buffer.byteLength(value) - 1]) {
    const content = Buffer.alloc(3 * chunk, "x");
    content.write(value, chunk - shift);
    assert.deepEqual(await formsIn(content), ["plain"]);
  }
});

test("nothing is found in an empty file, in a part of the value, or in another value", async () => {
  assert.deepEqual(await formsIn(""), []);
  assert.deepEqual(await formsIn(value.slice(1)), []);
  assert.deepEqual(await formsIn("p$ss/w+rd\\with ümlaut?"), []);
});

test("folders are scanned as deep as they go, only what is wanted, and every secret is told apart", async () => {
  const root = join(folder, "deep");
  mkdirSync(join(root, "a", "b"), { recursive: true });
  writeFileSync(join(root, "a", "b", "x.log"), value);
  writeFileSync(join(root, "a", "y.txt"), value);
  const scan = new SecretScan([SECRET, { name: "other", value: "another-secret" }]);
  await scan.folder(root, (path) => path.endsWith(".log"));
  await scan.folder(join(root, "absent"));
  await scan.file(join(root, "absent.log"));
  await scan.text("preview", "token: another-secret");
  assert.deepEqual(scan.result.scanned, 2);
  assert.deepEqual(scan.result.leaks, [
    { place: join(root, "a", "b", "x.log"), secret: "password", form: "plain" },
    { place: "preview", secret: "other", form: "plain" },
  ]);
});

test("a scan that could find nothing is refused", () => {
  assert.throws(() => new SecretScan([]), /no secret to look for/);
  assert.throws(() => new SecretScan([{ name: "pin", value: "1234" }]), /secret "pin" has 4 characters; 12 or more/);
});
