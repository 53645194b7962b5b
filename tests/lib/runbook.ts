/** The commands that runbooks show, in indented blocks, fenced blocks and in the text. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "shell-quote";

const ROOT = join(__dirname, "..", "..");
const FOLDER = join("docs", "runbooks");

/** Programs whose commands are checked. */
export const programs = ["pulumi", "make", "node", "kubectl", "gcloud", "helm", "aws", "nodetool", "git"] as const;
export type Program = (typeof programs)[number];

/** A command of a runbook. */
export interface Shown {
  /** `d1.md:12` */
  at: string;
  program: Program;
  /** Words after the program. */
  words: string[];
  text: string;
}

/** Names of the runbooks. */
export const runbooks = (): string[] => readdirSync(join(ROOT, FOLDER)).filter((name) => name.endsWith(".md"));

/** Text of a runbook. */
export const runbook = (name: string): string => readFileSync(join(ROOT, FOLDER, name), "utf8");

/** Every command of a runbook, in its order. Lines that are continued are one. */
export function commandsOf(name: string): Shown[] {
  const lines = runbook(name)
    .replace(/\\\n\s*/g, (text) => ` ${"\u0000".repeat(text.split("\n").length - 1)}`)
    .split("\n");
  let number = 0;
  return lines.flatMap((line) => {
    number += 1;
    const at = `${name}:${number}`;
    number += line.split("\u0000").length - 1;
    const whole = line.replaceAll("\u0000", "");
    const inline = [...whole.matchAll(/`([^`]+)`/g)].map(([, text = ""]) => text);
    const block = inline.length === 0 && /^ {4,}\S/.test(whole) ? [whole.trim()] : [];
    return [...block, ...inline].flatMap((text) => parts(text).flatMap((part) => shown(at, part)));
  });
}

/** The commands of a line: of a pipe, of a loop, behind `xargs`. Comments are none. */
function parts(text: string): string[] {
  return tokens(text)
    .reduce<string[][]>(
      (found, word) => {
        if (["|", ";", "&&", "do", "done", "then"].includes(word)) found.push([]);
        else found.at(-1)?.push(word);
        return found;
      },
      [[]],
    )
    .map((words) => (words[0] === "xargs" ? words.slice(words.findIndex(isProgram)) : words).join("\u0001"))
    .filter(Boolean);
}

const isProgram = (word: string): word is Program => (programs as readonly string[]).includes(word);

function shown(at: string, part: string): Shown[] {
  const [program = "", ...words] = part.split("\u0001");
  if (!isProgram(program)) return [];
  // A file or a word of the text, such as "`pulumi` itself", is no command.
  return words.length === 0 ? [] : [{ at, program, words, text: [program, ...words].join(" ") }];
}

/** Words of a shell's line: quotes keep spaces, `#` begins a comment, operators such as `|` are words; variables stay. */
export function tokens(text: string): string[] {
  return parse(text, (name) => `$${name}`).flatMap((entry) => {
    if (typeof entry === "string") return entry;
    if ("comment" in entry) return [];
    return "pattern" in entry ? entry.pattern : entry.op;
  });
}

/** Text of a section by its heading, down to the next of its rank. @throws when there is none */
export function section(name: string, heading: string): string {
  const text = runbook(name);
  const start = text.indexOf(`\n## ${heading}\n`);
  if (start < 0) throw new Error(`${name} has no section "${heading}"`);
  const end = text.indexOf("\n## ", start + 1);
  return text.slice(start, end < 0 ? undefined : end);
}

/** The indented blocks of a text as scripts, in their order. */
export function scriptsOf(text: string): string[] {
  return [...text.matchAll(/(?:^ {4}.*\n)+/gm)].map(([block]) => block.replace(/^ {4}/gm, ""));
}
