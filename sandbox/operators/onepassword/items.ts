/** The vaults that the stand-in for 1Password serves: made up once per sandbox, kept outside the cloud's own state. */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Vault -> item -> field -> value; null: a password is made up. */
export type DeclaredVaults = Record<string, Record<string, Record<string, string | null>>>;

export interface OnePassword {
  /** Token of the service account that may read the vaults. */
  token: string;
  vaults: Record<string, Record<string, Record<string, string>>>;
}

/** Reads the vaults below `dir`, or makes them with fresh passwords. */
export function seedOnePassword(dir: string, declared: DeclaredVaults): OnePassword {
  const path = join(dir, "onepassword.json");
  if (existsSync(path)) return JSON.parse(readFileSync(path, "utf8")) as OnePassword;
  const seeded: OnePassword = {
    token: `ops_${randomBytes(32).toString("hex")}`,
    vaults: mapValues(declared, (items) =>
      mapValues(items, (fields) => mapValues(fields, (value) => value ?? randomBytes(18).toString("base64url"))),
    ),
  };
  writeFileSync(path, JSON.stringify(seeded), { mode: 0o600 });
  return seeded;
}

/** Fields of an item by its path, `vaults/VAULT/items/ITEM`. */
export function findItem({ vaults }: OnePassword, path: string): Record<string, string> | undefined {
  const [, vault = "", item = ""] = /^vaults\/([^/]+)\/items\/([^/]+)$/.exec(path) ?? [];
  return vaults[vault]?.[item];
}

function mapValues<A, B>(values: Record<string, A>, map: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, map(value)]));
}
