/** The form of a command whose program cannot be asked: its flags, what follows each, and which it wants. */

/** What a value looks like. */
export interface Value {
  /** For the error. */
  what: string;
  fits(value: string): boolean;
}

/** A command's form. */
export interface Form {
  /** Least and greatest number of words that are no flags. */
  words: readonly [number, number];
  /** What follows each flag, by its name without dashes; undefined: nothing does. */
  flags: Readonly<Record<string, Value | undefined>>;
  /** Sets of flags, one of each of which has to be there. */
  required: readonly (readonly string[])[];
}

/** A form; a string in `required` is a flag that has to be there. */
export const form = (
  words: readonly [number, number],
  flags: Form["flags"] = {},
  required: readonly (string | readonly string[])[] = [],
): Form => ({ words, flags, required: required.map((each) => (typeof each === "string" ? [each] : each)) });

const pattern = (what: string, expression: RegExp): Value => ({ what, fits: (value) => expression.test(value) });

/** Anything but nothing, and no flag. */
export const text = pattern("a text", /^[^-]/);
/** A share. */
export const share: Value = { what: "a number from 0 to 1", fits: (value) => Number(value) >= 0 && Number(value) <= 1 };
/** A name of Google's. */
export const name = pattern("a name of small letters, digits and dashes", /^[a-z][a-z0-9-]{0,62}$/);
/** A zone of Google's. */
export const zone = pattern("a zone such as europe-west1-b", /^[a-z]+-[a-z]+\d+-[a-z]$/);
/** A region or a zone of Google's, or a multi-region. */
export const location = pattern("a location such as europe-west6", /^([a-z]+-[a-z]+\d+(-[a-z])?|global|europe|us|eu)$/);
/** A service account. */
export const account = pattern("a service account", /^[a-z0-9-]+@[a-z0-9A-Z-]+\.iam\.gserviceaccount\.com$/);
/** How gcloud prints. */
export const format = pattern(
  "json, yaml, table(…), value(…) or csv(…)",
  /^(json|yaml|(table|value|csv|json|yaml)\([^()]+(\([^()]*\))?[^()]*\))$/,
);

/** A word in capitals, or a variable: what the reader puts in fits. */
const isPlaceholder = (value: string) => /^[A-Z][A-Z_-]*$/.test(value) || value.includes("$");

interface Flag {
  flag: string;
  value?: string;
}

/** Why a command is refused, or undefined. @param wide flags that every command has */
export function refusalByForms(
  words: readonly string[],
  forms: Readonly<Record<string, Form>>,
  wide: Form["flags"] = {},
): string | undefined {
  const command = Object.keys(forms)
    .sort((one, other) => other.length - one.length)
    .find((each) => each === "" || `${words.join(" ")} `.startsWith(`${each} `));
  if (command === undefined) return `is none of: ${Object.keys(forms).join(", ")}; look it up, then add its form`;
  const {
    flags,
    words: [least, most],
    required,
  } = forms[command]!;
  const rest = [...words.slice(command === "" ? 0 : command.split(" ").length)];
  const found: Flag[] = [];
  let count = 0;
  while (rest.length > 0) {
    const word = rest.shift()!;
    if (!/^-./.test(word)) {
      count += 1;
      continue;
    }
    const error = readFlag(word, rest, { ...wide, ...flags }, found);
    if (error) return error;
  }
  const missing = required.find((set) => !found.some(({ flag }) => set.includes(flag)));
  if (missing) return `lacks ${missing.map((each) => `--${each}`).join(" or ")}`;
  if (count < least || count > most) return `has ${count} arguments, and ${least} to ${most} are allowed`;
  return undefined;
}

/** Takes a flag and its value from the words; short ones may be written together. */
function readFlag(word: string, rest: string[], flags: Form["flags"], found: Flag[]): string | undefined {
  const [, long, given] = /^--([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
  for (const flag of long ? [long] : word.slice(1)) {
    if (!(flag in flags)) return `has no flag ${long ? "--" : "-"}${flag}; allowed: ${Object.keys(flags).join(", ")}`;
    const value = flags[flag];
    if (!value) {
      if (given !== undefined) return `${word}: nothing follows --${flag}`;
      found.push({ flag });
      continue;
    }
    const follows = given ?? rest.shift();
    if (follows === undefined) return `${word} lacks ${value.what}`;
    if (!isPlaceholder(follows) && !value.fits(follows)) return `${word} ${follows}: has to be ${value.what}`;
    found.push({ flag, value: follows });
  }
  return undefined;
}
