/** The clock of a program that is to be wrong is wrong by so much, and only where it is asked. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { clockAhead } from "./clock-ahead";

test("now is ahead, or behind; a moment that is given stays", () => {
  const program = "console.log(JSON.stringify([Date.now(), +new Date(), +new Date(5)]))";
  for (const seconds of [5, -240]) {
    const env = { ...process.env, ...clockAhead(seconds) };
    const [now, made, given] = JSON.parse(execFileSync(process.execPath, ["-e", program], { env, encoding: "utf8" }));
    for (const each of [now, made]) assert.ok(Math.abs(each - Date.now() - seconds * 1000) < 5_000, `${each}`);
    assert.equal(given, 5);
  }
});
