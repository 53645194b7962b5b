/** Configuration in the README and the runbooks is what somebody copies on the worst day: all of it is accepted. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { checkedSettings, stackSettings } from "../tests/lib/stack-file";

const ROOT = join(__dirname, "..");
const RUNBOOKS = "docs/runbooks";
/** Within the day that break-glass access may last. */
const TOMORROW = new Date(Date.now() + 23 * 3600_000).toISOString();
const YESTERDAY = new Date(Date.now() - 24 * 3600_000).toISOString();
const TODAY = new Date().toISOString().slice(0, 10);

type Settings = Record<string, unknown>;

/** Every YAML block of a document, with the stack that a comment in it names. */
function blocks(file: string): { stack: string | undefined; settings: Settings }[] {
  const text = readFileSync(join(ROOT, file), "utf8");
  return [...text.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, yaml = ""]) => {
    // A moment that is written down has passed when the tests run.
    const current = yaml
      .replace(/(?<=(expires|until): )("[^"]*"|\S+)/g, `"${TOMORROW}"`)
      .replace(/(?<=\bat: )"[^"]*"/g, `"${YESTERDAY}"`)
      .replace(/(?<=date: )"[^"]*"/g, `"${TODAY}"`);
    const content = parse(current) as Settings & { config?: Settings };
    return { stack: /# Pulumi\.(\S+)\.yaml/.exec(yaml)?.[1], settings: content.config ?? content };
  });
}

const documents = ["README.md", ...readdirSync(join(ROOT, RUNBOOKS)).map((file) => `${RUNBOOKS}/${file}`)];
const all = documents.flatMap((file) => blocks(file).map((block) => ({ file, ...block })));
const whole = all.filter(({ settings }) => "iconik-dr:role" in settings);

for (const { file, stack, settings } of whole) {
  test(`the configuration of ${stack} in ${file} is complete`, () => {
    assert.doesNotThrow(() => checkedSettings(settings, stack ?? ""));
  });
}

for (const { file, stack: named, settings } of all.filter((block) => !whole.includes(block))) {
  const keys = Object.keys(settings);
  test(`${keys.join(", ")} of ${file} fits the stack file that it is added to`, () => {
    assert.ok(keys.every((key) => key.startsWith("iconik-dr:")));
    const of = (...names: string[]) => names.some((name) => keys.includes(`iconik-dr:${name}`));
    const [stack, name] =
      of("restoreGrants", "media") || named === "vault"
        ? ["vault", "vault"]
        : of("app") || named === "foundation"
          ? ["foundation", "foundation"]
          : of("active", "primary", "activation")
            ? ["aws-standby", "aws-standby"]
            : of("breakGlass")
              ? [named ?? "bootstrap", named ?? "bootstrap"]
              : ["prod", "rebuild-1"];
    assert.doesNotThrow(() => checkedSettings({ ...stackSettings(stack!), ...settings }, name!));
  });
}

test("there is something to check", () => {
  assert.ok(whole.length > 0 && all.length > whole.length);
});
