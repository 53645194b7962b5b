/** Every fault that is drilled and every alert has a section of a runbook, and the section is there. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { alertEntries, faultEntries, indexPage, strayIds } from "./lib/runbook-index";

const FOLDER = join(__dirname, "..", "docs", "runbooks");
const PAGE = join(FOLDER, "README.md");

/** Anchors of a page's headings, as GitHub makes them. */
const anchors = (path: string): string[] =>
  [...readFileSync(path, "utf8").matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\w\s-]/g, "")
      .replace(/\s/g, "-"),
  );

test("the index is as it would be written", () => {
  if (process.env.UPDATE_GOLDEN === "1") writeFileSync(PAGE, indexPage());
  assert.equal(readFileSync(PAGE, "utf8"), indexPage(), "run `make golden`");
});

test("no fault and no alert is without a section, and no section is another's", () => {
  assert.ok(faultEntries.length > 40 && alertEntries.length > 40);
  const missing = [...faultEntries, ...alertEntries].filter(({ section }) => section === undefined);
  assert.deepEqual(missing, [], "name a section in tests/lib/runbook-index.ts");
  assert.deepEqual(strayIds, []);
});

for (const { id, section = "" } of [...faultEntries, ...alertEntries]) {
  test(`the section for ${id} is there`, () => {
    const [file = "", anchor] = section.split("#");
    const path = join(FOLDER, file);
    assert.ok(existsSync(path), `no file ${file}`);
    if (anchor) assert.ok(anchors(path).includes(anchor), `${file} has ${anchors(path).join(", ")} and no ${anchor}`);
  });
}
