/** Amazon resource names. */

/** Parts of `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`. */
export interface Arn {
  partition: string;
  service: string;
  region: string;
  account: string;
  resource: string;
}

/** Reads a name; undefined when it is none. */
export function parseArn(text: string): Arn | undefined {
  const [, partition = "", service = "", region = "", account = "", resource = ""] =
    /^arn:([^:]+):([^:]+):([^:]*):([^:]*):(.+)$/.exec(text) ?? [];
  return resource ? { partition, service, region, account, resource } : undefined;
}

/** A name in the commercial partition. */
export const arn = (service: string, region: string, account: string, resource: string): string =>
  `arn:aws:${service}:${region}:${account}:${resource}`;

/** Account of a name; empty when it has none, as names of buckets. */
export const accountOf = (text: string): string => parseArn(text)?.account ?? "";

/** Name of a role or policy, the last part of its path. */
export const nameOf = (text: string): string => text.slice(text.lastIndexOf("/") + 1);
