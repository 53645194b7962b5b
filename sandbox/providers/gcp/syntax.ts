/** Rules for single values: each takes a value and answers why the cloud refuses it, or undefined. */
import { isIP, isIPv4 } from "node:net";
import { cidr, matches, quote, type Rule } from "../shape/syntax";
import { isRegion, isZone, multiRegions } from "./regions";

export { atMost, between, cidr, matches, oneOf, overlap, type Rule } from "../shape/syntax";

/** Name of most resources: RFC 1035, up to `length` characters. */
export function resourceName(length = 63): Rule {
  return matches(
    new RegExp(`^[a-z](?:[-a-z0-9]{0,${length - 2}}[a-z0-9])?$`),
    `lower-case letters, digits and dashes, first a letter, last no dash, at most ${length} characters`,
  );
}

export const projectId = matches(
  /^(?:(?:[-a-z0-9]{1,63}\.)*[a-z]{1,63}:)?[a-z][-a-z0-9]{4,28}[a-z0-9]$|^\d{1,19}$/,
  "a project id has 6 to 30 lower-case letters, digits and dashes, first a letter, last no dash",
);

export const region: Rule = (value) =>
  isRegion(String(value)) ? undefined : `${quote(value)} is not a region of Google Cloud; write e.g. "europe-west1"`;

export const zone: Rule = (value) =>
  isZone(String(value)) ? undefined : `${quote(value)} is not a zone of Google Cloud; write e.g. "europe-west1-b"`;

export const regionOrZone: Rule = (value) =>
  isRegion(String(value)) || isZone(String(value))
    ? undefined
    : `${quote(value)} is neither a region nor a zone of Google Cloud; write e.g. "europe-west1" or "europe-west1-b"`;

/** Where a bucket is; the API takes both cases. */
export const bucketLocation: Rule = (value) => {
  const location = String(value);
  if (multiRegions.includes(location.toUpperCase()) || isRegion(location.toLowerCase())) return undefined;
  return `${quote(value)} is not a location of buckets: write a region such as "europe-west1", or one of ${multiRegions.join(", ")}`;
};

/** https://cloud.google.com/storage/docs/buckets#naming */
export const bucketName: Rule = (value) => {
  const name = String(value);
  const wanted =
    "3 to 63 lower-case letters, digits, dashes, underscores and dots (222 with dots, 63 between them), first and last a letter or digit";
  const fits =
    /^[a-z0-9][-a-z0-9_.]+[a-z0-9]$/.test(name) &&
    name.length <= (name.includes(".") ? 222 : 63) &&
    name.split(".").every((part) => part.length > 0 && part.length <= 63) &&
    !isIPv4(name);
  if (!fits) return `${quote(value)} is not a bucket's name: ${wanted}; no IP address`;
  if (name.startsWith("goog") || /g[o0]{2}gle/.test(name))
    return `${quote(value)} is not a bucket's name: it may neither begin with "goog" nor contain "google"`;
  return undefined;
};

/** Keys and values of labels: https://cloud.google.com/resource-manager/docs/labels-overview#requirements */
export const labels: Rule = (value) => {
  const entries = Object.entries(value as Record<string, unknown>);
  if (entries.length > 64) return `${entries.length} labels; at most 64 are allowed`;
  for (const [key, label] of entries) {
    if (!/^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$/u.test(key))
      return `label key ${quote(key)} is not valid: up to 63 lower-case letters, digits, dashes and underscores, first a letter`;
    if (!/^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u.test(String(label)))
      return `label ${key}=${quote(label)} is not valid: up to 63 lower-case letters, digits, dashes and underscores`;
  }
  return undefined;
};

/** What a firewall rule names: an IPv4 range or address, or an IPv6 range. */
export const firewallRange: Rule = (value) =>
  isIP(String(value).split("/")[0]!) === 6 || isIPv4(String(value)) ? undefined : cidr()(value);

/** A member of an IAM binding. */
export const member = matches(
  /^(?:allUsers|allAuthenticatedUsers|(?:user|group|serviceAccount|domain|projectOwner|projectEditor|projectViewer|principal|principalSet):\S+)$/,
  'a member is "serviceAccount:EMAIL", "user:EMAIL", "group:EMAIL", "domain:DOMAIN", "principal://…", "allUsers" or the like',
);

/** A role as bindings name it. */
export const role = matches(
  /^(?:roles\/[a-zA-Z0-9_.]+|(?:projects|organizations)\/[^/]+\/roles\/[a-zA-Z0-9_.]{3,64})$/,
  'a role is "roles/NAME", "projects/PROJECT/roles/ID" or "organizations/ORGANIZATION/roles/ID"',
);
