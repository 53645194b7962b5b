/** Conditions: what is refused when they are declared, and when they hold. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type ConditionContext, checkCondition, holds } from "./conditions";

const object: ConditionContext = {
  time: new Date("2026-01-01T00:00:00Z"),
  resourceName: "projects/_/buckets/b/objects/a/o",
  resourceType: "storage.googleapis.com/Object",
};
const when = (expression: string, context: Partial<ConditionContext> = {}) =>
  holds({ title: "t", expression }, { ...object, ...context });
const check = (expression: string, title = "t") => checkCondition({ title, expression });

test("name, type and service of the resource", () => {
  assert.ok(when('resource.name.startsWith("projects/_/buckets/b/objects/a/")'));
  assert.ok(!when('resource.name.startsWith("projects/_/buckets/b/objects/b/")'));
  assert.ok(when('resource.type == "storage.googleapis.com/Object" && resource.service == "storage.googleapis.com"'));
  const account = { resourceName: "projects/p/serviceAccounts/e", resourceType: "iam.googleapis.com/ServiceAccount" };
  assert.ok(when('resource.service == "iam.googleapis.com"', account));
});

test("request.time ends a grant to the second, whatever zone the moment is written in", () => {
  const moment = fc.date({ min: new Date(0), max: new Date("2100-01-01"), noInvalidDate: true });
  fc.assert(
    fc.property(moment, moment, (end, time) => {
      const whole = new Date(Math.floor(end.getTime() / 1000) * 1000);
      const text = whole.toISOString().replace(".000Z", "Z");
      const inBerlin = new Date(whole.getTime() + 3600_000).toISOString().replace(".000Z", "+01:00");
      for (const written of [text, inBerlin])
        assert.equal(when(`request.time < timestamp("${written}")`, { time }), time.getTime() < whole.getTime());
    }),
  );
});

test("a prefix holds for exactly the names below it", () => {
  const path = fc.stringMatching(/^[a-z/.-]{0,12}$/);
  fc.assert(
    fc.property(path, path, (prefix, name) => {
      const resourceName = `projects/_/buckets/b/objects/${name}`;
      const expression = `resource.name.startsWith("projects/_/buckets/b/objects/${prefix}")`;
      assert.equal(when(expression, { resourceName }), name.startsWith(prefix));
    }),
  );
});

test("the prefix of a listing; without one its default counts", () => {
  const expression = 'api.getAttribute("storage.googleapis.com/objectListPrefix", "none").startsWith("m/")';
  assert.deepEqual(
    [when(expression, { listPrefix: "m/x" }), when(expression, { listPrefix: "" }), when(expression)],
    [true, false, false],
  );
});

test("expressions that are no condition are refused with their text", () => {
  for (const expression of ["request.time <", "1 + 1", '"yes"', "request.time", "nobody.knows == 1", ""]) {
    assert.throws(
      () => check(expression),
      (error: Error) => error.message.includes(`condition "${expression}" cannot be used`),
      `accepted: ${expression}`,
    );
  }
  assert.throws(() => check("true", ""), /needs a title/);
  check("request.time < timestamp('2030-01-01T00:00:00Z')");
});

test("what cannot be evaluated does not hold", () => {
  assert.ok(!when('timestamp("never") > request.time'));
  assert.ok(!when("resource.colour == 'red'"));
  assert.ok(!when("request.time <"));
});
