/**
 * A killed `pulumi up` leaves creations of which nobody knows whether they happened: what was made and not recorded would be made
 * again, and refused. This names each by the id that the cloud would know it by, so that `pulumi refresh` looks.
 *
 *     pulumi cancel --yes --stack STACK
 *     pulumi stack export --stack STACK | node --import tsx recovery/pending.ts > pending
 *     xargs -d '\n' -a pending pulumi refresh --yes --clear-pending-creates --stack STACK
 *     pulumi up --stack STACK
 */
import { readFileSync } from "node:fs";
import { idOf } from "./import-file";

/** A state as `pulumi stack export` writes it, as far as it matters here. */
export interface ExportedState {
  deployment: {
    pending_operations?: {
      type: string;
      resource: { urn: string; type: string; custom?: boolean; inputs?: Record<string, unknown> };
    }[];
  };
}

/**
 * Arguments of `pulumi refresh` that name every creation that may have happened. What cannot be looked up by its inputs (objects in clusters
 * are applied again over what is there) is left to `--clear-pending-creates`.
 */
export function pendingCreates({ deployment }: ExportedState): string[] {
  const creations = new Map<string, string>();
  for (const { type, resource } of deployment.pending_operations ?? []) {
    // A component is nothing but its children.
    if (type !== "creating" || !resource.custom) continue;
    const id = idOf(resource.type, resource.urn.split("::").at(-1) ?? "", resource.inputs ?? {});
    if (id !== undefined) creations.set(resource.urn, id);
  }
  return [...creations].flatMap(([urn, id]) => ["--import-pending-creates", urn, "--import-pending-creates", id]);
}

if (require.main === module) {
  for (const line of pendingCreates(JSON.parse(readFileSync(0, "utf8")))) console.log(line);
}
