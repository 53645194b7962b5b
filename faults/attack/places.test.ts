/** Every bucket that the attacked stacks declare is attacked, and they declare every kind of bucket that production has. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import type { StandbyConfig } from "../../stacks/config";
import { parsed } from "../../stacks/config/testing";
import { declared, MARKER_KEY } from "../../tests/lib/declared";
import { googlePlaces, STANDBY, standbyConfig, standbyPlaces, unplaced } from "./config";
import { googlePrograms } from "./testing";

interface Resource {
  type: string;
  name: string;
  inputs: { name?: string; bucket?: string };
}
const GOLDEN = join(__dirname, "..", "..", "tests", "golden");
/** A rebuilt site declares what a site does. */
const SAME = ["rebuild-1.json"];

const bucketsOf = (resources: readonly Resource[]) =>
  resources.filter(({ type }) => type === "gcp:storage/bucket:Bucket" || type === "aws:s3/bucket:Bucket");
/** Resources of one kind, whatever their stack or medium is called. */
const kind = (name: string) => name.replace(/^state-.*-bucket$/, "state-bucket").replace(/iconik-(drill-)?/, "");

let attacked: Resource[];
before(async () => {
  const { standby } = await import("../../stacks/standby");
  const aws = () => standby(parsed(standbyConfig([MARKER_KEY]), STANDBY) as StandbyConfig, "token");
  attacked = [];
  for (const [stack, program] of [...(await googlePrograms()), [STANDBY, aws] as const])
    attacked.push(...bucketsOf((await declared(program, stack)).resources as Resource[]));
});

test("every bucket that is declared is a place of the attack, or left out for a reason", () => {
  const places = new Set([...googlePlaces(false), ...standbyPlaces()].map(({ bucket }) => bucket));
  const names = attacked.map(({ inputs }) => String(inputs.name ?? inputs.bucket));
  assert.ok(names.length > 20, names.join(", "));
  assert.deepEqual(
    names.filter((name) => !places.has(name) && !unplaced[name]),
    [],
  );
  for (const bucket of [...places, ...Object.keys(unplaced)])
    assert.ok(names.includes(bucket), `nobody declares ${bucket}`);
});

test("the attacked stacks declare every kind of bucket that is in an inventory", () => {
  const kinds = new Set(attacked.map(({ name }) => kind(name)));
  for (const file of readdirSync(GOLDEN).filter((each) => each.endsWith(".json") && !SAME.includes(each)))
    for (const { name } of bucketsOf(JSON.parse(readFileSync(join(GOLDEN, file), "utf8")) as Resource[]))
      assert.ok(kinds.has(kind(name)), `${file} has ${name}, which nobody attacks`);
});
