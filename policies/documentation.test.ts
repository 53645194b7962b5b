/** docs/policies.md says of every rule which rows it enforces, and of every row which rules do or why none can. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { objectives } from "../plan/objectives";
import { disasterPolicies, systems } from "../plan/systems";
import { rules } from "./rules";

const all = rules;
const page = readFileSync(join(__dirname, "..", "docs", "policies.md"), "utf8");

/** Cells of the tables' rows whose first cell is of this form. */
function cells(first: RegExp): string[][] {
  return page
    .split("\n")
    .map((line) => line.split("|").map((cell) => cell.trim()))
    .map(([, ...row]) => row.slice(0, -1))
    .filter(([cell]) => first.test(cell ?? ""));
}

test("every rule is in the table with its rows and what it refuses", () => {
  const expected = all.map(({ name, plan }) => [`[${name}](../policies/rules/${name}.ts)`, plan.join(", ")]);
  const found = cells(/^\[/);
  assert.deepEqual(
    found.map((row) => row.slice(0, 2)),
    expected.sort(([one], [other]) => (one! < other! ? -1 : 1)),
  );
  for (const [rule, , refuses] of found) assert.ok((refuses ?? "").length > 20, rule);
});

test("every row of the plan has its rules, or the reason why there is none", () => {
  const rows = [...systems.map(({ id }) => id), ...Object.values(objectives).map(({ id }) => id)];
  const found = new Map(cells(/^[SD]\d$/).map(([row, text]) => [row, text ?? ""]));
  assert.deepEqual([...found.keys()], rows);
  for (const row of rows) {
    const names = all
      .filter(({ plan }) => plan.includes(row))
      .map(({ name }) => name)
      .sort();
    if (names.length > 0) assert.equal(found.get(row), names.join(", "));
    else assert.match(found.get(row)!, /^[A-Z].{30,}\.$/);
  }
});

test("the plan's disasters name their rules", () => {
  for (const [row, names] of Object.entries(disasterPolicies))
    assert.deepEqual(
      [...names].sort(),
      all
        .filter(({ plan }) => plan.some((each) => each === row))
        .map(({ name }) => name)
        .sort(),
      row,
    );
});
