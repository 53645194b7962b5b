/** Rules for single values: each takes a value and answers why the cloud refuses it, or undefined. */
import { isIPv4 } from "node:net";

/** Why a value is refused, or undefined. Rules get only values that are known and set. */
export type Rule = (value: unknown) => string | undefined;

export const quote = (value: unknown) => JSON.stringify(value);

/** The value is one of some words, written exactly so. */
export function oneOf(...words: string[]): Rule {
  return (value) =>
    words.includes(value as string) ? undefined : `expected one of ${words.join(", ")}, got ${quote(value)}`;
}

/** The value matches an expression; `wanted` says it in words. */
export function matches(pattern: RegExp, wanted: string): Rule {
  return (value) => (pattern.test(String(value)) ? undefined : `${quote(value)} is not valid: ${wanted}`);
}

/** The value is a number between two bounds; some types write numbers as strings. */
export function between(low: number, high: number): Rule {
  return (value) => {
    const number = Number(value);
    return number >= low && number <= high
      ? undefined
      : `expected a number from ${low} to ${high}, got ${quote(value)}`;
  };
}

/** The text is at most this long. */
export function atMost(length: number): Rule {
  return (value) =>
    String(value).length <= length ? undefined : `${String(value).length} characters; at most ${length} are allowed`;
}

/** An IPv4 range as the address of its network, e.g. `10.0.0.0/20`, with a prefix between two lengths. */
export function cidr(shortest = 0, longest = 32): Rule {
  return (value) => {
    const range = parseCidr(String(value));
    if (!range) return `${quote(value)} is not an IPv4 range such as "10.0.0.0/20"`;
    if (range.start !== Number(range.address))
      return `${quote(value)} has bits set behind its prefix; the range is written ${dotted(range.start)}/${range.prefix}`;
    return range.prefix >= shortest && range.prefix <= longest
      ? undefined
      : `${quote(value)} must have a prefix from /${shortest} to /${longest}`;
  };
}

/** Two ranges share an address. Text that is no range overlaps nothing. */
export function overlap(a: string, b: string): boolean {
  const [x, y] = [parseCidr(a), parseCidr(b)];
  return x !== undefined && y !== undefined && x.start <= y.end && y.start <= x.end;
}

function parseCidr(text: string): { address: number; prefix: number; start: number; end: number } | undefined {
  const [host = "", length = "", ...rest] = text.split("/");
  if (rest.length > 0 || !isIPv4(host) || !/^\d{1,2}$/.test(length) || Number(length) > 32) return undefined;
  const address = host.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
  const size = 2 ** (32 - Number(length));
  const start = address - (address % size);
  return { address, prefix: Number(length), start, end: start + size - 1 };
}

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}
