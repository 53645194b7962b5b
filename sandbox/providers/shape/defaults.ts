/** Inputs that a provider fills in: generated names, and places from its configuration. */
import { randomBytes } from "node:crypto";
import type { Props } from "../../lib/types";
import { isUnknown } from "../values";

/** Input that lists the inputs the provider filled in; it is kept in the state and never sent to the cloud. */
export const DEFAULTS = "__defaults";

/** A property that gets a generated value when the program leaves it out. */
export interface AutoName {
  property: string;
  maxLength: number;
  separator: string;
  /** Characters that a name may have beside letters and digits, as a class of a regular expression. Default: none. */
  also?: string;
  /** What every name begins with. */
  prefix?: string;
  /** Keeps capital letters. Default: they become small. */
  capitals?: boolean;
}

/** A resource to fill in. */
export interface Unfilled {
  name: string;
  olds: Props;
  news: Props;
  randomSeed: Uint8Array;
}

/**
 * The inputs with what the program left out: a generated name and values by property, as far as the type has them. A name
 * generated once is kept for as long as the resource lives, so that an update does not replace it.
 */
export function fillDefaults(
  properties: Record<string, string>,
  req: Unfilled,
  auto: AutoName | undefined,
  values: Record<string, string | undefined>,
): Props {
  const { [DEFAULTS]: _, ...inputs } = req.news;
  const filled: string[] = [];
  const fill = (property: string, value: string | undefined) => {
    if (value === undefined || !(property in properties) || isSet(inputs[property])) return;
    inputs[property] = value;
    filled.push(property);
  };
  if (auto) {
    const kept = filledBefore(req.olds).includes(auto.property) ? req.olds[auto.property] : undefined;
    fill(auto.property, typeof kept === "string" ? kept : generateName(auto, req.name, req.randomSeed));
  }
  for (const [property, value] of Object.entries(values)) fill(property, value);
  return { ...inputs, [DEFAULTS]: filled };
}

/** True when the program chose a name that the replacement keeps: the new resource cannot exist beside the old one. */
export function keepsName(auto: AutoName | undefined, olds: Props, news: Props): boolean {
  return (
    auto !== undefined &&
    !filledBefore(news).includes(auto.property) &&
    !isUnknown(news[auto.property]) &&
    olds[auto.property] === news[auto.property]
  );
}

/** The inputs as the cloud gets them. */
export function cloudInputs(inputs: Props): Props {
  const { [DEFAULTS]: _, ...rest } = inputs;
  return rest;
}

function generateName(auto: AutoName, name: string, seed: Uint8Array): string {
  const bytes = seed.length >= 4 ? seed : randomBytes(4);
  const suffix = auto.separator + Buffer.from(bytes).toString("hex").slice(0, 7);
  const written = auto.capitals ? name : name.toLowerCase();
  const stem = written.replace(
    new RegExp(`[^${auto.capitals ? "A-Z" : ""}a-z0-9${auto.also ?? ""}]+`, "g"),
    auto.separator,
  );
  return `${auto.prefix ?? ""}${stem}`.slice(0, auto.maxLength - suffix.length) + suffix;
}

function filledBefore(inputs: Props): string[] {
  return Array.isArray(inputs[DEFAULTS]) ? inputs[DEFAULTS] : [];
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}
