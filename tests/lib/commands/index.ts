/** Whether a command that a document shows would be taken by its program, by the best means there is for each. */
import pLimit from "p-limit";
import type { Program } from "../runbook";
import { refusalsOfAws } from "./aws";
import { refusalByForms } from "./forms";
import { refusalOfGcloud } from "./gcloud";
import { refusalOfKubectl } from "./kubectl";
import { refusalOfPulumi } from "./pulumi";
import { smallPrograms } from "./small";

/** A command without its place. */
export interface Written {
  program: Program;
  words: readonly string[];
}

/** Processes of kubectl at a time. */
const AT_ONCE = 2;

/** Why each is refused, in their order; undefined for a good one. Equal ones are asked once. */
export async function refusals(commands: readonly Written[]): Promise<(string | undefined)[]> {
  const limit = pLimit(AT_ONCE);
  const key = ({ program, words }: Written) => JSON.stringify([program, words]);
  const distinct = [...new Map(commands.map((each) => [key(each), each])).values()];
  const aws = distinct.filter(({ program }) => program === "aws");
  const ofAws = aws.length > 0 ? refusalsOfAws(aws.map(({ words }) => [...words])) : [];
  const answers = new Map<string, string | undefined>(aws.map((each, index) => [key(each), ofAws[index]]));
  await Promise.all(
    distinct
      .filter(({ program }) => program !== "aws")
      .map(async (each) => answers.set(key(each), await limit(() => refusal(each)))),
  );
  return commands.map((each) => answers.get(key(each)));
}

async function refusal({ program, words }: Written): Promise<string | undefined> {
  const forms = smallPrograms[program];
  if (forms) return refusalByForms(words, forms);
  if (program === "gcloud") return refusalOfGcloud(words);
  if (program === "pulumi") return refusalOfPulumi(words);
  if (program !== "kubectl") return undefined;
  const inner = words.indexOf("nodetool");
  const inside = inner < 0 ? undefined : refusalByForms(words.slice(inner + 1), smallPrograms.nodetool!);
  return inside ?? refusalOfKubectl(words);
}
