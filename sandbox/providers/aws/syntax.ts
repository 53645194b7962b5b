/** Rules for values as AWS and its provider write them. */
import { isIP } from "node:net";
import { matches, quote, type Rule } from "../shape/syntax";
import { isAwsRegion, regionOfZone } from "./regions";

export const region: Rule = (value) =>
  isAwsRegion(String(value)) ? undefined : `${quote(value)} is not a region of AWS; write e.g. "eu-west-1"`;

export const zone: Rule = (value) =>
  regionOfZone(String(value)) ? undefined : `${quote(value)} is not an availability zone; write e.g. "eu-west-1a"`;

/** An Amazon resource name, of a service when one is given. */
export const arn = (service = "[a-z0-9-]+"): Rule =>
  matches(
    new RegExp(`^arn:aws[a-z-]*:${service}:[a-z0-9-]*:(?:\\d{12}|aws)?:.+$`),
    `an ARN is written "arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE"`,
  );

/** A policy as JSON text or as an object. */
export const policy: Rule = (value) => {
  if (typeof value !== "string") return undefined;
  try {
    const parsed = JSON.parse(value);
    return typeof parsed === "object" && parsed !== null
      ? undefined
      : `${quote(value)} contains an invalid JSON policy: not an object`;
  } catch (error) {
    return `contains an invalid JSON policy: ${(error as Error).message}`;
  }
};

/** Tags: https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html */
export const tags: Rule = (value) => {
  const entries = Object.entries(value as Record<string, unknown>);
  if (entries.length > 50) return `${entries.length} tags; at most 50 are allowed`;
  for (const [key, text] of entries) {
    if (key.startsWith("aws:")) return `tag key ${quote(key)} is not valid: "aws:" is reserved`;
    if (!/^[\p{L}\p{N} _.:/=+@-]{1,128}$/u.test(key))
      return `tag key ${quote(key)} is not valid: 1 to 128 letters, digits, blanks and _.:/=+-@`;
    if (!/^[\p{L}\p{N} _.:/=+@-]{0,256}$/u.test(String(text)))
      return `tag ${key}=${quote(text)} is not valid: up to 256 letters, digits, blanks and _.:/=+-@`;
  }
  return undefined;
};

/** An address or the name of a host. */
export const address: Rule = (value) => (isIP(String(value)) ? undefined : `${quote(value)} is not an IP address`);
