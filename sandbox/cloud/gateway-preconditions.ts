/** `ifGenerationMatch` and its like. Source: "Request preconditions". */
import type { IncomingHttpHeaders } from "node:http";
import { CloudError } from "../lib/types";

/** "0" stands for: there is no live object. */
export interface Precondition {
  generation: string;
  /** The live generation has to be this one, or has to be another. */
  match: boolean;
}

/** Conditions on the object that the request reads, makes or deletes; the XML API has them as headers. */
export function preconditions(url: URL, headers: IncomingHttpHeaders): Precondition[] {
  return [
    ...conditions(url, "ifGenerationMatch", "ifGenerationNotMatch"),
    ...[headers["x-goog-if-generation-match"]].flat().flatMap((value) => of(value, true)),
  ];
}

/** Conditions on the object that is copied. */
export function sourcePreconditions(url: URL): Precondition[] {
  return conditions(url, "ifSourceGenerationMatch", "ifSourceGenerationNotMatch");
}

function conditions({ searchParams }: URL, match: string, notMatch: string): Precondition[] {
  return [...of(searchParams.get(match), true), ...of(searchParams.get(notMatch), false)];
}

function of(value: string | null | undefined, match: boolean): Precondition[] {
  if (value === null || value === undefined) return [];
  return [{ generation: digits(value), match }];
}

/** @throws CloudError 412 when the generation has to be another, 304 when it must not be this one */
export function checkGeneration(required: readonly Precondition[], live: string | undefined): void {
  for (const { generation, match } of required) {
    if ((generation === (live ?? "0")) === match) continue;
    const message = "At least one of the pre-conditions you specified did not hold.";
    throw match ? new CloudError(412, "conditionNotMet", message) : new CloudError(304, "notModified", message);
  }
}

/** The version that a request names; undefined: the live one. @throws CloudError 400 for what is no generation */
export function generationOf(url: URL, parameter: "generation" | "sourceGeneration"): string | undefined {
  const given = url.searchParams.get(parameter);
  return given === null || given === "" ? undefined : digits(given);
}

function digits(value: string): string {
  if (/^\d{1,19}$/.test(value)) return String(BigInt(value));
  throw new CloudError(400, "invalid", `Invalid generation "${value}"`);
}
