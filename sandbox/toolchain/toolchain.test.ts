/** The cache's promises (once, complete, after kills), the prerequisites' report and the choice of installed programs. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { medusaVersion } from "../../plan/versions";
import { cacheRoot, ensure, folderOf, manifests, missingResults, type Recipe } from "./cache";
import { command } from "./command";
import { canSwitch } from "./go-toolchain";
import { findJdks, java17, java21 } from "./jdk";
import { atLeast, checkPrerequisites, describe, type Prerequisite } from "./prerequisites";
import { isGoodVersion, officialPulumi } from "./pulumi";

const scratch = mkdtempSync(join(tmpdir(), "toolchain-"));
const cacheBefore = process.env.XDG_CACHE_HOME;
let builds = 0;

beforeEach(() => {
  process.env.XDG_CACHE_HOME = mkdtempSync(join(scratch, "cache-"));
  builds = 0;
});
after(() => {
  if (cacheBefore === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = cacheBefore;
  rmSync(scratch, { recursive: true, force: true });
});

const manifest = join(scratch, "manifest");
writeFileSync(manifest, "one");
const recipe: Recipe = {
  name: "tool",
  inputs: [manifest],
  flags: "-x",
  results: ["bin/tool"],
  async build(folder) {
    builds += 1;
    assert.deepEqual(readdirSync(folder), []);
    mkdirSync(join(folder, "bin"));
    await new Promise((resolve) => setTimeout(resolve, 50));
    writeFileSync(join(folder, "bin", "tool"), "");
  },
};
const partial = (): string[] => readdirSync(cacheRoot()).filter((name) => name.includes(".partial"));
const silent = (): void => undefined;

test("a tool is built once, even when two ask at the same time", async () => {
  assert.equal(missingResults(recipe).length, 1);
  const answers = await Promise.all([ensure(recipe, silent), ensure(recipe, silent)]);
  assert.deepEqual(answers.sort(), [false, true]);
  assert.equal(await ensure(recipe, silent), false);
  assert.equal(builds, 1);
  assert.deepEqual(missingResults(recipe), []);
});

test("what a killed or failed build left does not count and is removed", async () => {
  const failing = { ...recipe, build: async (folder: string) => writeFileSync(join(folder, "half"), "") };
  await assert.rejects(ensure(failing, silent), /made no bin\/tool/);
  assert.equal(partial().length, 1);
  assert.equal(missingResults(recipe).length, 1);
  assert.equal(await ensure(recipe, silent), true);
  assert.deepEqual(partial(), []);
});

test("another manifest, flag or a lost result means another build", async () => {
  const folder = folderOf(recipe);
  assert.notEqual(folderOf({ ...recipe, flags: "-y" }), folder);
  writeFileSync(manifest, "two");
  assert.notEqual(folderOf(recipe), folder);
  await ensure(recipe, silent);
  rmSync(join(folderOf(recipe), "bin"), { recursive: true });
  assert.equal(await ensure(recipe, silent), true);
  assert.equal(builds, 2);
});

test("a failing command is explained with its output", async () => {
  assert.equal(await command("sh", ["-c", "echo out; echo err >&2"]), "out\n");
  await assert.rejects(command("sh", ["-c", "echo reason >&2; exit 3"]), /exited with 3:\nreason/);
  await assert.rejects(command("/nonexistent/program", []), /ENOENT/);
});

test("all that is missing is listed at once, with one command for Debian", async () => {
  const missing = (name: string, packages: string[]): Prerequisite => ({
    name,
    packages,
    hint: "elsewhere",
    problem: () => "is absent",
  });
  const text = describe([missing("A", ["a", "b"]), missing("B", ["b"]), missing("C", [])]);
  assert.match(text, /A: is absent\. Debian: a b; otherwise elsewhere/);
  assert.match(text, /C: is absent\. elsewhere/);
  assert.match(text, /apt-get install a b$/);
  // Without packages nothing is installed, so this is the same everywhere.
  await assert.rejects(checkPrerequisites(silent, [missing("C", []), missing("D", [])]), /C: [\s\S]*D: /);
});

test("versions compare by number", () => {
  assert.ok(atLeast("v20.19.0", [20, 19, 0]));
  assert.ok(atLeast("Apache Maven 3.10.1", [3, 6, 0]));
  assert.ok(!atLeast("go1.9.7", [1, 18, 0]));
  assert.ok(!atLeast("nothing", [0, 0, 0]));
  assert.ok(canSwitch("go1.21.0") && canSwitch("go1.26.8") && !canSwitch("go1.19.8"));
  assert.ok(isGoodVersion("v3.200.0\n") && !isGoodVersion("v3.199.9") && !isGoodVersion("v4.0.0"));
});

test("an installed Pulumi is used only if it is recent and brings its language host", () => {
  const folder = mkdtempSync(join(scratch, "pulumi-"));
  const program = (name: string, text: string): void => {
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(folder, name), 0o755);
  };
  program("pulumi", "echo v3.231.0");
  assert.equal(officialPulumi(folder), undefined);
  program("pulumi-language-nodejs", "true");
  assert.equal(officialPulumi(folder), join(folder, "pulumi"));
  program("pulumi", "echo v3.100.0");
  assert.equal(officialPulumi(folder), undefined);
});

test("Java runtimes are told apart by version and the environment's come first", () => {
  const jdk = (version: string): string => {
    const home = mkdtempSync(join(scratch, "jdk-"));
    mkdirSync(join(home, "bin"));
    writeFileSync(join(home, "bin", "java"), "");
    writeFileSync(join(home, "release"), `IMPLEMENTOR="x"\nJAVA_VERSION="${version}"\n`);
    return home;
  };
  const [seventeen, twentyOne] = [jdk("17.0.9"), jdk("21.0.1")];
  const found = findJdks({ SANDBOX_JAVA17: seventeen, SANDBOX_JAVA21: twentyOne, PATH: "" });
  assert.equal(java17(found), join(seventeen, "bin", "java"));
  assert.equal(java21(found), join(twentyOne, "bin", "java"));
  assert.equal(java17([{ home: "/x", version: 21 }]), undefined);
  assert.equal(java21([{ home: "/x", version: 17 }]), undefined);
});

test("Medusa is of one version in production's image and here, and keeps to the size of single parts", () => {
  const [, minor] = medusaVersion.split(".").map(Number);
  assert.ok(minor! >= 30, `Medusa ${medusaVersion} passes no multipart threshold to S3: take 0.30 or newer`);
  for (const file of ["requirements.in", "requirements.txt"]) {
    const pinned = /^cassandra-medusa==([\d.]+)/m.exec(readFileSync(join(manifests, "python", file), "utf8"))?.[1];
    assert.equal(pinned, medusaVersion, `${file} and plan/versions.ts name one version`);
  }
});
