/** The vaults that the stand-in for 1Password serves: made up once per sandbox, kept outside the cloud's own state. */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { authority } from "../../lib/certificates";

/**
 * A field's value. null: a password is made up. `authority`: a certificate authority of that common name is made up; the field
 * `x` becomes `x.crt` and `x.key`, in PEM.
 */
export type DeclaredField = string | null | { authority: string };

/** Vault -> item -> field -> value. */
export type DeclaredVaults = Record<string, Record<string, Record<string, DeclaredField>>>;

export interface OnePassword {
  /** Token of the service account that may read the vaults. */
  token: string;
  vaults: Record<string, Record<string, Record<string, string>>>;
}

/** Reads the vaults below `dir`, or makes them with fresh passwords and authorities. */
export async function seedOnePassword(dir: string, declared: DeclaredVaults): Promise<OnePassword> {
  const path = join(dir, "onepassword.json");
  if (existsSync(path)) return JSON.parse(readFileSync(path, "utf8")) as OnePassword;
  const seeded: OnePassword = {
    token: `ops_${randomBytes(32).toString("hex")}`,
    vaults: await mapValues(declared, (items) => mapValues(items, made)),
  };
  writeFileSync(path, JSON.stringify(seeded), { mode: 0o600 });
  return seeded;
}

/** Fields of an item by its path, `vaults/VAULT/items/ITEM`. */
export function findItem({ vaults }: OnePassword, path: string): Record<string, string> | undefined {
  const [, vault = "", item = ""] = /^vaults\/([^/]+)\/items\/([^/]+)$/.exec(path) ?? [];
  return vaults[vault]?.[item];
}

/** The fields of an item with what is made up in place. */
async function made(declared: Record<string, DeclaredField>): Promise<Record<string, string>> {
  const fields: Record<string, string> = {};
  for (const [name, value] of Object.entries(declared)) {
    if (value === null) fields[name] = randomBytes(18).toString("base64url");
    else if (typeof value === "string") fields[name] = value;
    else {
      const { certificate, key } = await authority(value.authority);
      Object.assign(fields, { [`${name}.crt`]: certificate, [`${name}.key`]: key });
    }
  }
  return fields;
}

async function mapValues<A, B>(values: Record<string, A>, map: (value: A) => Promise<B>): Promise<Record<string, B>> {
  return Object.fromEntries(
    await Promise.all(Object.entries(values).map(async ([key, value]) => [key, await map(value)] as const)),
  );
}
