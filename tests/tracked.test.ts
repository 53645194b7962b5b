/** What no file of the repository may hold. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

const ROOT = join(__dirname, "..");
/** The lines that git leaves in a file whose merge was not finished. */
const MARKERS = "^(<{7}|>{7})( |$)";

const matching = (...args: string[]) => {
  try {
    return execFileSync("git", ["grep", "--untracked", "-nE", MARKERS, ...args], { cwd: ROOT, encoding: "utf8" });
  } catch (error) {
    // 1: nothing was found.
    if ((error as { status?: number }).status === 1) return "";
    throw error;
  }
};

test("no merge was committed unfinished", () => {
  assert.equal(matching(), "");
});
