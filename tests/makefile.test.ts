/** What the Makefile installs, and when: by what the lock file says, in this checkout alone, and never into what is evaluated. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";

const ROOT = join(__dirname, "..");
const PROGRAMS = mkdtempSync(join(tmpdir(), "makefile-programs-"));

/** Programs in place of npm and Node.js: one empties and fills node_modules as `npm ci` does, both say something. */
const stubs = {
  npm: "echo installed by npm\necho called >> npm.log\nrm -rf node_modules/* node_modules/.[a-z]*\nmkdir -p node_modules/tsx\n",
  node: "echo export A=1\n",
};
for (const [name, text] of Object.entries(stubs))
  writeFileSync(join(PROGRAMS, name), `#!/bin/sh\n${text}`, { mode: 0o755 });
after(() => rmSync(PROGRAMS, { recursive: true, force: true }));

/** A checkout with a lock file and nothing installed. */
let checkout: string;
const path = (...names: string[]) => join(checkout, ...names);
const folders: string[] = [];
beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), "makefile-"));
  folders.push(checkout);
  copyFileSync(join(ROOT, "Makefile"), path("Makefile"));
  writeFileSync(path("package-lock.json"), "{}\n");
});
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const make = (target: string) =>
  spawnSync("make", ["-s", target], {
    cwd: checkout,
    encoding: "utf8",
    env: { PATH: `${PROGRAMS}:${process.env.PATH}` },
  });
/** Times that npm was called. */
const installed = () =>
  existsSync(path("npm.log")) ? readFileSync(path("npm.log"), "utf8").trim().split("\n").length : 0;

test("packages are installed once, and again when the lock file says something else", () => {
  assert.equal(make("packages").status, 0);
  assert.equal(make("packages").status, 0);
  assert.equal(installed(), 1);
  writeFileSync(path("package-lock.json"), '{ "name": "other" }\n');
  assert.equal(make("packages").status, 0);
  assert.equal(installed(), 2);
});

test("a lock file of the same content is no other, however young", () => {
  make("packages");
  const tomorrow = Date.now() / 1000 + 86_400;
  utimesSync(path("package-lock.json"), tomorrow, tomorrow);
  make("packages");
  assert.equal(installed(), 1);
});

test("what npm says is no output: `make -s env` is evaluated", () => {
  const { stdout, stderr } = make("packages");
  assert.equal(stdout, "");
  assert.match(stderr, /installed by npm/);
});

test("the environment and the end of the local cloud install nothing", () => {
  make("packages");
  writeFileSync(path("package-lock.json"), '{ "name": "other" }\n');
  for (const target of ["env", "down"]) assert.equal(make(target).stdout, "export A=1\n");
  assert.equal(installed(), 1);
});

test("without packages, the environment says what to do and prints nothing that would be evaluated", () => {
  const { status, stdout, stderr } = make("env");
  assert.notEqual(status, 0);
  assert.equal(stdout, "");
  assert.match(stderr, /make up/);
});

test("what another checkout installed is not emptied through a link", () => {
  mkdirSync(path("other", "tsx"), { recursive: true });
  symlinkSync(path("other"), path("node_modules"));
  const { status, stdout, stderr } = make("packages");
  assert.notEqual(status, 0);
  assert.equal(stdout, "");
  assert.match(stderr, /node_modules is a link to .*other.*: remove the link/s);
  assert.ok(existsSync(path("other", "tsx")));
  assert.equal(installed(), 0);
});
