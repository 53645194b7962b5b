/**
 * Every command that the runbooks, the alerts, the README and the generated pages show is taken by its program as it is written:
 * by kubectl, Pulumi and AWS's command line themselves, and by forms that were looked up where the program cannot be had.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { refusals, type Written } from "./lib/commands";
import { requiredOfGcloud } from "./lib/commands/gcloud";
import { commandsOf, commandsOfDocument, programs, runbooks, type Shown } from "./lib/runbook";

/** Not the traps and the decisions: they tell of commands, and nobody types them. */
const documents = ["README.md", "docs/alerts.md", "docs/identities.md", "docs/policies.md"];

/** A command that a sentence mentions without what follows it, such as "`pulumi up` of the vault"; its name alone is looked at. */
const isMention = ({ words }: Shown) => words.every((word) => /^[a-z]/.test(word));

const inRunbooks = runbooks().flatMap(commandsOf);
const elsewhere = documents.flatMap(commandsOfDocument).filter((shown) => !isMention(shown));
const all = [...inRunbooks, ...elsewhere];

test("every command is taken by its program", async () => {
  const answers = await refusals(all);
  const refused = all.flatMap(({ at, text }, index) =>
    answers[index] === undefined ? [] : [`${at}: \`${text}\`: ${answers[index]}`],
  );
  assert.deepEqual(refused, []);
});

test("each program is among them", () => {
  for (const program of programs)
    assert.ok(
      all.some((each) => each.program === program),
      program,
    );
  // The first command of the first runbook that is opened.
  assert.equal(commandsOf("d1.md")[0]?.program, "curl");
});

/** Programs whose flags are looked at; make's, node's and git's are their targets and files. */
const checked = all.filter(({ program }) => !["make", "node", "git"].includes(program));

/** Flags without which a command is refused. */
const REQUIRED: Partial<Record<string, readonly string[]>> = {
  kubectl: ["-p", "--replicas", "--for", "--from"],
  helm: ["--version", "--username"],
  crane: ["--username"],
  aws: ["--name", "--bucket", "--key", "--copy-source", "--service-code", "--quota-code", "--desired-value", "--id"],
};

/** Own flags of a command, by their place; those behind `--` are another program's. */
const flagsOf = ({ words }: Written) =>
  words
    .slice(0, words.includes("--") ? words.indexOf("--") : undefined)
    .flatMap((word, index) => (/^--[a-z]{2}[a-z-]*(=|$)/.test(word) ? [index] : []));

/** A command of each shape: names differ, what is asked of the program does not. */
const shapes = [
  ...new Map(
    checked
      .filter((each) => flagsOf(each).length > 0)
      .map((each) => [
        [each.program, ...each.words.slice(0, 2), ...flagsOf(each).map((at) => each.words[at]!.split("=")[0])].join(
          " ",
        ),
        each,
      ]),
  ).values(),
];

test("a character less in any flag is refused", async () => {
  const letter = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  const seeds = fc.sample(letter, { numRuns: shapes.length * 10, seed: 1 });
  const spoilt = shapes.flatMap((each) =>
    flagsOf(each).map((at): Written => {
      const [flag = "", ...value] = each.words[at]!.split("=");
      const drop = 2 + Math.floor(seeds.pop()! * (flag.length - 2));
      const shorter = [`${flag.slice(0, drop)}${flag.slice(drop + 1)}`, ...value].join("=");
      return { program: each.program, words: each.words.with(at, shorter) };
    }),
  );
  assert.ok(spoilt.length > 50, `${spoilt.length}`);
  const answers = await refusals(spoilt);
  assert.deepEqual(
    spoilt.filter((_, index) => answers[index] === undefined),
    [],
  );
});

test("a flag less that is wanted is refused", async () => {
  const spoilt = shapes.flatMap((each) => {
    const required = each.program === "gcloud" ? requiredOfGcloud(each.words).map((flag) => `--${flag}`) : [];
    const wanted = [...required, ...(REQUIRED[each.program] ?? [])];
    return each.words.flatMap((word, at): Written[] => {
      const [flag = "", value] = word.split("=");
      if (!wanted.includes(flag)) return [];
      const follows = value === undefined && flag !== "--global" ? 2 : 1;
      return [{ program: each.program, words: each.words.toSpliced(at, follows) }];
    });
  });
  assert.ok(spoilt.length > 15, `${spoilt.length}`);
  const answers = await refusals(spoilt);
  assert.deepEqual(
    spoilt.filter((_, index) => answers[index] === undefined),
    [],
  );
});

test("a value of another form is refused", async () => {
  const drain = all.find(({ words }) => words.includes("--capacity-scaler"))!;
  const at = drain.words.indexOf("--capacity-scaler") + 1;
  const drained = (value: string): Written => ({ program: "gcloud", words: drain.words.with(at, value) });
  const answers = await refusals(["1.5", "-1", "none", "0.5"].map(drained));
  assert.deepEqual(
    answers.map((each) => each === undefined),
    [false, false, false, true],
  );
});
