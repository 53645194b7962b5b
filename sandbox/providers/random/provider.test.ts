import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { connect, type EngineSide, urn } from "../testing";
import { UNKNOWN } from "../values";
import { randomProvider } from "./provider";

let engine: EngineSide;
before(async () => {
  engine = await connect(randomProvider);
});
after(() => engine.close());

const PASSWORD = urn("random:index/randomPassword:RandomPassword", "p");
const ID = urn("random:index/randomId:RandomId", "i");

test("a password has its length and its least numbers of characters, and differs each time", async () => {
  const inputs = { length: 24, special: false, minNumeric: 20 };
  const passwords = new Set<string>();
  for (let count = 0; count < 20; count++) {
    const { id, outputs } = await engine.create(PASSWORD, inputs);
    const result = String(outputs.result);
    assert.equal(id, "none");
    assert.match(result, /^[A-Za-z0-9]{24}$/);
    assert.ok(result.replace(/\D/g, "").length >= 20, result);
    passwords.add(result);
  }
  assert.equal(passwords.size, 20);
  const { outputs } = await engine.create(PASSWORD, {
    length: 8,
    upper: false,
    lower: false,
    numeric: false,
    overrideSpecial: "~",
  });
  assert.equal(outputs.result, "~~~~~~~~");
});

test("the forms of an id are the same bytes", async () => {
  const { id, outputs } = await engine.create(ID, { byteLength: 6, prefix: "x-" });
  const bytes = Buffer.from(String(outputs.hex).slice(2), "hex");
  assert.equal(bytes.length, 6);
  assert.equal(id, bytes.toString("base64url"));
  assert.equal(outputs.b64Std, `x-${bytes.toString("base64")}`);
  assert.equal(outputs.dec, `x-${bytes.readUIntBE(0, 6)}`);
});

test("every changed input replaces, an unchanged one does not", async () => {
  const olds = { length: 8, keepers: { a: "1" } };
  assert.deepEqual((await engine.diff(PASSWORD, olds, { keepers: { a: "1" }, length: 8 })).replacesList, []);
  assert.deepEqual((await engine.diff(PASSWORD, olds, { ...olds, keepers: { a: "2" } })).replacesList, ["keepers"]);
  assert.deepEqual((await engine.diff(PASSWORD, olds, { ...olds, length: 9 })).replacesList, ["length"]);
});

test("wrong inputs are refused before anything is made", async () => {
  const failures = async (resource: string, inputs: Record<string, unknown>) =>
    (await engine.check(resource, inputs)).failures.join("\n");
  assert.match(await failures(PASSWORD, {}), /^length: Missing/);
  assert.match(await failures(PASSWORD, { length: "8" }), /^length: must be a number, but is "8"/);
  assert.match(await failures(PASSWORD, { length: 3, minLower: 2, minUpper: 2 }), /^length: .*at least 4/);
  assert.match(await failures(PASSWORD, { length: 8, size: 1 }), /^size: not a property; allowed are keepers, length/);
  assert.match(await failures(ID, { byteLength: 0 }), /^byteLength: .*at least 1, got 0/);
  assert.equal(await failures(PASSWORD, { length: UNKNOWN }), "");
  await assert.rejects(engine.create(urn("random:index/randomPet:RandomPet", "x"), {}), /does not know random:index/);
});

test("a preview draws nothing", async () => {
  assert.deepEqual(await engine.create(PASSWORD, { length: 8 }, true), {
    id: "",
    outputs: { length: 8, result: UNKNOWN },
  });
});
