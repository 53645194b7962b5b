/**
 * The log of 1Password's operator, as it writes it: controller-runtime's logger with `Development: true` (`cmd/main.go` of the
 * operator), which is zap's console encoder. A line has its time (RFC 3339), the level in capitals, the message and the fields
 * as JSON, with tabs between them; a stack trace follows, which is left out here.
 *
 *     2026-11-30T06:44:10Z	ERROR	Reconciler error	{"controller": "onepassworditem", …, "error": "failed to retrieve item: …"}
 *
 * Up to "1Password SDK: " the error has the operator's own words (`internal/controller`, `pkg/onepassword`), what comes after
 * is ours. Easier than there: every item is looked at each second, where the real one does so when an item changes and asks
 * for news every ten minutes, logging "error running update kubernetes secret task" at the same level.
 */
import { randomUUID } from "node:crypto";
import { appendFileSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ClusterSpec } from "../../lib/types";

/** Which item. */
export interface NamedItem {
  namespace: string;
  name: string;
}

/** File of the operator's log in a cluster. @param dir of the sandbox */
export const operatorLog = (dir: string, { project, location }: Pick<ClusterSpec, "project" | "location">): string =>
  join(dir, "operators", project, location, "onepassword.log");

/** zap's console encoder leaves a space after each colon and comma of the fields, and none inside what is no plain value. */
const spaced = (fields: Readonly<Record<string, unknown>>): string =>
  `{${Object.entries(fields)
    .map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`)
    .join(", ")}}`;

/** The line of an item that could not be served. */
export function errorLine({ namespace, name }: NamedItem, error: string, at = new Date()): string {
  const fields = {
    controller: "onepassworditem",
    controllerGroup: "onepassword.com",
    controllerKind: "OnePasswordItem",
    OnePasswordItem: { name, namespace },
    namespace,
    name,
    reconcileID: randomUUID(),
    error,
  };
  return [at.toISOString().replace(/\.\d+Z$/, "Z"), "ERROR", "Reconciler error", spaced(fields)].join("\t");
}

/** What the operator says of an item that it cannot fetch by its path. @param said after "1Password SDK: " */
export function retrievalError(itemPath: string, said: string): string {
  const vault = /^vaults\/([^/]*)\//.exec(itemPath)?.[1] ?? "";
  return `failed to retrieve item: failed to 'getVaultID' for vaultNameOrID='${vault}': failed to get vault by title ${JSON.stringify(vault)}: failed to GetVaultsByTitle using 1Password SDK: ${said}`;
}

/** Adds a line. */
export function write(path: string, line: string): void {
  mkdirSync(dirname(path), { recursive: true });
  appendFileSync(path, `${line}\n`);
}
