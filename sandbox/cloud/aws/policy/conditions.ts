/** Conditions of IAM policies. Source: "IAM JSON policy elements: Condition operators", "Condition keys: multivalued". */
import { BlockList, isIP } from "node:net";
import { likeArn, matches, substitute } from "./patterns";

/** Values of a request by condition key; keys are compared without regard to case. Absent: the request has none. */
export type Context = ReadonlyMap<string, readonly string[]>;

/** A context of keys with one value or several; undefined ones are left out. */
export function contextOf(values: Record<string, string | readonly string[] | undefined>): Context {
  const known = Object.entries(values).flatMap(([key, value]) =>
    value === undefined ? [] : [[key.toLowerCase(), typeof value === "string" ? [value] : value] as const],
  );
  return new Map(known);
}

type Compare = (actual: string, wanted: string) => boolean;

const same: Compare = (actual, wanted) => actual === wanted;
const sameIgnoringCase: Compare = (actual, wanted) => actual.toLowerCase() === wanted.toLowerCase();
const numbers =
  (test: (a: number, b: number) => boolean): Compare =>
  (actual, wanted) =>
    test(Number(actual), Number(wanted));
const dates =
  (test: (a: number, b: number) => boolean): Compare =>
  (actual, wanted) =>
    test(moment(actual), moment(wanted));

/** Operators that hold when one of the wanted values does. */
const POSITIVE: Record<string, Compare> = {
  StringEquals: same,
  StringEqualsIgnoreCase: sameIgnoringCase,
  StringLike: (actual, wanted) => matches(wanted, actual),
  ArnEquals: likeArn,
  ArnLike: likeArn,
  Bool: sameIgnoringCase,
  NumericEquals: numbers((a, b) => a === b),
  NumericLessThan: numbers((a, b) => a < b),
  NumericLessThanEquals: numbers((a, b) => a <= b),
  NumericGreaterThan: numbers((a, b) => a > b),
  NumericGreaterThanEquals: numbers((a, b) => a >= b),
  DateEquals: dates((a, b) => a === b),
  DateLessThan: dates((a, b) => a < b),
  DateLessThanEquals: dates((a, b) => a <= b),
  DateGreaterThan: dates((a, b) => a > b),
  DateGreaterThanEquals: dates((a, b) => a >= b),
  IpAddress: inRange,
};

/** Operators that hold when none of the wanted values does: they hold for an absent key too. */
const NEGATIVE: Record<string, Compare> = {
  StringNotEquals: same,
  StringNotEqualsIgnoreCase: sameIgnoringCase,
  StringNotLike: (actual, wanted) => matches(wanted, actual),
  ArnNotEquals: likeArn,
  ArnNotLike: likeArn,
  NumericNotEquals: numbers((a, b) => a === b),
  DateNotEquals: dates((a, b) => a === b),
  NotIpAddress: inRange,
};

interface Operator {
  base: string;
  quantifier?: "ForAllValues" | "ForAnyValue";
  ifExists: boolean;
}

function parse(operator: string): Operator | undefined {
  const [, quantifier, base = "", ifExists] =
    /^(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?$/.exec(operator) ?? [];
  if (base === "Null" && !ifExists && !quantifier) return { base, ifExists: false };
  if (!Object.hasOwn(POSITIVE, base) && !Object.hasOwn(NEGATIVE, base)) return undefined;
  return {
    base,
    ifExists: ifExists !== undefined,
    ...(quantifier && { quantifier: quantifier as "ForAllValues" | "ForAnyValue" }),
  };
}

/** True for the name of an operator. */
export const isOperator = (operator: string): boolean => parse(operator) !== undefined;

/** True when every operator and key of the conditions holds. */
export function hold(conditions: Record<string, Record<string, string[]>>, context: Context): boolean {
  return Object.entries(conditions).every(([name, keys]) => {
    const operator = parse(name);
    return (
      operator !== undefined && Object.entries(keys).every(([key, wanted]) => holds(operator, key, wanted, context))
    );
  });
}

function holds({ base, quantifier, ifExists }: Operator, key: string, wanted: string[], context: Context): boolean {
  const actual = context.get(key.toLowerCase()) ?? [];
  if (base === "Null") return wanted.some((each) => (each.toLowerCase() === "true") === (actual.length === 0));
  if (actual.length === 0 && ifExists) return true;
  const values = wanted.map((each) => substitute(each, context)).filter((each) => each !== undefined);
  const negative = NEGATIVE[base];
  const compare = negative ?? POSITIVE[base]!;
  const one = (value: string) => values.some((each) => compare(value, each)) !== (negative !== undefined);
  if (quantifier === "ForAllValues") return actual.every(one);
  if (quantifier === "ForAnyValue") return actual.some(one);
  if (actual.length === 0) return negative !== undefined;
  return negative ? actual.every(one) : actual.some(one);
}

/** A date as milliseconds: ISO 8601, or seconds since 1970. */
const moment = (text: string): number => (/^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text));

function inRange(actual: string, wanted: string): boolean {
  const [address = "", prefix] = wanted.split("/");
  const family = isIP(address) === 6 ? "ipv6" : "ipv4";
  if (!isIP(address) || !isIP(actual)) return false;
  const list = new BlockList();
  list.addSubnet(address, Number(prefix ?? (family === "ipv6" ? 128 : 32)), family);
  return list.check(actual, isIP(actual) === 6 ? "ipv6" : "ipv4");
}
