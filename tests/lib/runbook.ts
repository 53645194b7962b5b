/** The commands that runbooks and other documents show, in indented blocks, fenced blocks and in the text. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "shell-quote";

const ROOT = join(__dirname, "..", "..");
const FOLDER = join("docs", "runbooks");

/** Programs whose commands are checked. */
export const programs = [
  ...(["pulumi", "make", "node", "kubectl", "gcloud", "helm", "aws", "nodetool", "git"] as const),
  ...(["curl", "crane", "dig", "gh"] as const),
] as const;
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

/** Every command of a runbook, in its order. */
export const commandsOf = (name: string): Shown[] => commandsIn(name, runbook(name));

/** Every command of a document, by its path in the repository. */
export const commandsOfDocument = (path: string): Shown[] => commandsIn(path, readFileSync(join(ROOT, path), "utf8"));

/** Every command of a text, in its order. Lines that are continued are one. */
function commandsIn(name: string, content: string): Shown[] {
  const lines = content.replace(/\\\n\s*/g, (text) => ` ${"\u0000".repeat(text.split("\n").length - 1)}`).split("\n");
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

/** What a substitution gives is not known: a variable stands for it. */
const SUBSTITUTED = "$SUBSTITUTED";

/** The commands of a line: of a pipe, of a loop, of a substitution, behind `xargs`. Comments are none, and redirections no words. */
function parts(text: string): string[] {
  const inner: string[] = [];
  const outer = text.replace(/\$\(([^()]*)\)/g, (_, command: string) => {
    inner.push(command);
    return SUBSTITUTED;
  });
  const found: string[][] = [[]];
  for (const [index, word] of tokens(outer).entries()) {
    const before = tokens(outer)[index - 1] ?? "";
    if (["|", ";", "&&", "||", "do", "done", "then", "{", "}", "while", "if"].includes(word)) found.push([]);
    else if (REDIRECTIONS.includes(word)) {
      // The number of what is redirected.
      if (/^\d$/.test(found.at(-1)!.at(-1) ?? "")) found.at(-1)!.pop();
    } else if (!REDIRECTIONS.includes(before)) found.at(-1)!.push(word);
  }
  const own = found
    .map((words) => (words[0] === "xargs" ? words.slice(words.findIndex(isProgram)) : words))
    // Variables that are set for it, as in `digest=$(…)`.
    .map((words) => words.slice(words.findIndex((word) => !/^\w+=/.test(word))).join("\u0001"))
    .filter(Boolean);
  return [...own, ...inner.flatMap(parts)];
}

const REDIRECTIONS = [">", ">>", "<", "<<", "<<<", ">&"];

const isProgram = (word: string): word is Program => (programs as readonly string[]).includes(word);

function shown(at: string, part: string): Shown[] {
  const [program = "", ...words] = part.split("\u0001");
  if (!isProgram(program)) return [];
  // A file or a word of the text, such as "`pulumi` itself", is no command.
  return words.length === 0 ? [] : [{ at, program, words, text: [program, ...words].join(" ") }];
}

/** Words of a shell's line: quotes keep spaces, `#` begins a comment, operators such as `|` are words; variables stay. */
export function tokens(text: string): string[] {
  // Inside a word it begins none.
  const escaped = text.replace(/(?<=[^\s'"])#/g, "\u0002");
  return parse(escaped, (name) => `$${name}`).flatMap((entry) => {
    if (typeof entry === "string") return entry.replaceAll("\u0002", "#");
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
