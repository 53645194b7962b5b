/** Signed documents: what is believed, and why the rest is not. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { testKey } from "../testing/kms";
import { keyProblem, seal, unseal } from "./envelope";

const key = testKey();
const TYPE = "application/vnd.test+json";

test("what was sealed comes back byte by byte, with one of the keys", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "grapheme" }), async (document) => {
      assert.equal(unseal(TYPE, await seal(TYPE, document, key), [testKey().pem, key.pem]), document);
    }),
    { numRuns: 20 },
  );
});

test("a changed byte, another type, another key, no key and no envelope are refused with the reason", async () => {
  const text = await seal(TYPE, '{"a":1}', key);
  const changed = JSON.parse(text);
  changed.payload = Buffer.from('{"a":2}').toString("base64");
  const why = (envelope: string, keys = [key.pem], type = TYPE) => {
    try {
      return unseal(type, envelope, keys);
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.match(why(JSON.stringify(changed)), /not of a key that is trusted/);
  assert.match(why(text, [testKey().pem]), /not of a key that is trusted/);
  assert.match(why(text, []), /not of a key that is trusted/);
  assert.match(why(text, [key.pem], "other"), /signed as "application\/vnd.test\+json", not as "other"/);
  assert.match(why(JSON.stringify({ ...JSON.parse(text), payloadType: "other" }), [key.pem], "other"), /not of a key/);
  assert.match(why('{"version":1}'), /not signed/);
  assert.match(why(JSON.stringify({ ...JSON.parse(text), signatures: [] })), /not signed/);
  assert.match(why(""), /no JSON/);
});

test("only a public key on P-256 is one", () => {
  assert.equal(keyProblem(key.pem), undefined);
  const other = generateKeyPairSync("ec", { namedCurve: "P-384" });
  assert.match(keyProblem(other.publicKey.export({ type: "spki", format: "pem" }) as string)!, /curve P-256/);
  assert.match(keyProblem(other.privateKey.export({ type: "pkcs8", format: "pem" }) as string)!, /private key/);
  assert.match(keyProblem("")!, /no public key in PEM/);
});
