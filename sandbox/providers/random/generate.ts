/** The values of the random resources, by type: which inputs they take and how a value is drawn. */
import { randomBytes, randomInt, randomUUID } from "node:crypto";
import type { Props } from "../../lib/types";

/** One random resource type. */
export interface RandomType {
  /** Inputs and their types as `typeof` names them. */
  inputs: Record<string, "string" | "number" | "boolean" | "object">;
  required: string[];
  /** Outputs that are not inputs. */
  outputs: string[];
  /** Why the inputs cannot be met, or undefined. */
  check?(inputs: Props): { property: string; reason: string } | undefined;
  draw(inputs: Props): { id: string; outputs: Props };
}

const CLASSES = [
  { flag: "upper", minimum: "minUpper", characters: "ABCDEFGHIJKLMNOPQRSTUVWXYZ" },
  { flag: "lower", minimum: "minLower", characters: "abcdefghijklmnopqrstuvwxyz" },
  { flag: "numeric", minimum: "minNumeric", characters: "0123456789" },
  { flag: "special", minimum: "minSpecial", characters: "!@#$%&*()-_=+[]{}<>:?" },
];

const text: RandomType = {
  inputs: {
    keepers: "object",
    length: "number",
    overrideSpecial: "string",
    ...Object.fromEntries(CLASSES.map(({ flag }) => [flag, "boolean" as const])),
    ...Object.fromEntries(CLASSES.map(({ minimum }) => [minimum, "number" as const])),
  },
  required: ["length"],
  outputs: ["result"],
  check(inputs) {
    const length = Number(inputs.length);
    const least = CLASSES.reduce((sum, { minimum }) => sum + Number(inputs[minimum] ?? 0), 0);
    if (!Number.isInteger(length) || length < Math.max(1, least))
      return {
        property: "length",
        reason: `must be a whole number of at least ${Math.max(1, least)} (1, and the sum of minUpper, minLower, minNumeric and minSpecial), got ${inputs.length}`,
      };
    if (characters(inputs).length > 0) return undefined;
    return { property: "special", reason: "one of upper, lower, numeric and special must be on" };
  },
  draw(inputs) {
    const length = Number(inputs.length);
    const drawn = classes(inputs).flatMap((one) => Array.from({ length: one.least }, () => pick(one.characters)));
    const all = characters(inputs);
    while (drawn.length < length) drawn.push(pick(all));
    return { id: "none", outputs: { ...settings(inputs), result: shuffle(drawn).join("") } };
  },
};

/** Types by token. */
export const randomTypes: Record<string, RandomType> = {
  // The real provider adds bcryptHash, which this one leaves out.
  "random:index/randomPassword:RandomPassword": text,
  "random:index/randomString:RandomString": { ...text, draw: (inputs) => withResultAsId(text.draw(inputs)) },
  "random:index/randomUuid:RandomUuid": {
    inputs: { keepers: "object" },
    required: [],
    outputs: ["result"],
    draw: () => withResultAsId({ outputs: { result: randomUUID() } }),
  },
  "random:index/randomId:RandomId": {
    inputs: { keepers: "object", byteLength: "number", prefix: "string" },
    required: ["byteLength"],
    outputs: ["b64Std", "b64Url", "dec", "hex"],
    check: ({ byteLength }) =>
      Number.isInteger(byteLength) && Number(byteLength) >= 1
        ? undefined
        : { property: "byteLength", reason: `must be a whole number of at least 1, got ${byteLength}` },
    draw({ byteLength, prefix = "" }) {
      const bytes = randomBytes(Number(byteLength));
      const hex = bytes.toString("hex");
      const b64Url = bytes.toString("base64url");
      const values = { b64Std: bytes.toString("base64"), b64Url, dec: BigInt(`0x${hex}`).toString(), hex };
      const outputs = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, `${prefix}${value}`]));
      return { id: b64Url, outputs };
    },
  },
};

function settings(inputs: Props): Props {
  const flags = CLASSES.map(({ flag }) => [flag, inputs[flag] ?? true]);
  const minimums = CLASSES.map(({ minimum }) => [minimum, inputs[minimum] ?? 0]);
  return Object.fromEntries([...flags, ...minimums]);
}

/** The classes that are on, or must appear, with their characters. */
function classes(inputs: Props): { characters: string; least: number }[] {
  return CLASSES.map(({ flag, minimum, characters }) => {
    const override = flag === "special" && inputs.overrideSpecial ? String(inputs.overrideSpecial) : characters;
    return { characters: inputs[flag] === false ? "" : override, least: Number(inputs[minimum] ?? 0) };
  }).filter((one) => one.characters !== "");
}

function characters(inputs: Props): string {
  return classes(inputs)
    .map((one) => one.characters)
    .join("");
}

function withResultAsId(drawn: { outputs: Props }): { id: string; outputs: Props } {
  return { id: String(drawn.outputs.result), outputs: drawn.outputs };
}

function pick(characters: string): string {
  return characters[randomInt(characters.length)]!;
}

/** Fisher and Yates. */
function shuffle<T>(items: T[]): T[] {
  for (let last = items.length - 1; last > 0; last--) {
    const other = randomInt(last + 1);
    [items[last], items[other]] = [items[other]!, items[last]!];
  }
  return items;
}
