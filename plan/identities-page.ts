/** The identity matrix as a page of the docs. */
import { type Action, type Home, type Identity, identities, type Store } from "./identities";

/** The page, from the repository's root. */
export const identitiesPage = "docs/identities.md";

const stores: Record<Store, string> = {
  primaryBackups: "backups of a site",
  secondCopy: "second copies of backups",
  media: "media",
  secondMedia: "second copies of media",
  failback: "failback bucket",
  state: "states",
  s3Copies: "S3 copies of backups",
  s3MediaCopies: "S3 copies of media",
  s3Backups: "backups of the standby",
  s3Media: "media of the standby",
  s3States: "S3 copies of states",
};

const homes: Record<Home, string> = {
  site: "each site's project",
  vault: "the vault's project",
  aws: "the standby's account of AWS",
  deployer: "whoever deploys or operates",
};

/** The text of {@link identitiesPage}. */
export function identityMatrix(): string {
  const head = ["identity", "lives in", "may", "why"];
  const rows = identities.map((each) => [`**${each.id}**`, whereOf(each), mayOf(each).join("; "), each.why]);
  return [
    "# Identities",
    "",
    "Written from plan/identities.ts by `make golden`; change it there. What is not in the table is refused: a bucket's policy names these alone,",
    "and `make attack` tries the rest. `create` never replaces an object, which needs `delete` as well; administering a bucket is its settings and",
    "policies, none of its objects. What is granted is for one site or restore, and ends by itself.",
    "",
    ...[head, head.map(() => "---"), ...rows].map((row) => row.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")),
    "",
  ].join("\n");
}

function whereOf({ home, kubernetes, granted }: Identity): string {
  const accounts = kubernetes.map(({ namespace, name, clusters }) => `\`${namespace}/${name}\` (${clusters})`);
  const pods = accounts.length > 0 ? `; pods ${accounts.join(", ")}` : "";
  return `${homes[home]}${pods}${granted ? "; granted" : ""}`;
}

/** A line for each set of actions, with the stores that have it. */
function mayOf({ access, below = {}, administers = [] }: Identity): string[] {
  const places = new Map<string, string[]>();
  const add = (verbs: string, place: string) => places.set(verbs, [...(places.get(verbs) ?? []), place]);
  for (const [store, may] of Object.entries(access) as [Store, readonly Action[]][]) add(may.join(", "), stores[store]);
  for (const [store, { prefixes, actions }] of Object.entries(below) as [Store, NonNullable<typeof below.media>][])
    add(actions.join(", "), `${stores[store]} below ${prefixes.map((prefix) => `\`${prefix}\``).join(", ")}`);
  for (const store of administers) add("administers", stores[store]);
  return places.size > 0 ? [...places].map(([verbs, at]) => `${verbs}: ${at.join(", ")}`) : ["no bucket"];
}
