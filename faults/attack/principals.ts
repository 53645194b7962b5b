/** Everybody whom stacks made or name, as principals of the matrix. */
import { identities, identityOfAccount } from "../../plan/identities";
import { markersPrefix } from "../../plan/layout";
import type { Part, Principal } from "./cells";

/** What a stack is, as far as its identities go. */
export interface StackOf {
  stack: string;
  project: string;
  /** Buckets that the site's own identities use: its primary, and the media. */
  siteBuckets?: readonly string[];
}

/** What principals are made of. */
export interface Known {
  stacks: readonly StackOf[];
  /** Site whose markers are read. */
  site: string;
  /** Buckets of granted restores by the row that restores. */
  restored: Partial<Record<"restorer" | "media-restorer" | "media-overwriter", readonly string[]>>;
}

/** A service account of Google as a principal. @param stack that made it */
export function accountPrincipal(email: string, stack: string, known: Known): Principal {
  const [account = "", project = ""] = email.replace(/\.iam\.gserviceaccount\.com$/, "").split("@");
  return { cloud: "gcp", name: email, stack, parts: partsOf(account, project, stack, known) };
}

function partsOf(account: string, project: string, stack: string, { stacks, restored }: Known): Part[] {
  const row = identityOfAccount(account);
  if (!row) return [];
  const own = stacks.find((each) => each.project === project);
  switch (row.home) {
    case "site":
      return [{ row: row.id, buckets: own?.siteBuckets ?? [] }];
    case "deployer":
      // It lives in the project of the stack that it deploys, wherever it was made.
      return [{ row: row.id, stack: own?.stack ?? stack }];
    default: {
      const buckets = row.granted && restored[row.id as keyof typeof restored];
      // States are read of the bootstrap that made the reader.
      const only = row.id === "state-reader" ? { stack } : {};
      return [{ row: row.id, ...only, ...(row.granted && { buckets: buckets ?? [] }) }];
    }
  }
}

/** A role of AWS as a principal. */
export function rolePrincipal(roleArn: string, stack: string, { site }: Pick<Known, "site">): Principal {
  const name = roleArn.split("/").at(-1) ?? "";
  const lookUp: Part = { row: "manifest-reader", prefix: markersPrefix(site) };
  const pipeline: Record<string, Part[]> = {
    deployer: [{ row: "deployer", stack }, lookUp],
    previewer: [{ row: "previewer", stack }, lookUp],
    publisher: [{ row: "publisher", stack }],
  };
  const row = identities.find(({ home, id }) => home === "aws" && id === name);
  const parts = row ? [{ row: row.id }] : (pipeline[name.replace(/^standby-/, "")] ?? []);
  return { cloud: "aws", name: roleArn, stack, parts };
}
