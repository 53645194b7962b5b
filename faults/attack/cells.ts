/**
 * The attack matrix: who tries what where, and what the plan's matrix of identities says the answer is. Pure; what storage
 * answers is measured elsewhere and held against it.
 */
import { type Action, type Identity, type IdentityId, identity, type Store } from "../../plan/identities";

/** What is tried at every place. */
export const placeOperations = [
  "list",
  "read",
  "write",
  "overwrite",
  "delete",
  "delete version",
  "change policy",
  "change retention",
  "grant to oneself",
] as const;
export type PlaceOperation = (typeof placeOperations)[number];

/** What is tried with everybody else of one's cloud, and at pools of the other cloud. */
export const MINT = "mint another's token";
export const EXCHANGE = "exchange a token";
export const operations = [...placeOperations, MINT, EXCHANGE] as const;
export type Operation = (typeof operations)[number];

/**
 * How storage answers: it does it; it refuses the caller; or the caller may, and a retention or lock keeps the object all the
 * same.
 */
export type Verdict = "allowed" | "refused" | "protected";

export type Cloud = "gcp" | "aws";

/** A row of the matrix that somebody stands for, and how far it goes. */
export interface Part {
  row: IdentityId;
  /** Of the buckets that this stack declares, or whose state it is, alone. */
  stack?: string;
  /** Of these buckets alone. */
  buckets?: readonly string[];
  /** Objects below this prefix alone. */
  prefix?: string;
}

/** Somebody whose credentials are in an attacker's hands. */
export interface Principal {
  cloud: Cloud;
  /** E-mail address, or ARN of a role. */
  name: string;
  /** Stack that made it. */
  stack: string;
  /** Rows that it stands for; none: the matrix does not know it, and gives it nothing. */
  parts: readonly Part[];
}

/** A bucket, or a part of one by its prefix. */
export interface Place {
  cloud: Cloud;
  store: Store;
  bucket: string;
  /** Stack that declares it. */
  stack: string;
  /** Stack whose state it holds. */
  stateOf?: string;
  /** What its objects' names begin with; "": the whole bucket. */
  prefix: string;
  /** Seconds that every object is kept; 0: there is no retention. On AWS: versions are locked at all. */
  retentionSeconds: number;
  /** The retention itself can be shortened by nobody. */
  locked: boolean;
}

/** Name of a place for people, and in reports. */
export const placeName = ({ cloud, bucket, prefix }: Place): string =>
  `${cloud === "gcp" ? "gs" : "s3"}://${bucket}/${prefix}`;

const deploys = (row: Identity) => row.home === "deployer";

/** Does a part of somebody say anything about a place? */
function concerns(part: Part, place: Place): boolean {
  if (part.buckets && !part.buckets.includes(place.bucket)) return false;
  if (part.stack === undefined) return true;
  // A state is its stack's to read and write, and of whoever declares the bucket to administer.
  return part.stack === place.stack || part.stack === place.stateOf;
}

/** What somebody may do with the objects of a place by the matrix. */
export function actionsAt(who: Principal, place: Place): ReadonlySet<Action> {
  // Credentials are of one cloud: whoever has some of both is somebody twice.
  if (who.cloud !== place.cloud) return new Set();
  const all = who.parts
    .filter((part) => concerns(part, place))
    .flatMap((part): readonly Action[] => {
      const row = identity(part.row);
      const given = row.access[place.store] ?? [];
      const ownState = place.store !== "state" || !deploys(row) || part.stack === place.stateOf;
      const whole = ownState ? given : [];
      const below = row.below?.[place.store];
      const inside = below?.prefixes.some((prefix) => place.prefix.startsWith(prefix)) ? below.actions : [];
      return [...whole.filter((action) => within(part, place, action)), ...inside];
    });
  return new Set(all);
}

/** S3 lists a bucket, Cloud Storage may be asked for a prefix. */
function within({ prefix }: Part, place: Place, action: Action): boolean {
  if (prefix === undefined || (place.cloud === "aws" && action === "list")) return true;
  return place.prefix.startsWith(prefix);
}

/** Does somebody administer the place's bucket? */
export function administers(who: Principal, place: Place): boolean {
  if (who.cloud !== place.cloud) return false;
  return who.parts.some(({ row, stack }) => {
    const found = identity(row).administers?.includes(place.store) ?? false;
    return found && (stack === undefined || stack === place.stack);
  });
}

/**
 * Whether the plan gives somebody the token of somebody else. Accounts are taken by pods and pipelines of their own, and no
 * account takes another; whoever is called acts as the deployers of a bootstrap by hand, while the pipeline cannot.
 */
export function expectedMint(who: Principal, other: Principal): Verdict {
  const deploys = other.parts.some(({ row }) => row === "deployer");
  const called = who.parts.some(({ row, stack }) => row === "break-glass" && stack === other.stack);
  return deploys && called ? "allowed" : "refused";
}

/** The answer that the plan gives. Everything that the matrix does not say is refused. */
export function expected(who: Principal, place: Place, operation: PlaceOperation): Verdict {
  const may = actionsAt(who, place);
  const kept = (given: boolean): Verdict =>
    given ? (place.retentionSeconds > 0 ? "protected" : "allowed") : "refused";
  const free = (given: boolean): Verdict => (given ? "allowed" : "refused");
  switch (operation) {
    case "list":
      return free(may.has("list"));
    case "read":
      return free(may.has("get"));
    case "write":
      return free(may.has("create"));
    case "overwrite":
      // S3 puts a version over another, which stays; Cloud Storage's replacement deletes what was there.
      return place.cloud === "aws" ? free(may.has("create")) : kept(may.has("create") && may.has("delete"));
    case "delete":
      // S3 puts a marker, which a lock does not hinder.
      return place.cloud === "aws" ? free(may.has("delete")) : kept(may.has("delete"));
    case "delete version":
      // On S3 nobody ends a version before its time, in no store.
      return place.cloud === "aws" ? "refused" : kept(may.has("delete"));
    case "change policy":
    case "grant to oneself":
      return free(administers(who, place));
    case "change retention":
      return changesRetention(who, place);
  }
}

function changesRetention(who: Principal, place: Place): Verdict {
  if (!administers(who, place)) return "refused";
  // On S3 what is asked is a version's own lock, which nobody may loosen, whoever administers the bucket.
  if (place.cloud === "aws") return "refused";
  return place.locked ? "protected" : "allowed";
}
