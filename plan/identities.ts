/**
 * The identity matrix of the plan (S2, S3, D5): who may do what where. IAM roles and bucket policies are generated
 * from it, a policy holds what is declared against it, and the drill attacks everything it leaves empty.
 */
import { evidencePrefix, listingsPrefix, markersPrefix } from "./layout";
import { namespaces, restorerAccountId } from "./names";

/** Places the matrix has columns for. */
export const stores = [
  "primaryBackups",
  "secondCopy",
  "media",
  "secondMedia",
  // What the standby wrote while it served, on its way back into a site.
  "failback",
  "state",
  // On AWS: the standby's copies, and what it writes while it is active.
  "s3Copies",
  "s3MediaCopies",
  "s3Backups",
  "s3Media",
  "s3States",
] as const;
export type Store = (typeof stores)[number];

/** What can be done with objects of a store. `create` never overwrites: replacing an object needs `delete` as well. */
export const actions = ["create", "get", "list", "delete"] as const;
export type Action = (typeof actions)[number];

/** Where an identity lives: an account of each site, of the vault, of the standby on AWS, or whoever deploys a stack. */
export type Home = "site" | "vault" | "aws" | "deployer";

/** A Kubernetes service account that acts as the identity, and whose clusters it lives in. */
export interface KubernetesAccount {
  namespace: string;
  name: string;
  clusters: "site" | "vault" | "standby";
}

/** One row of the matrix. A store that is absent from `access` is a cell that says nothing: no access at all. */
export interface Identity {
  /** Row name. The Google service account's id as well, except for the restorer: {@link accountId}. */
  id: IdentityId;
  home: Home;
  /** Kubernetes accounts bound to it by Workload Identity. */
  kubernetes: KubernetesAccount[];
  access: Partial<Record<Store, readonly Action[]>>;
  /** What it may do besides, below prefixes of a store alone. */
  below?: Partial<Record<Store, { prefixes: readonly string[]; actions: readonly Action[] }>>;
  /** Stores whose buckets it administers: their settings and who may use them, none of their objects. */
  administers?: readonly Store[];
  /** Exists per granted site, its access ending at the grant's expiry. */
  granted?: true;
  /** Why it has what it has. */
  why: string;
}

/** Row names of the matrix. */
export type IdentityId =
  | "cassandra-backup"
  | "elasticsearch-backup"
  | "backup-replicator"
  | "media-replicator"
  | "pruner"
  | "verifier"
  | "freshness"
  | "restorer"
  | "media-restorer"
  | "media-overwriter"
  | "manifest-reader"
  | "deployer"
  | "previewer"
  | "publisher"
  | "bootstrapper"
  | "break-glass"
  | "state-reader"
  | "services"
  | "standby-copier"
  | "standby-failback"
  | "standby-restorer"
  | "standby-cassandra-backup"
  | "standby-elasticsearch-backup"
  | "standby-services";

const own = ["create", "get", "list", "delete"] as const;
const read = ["get", "list"] as const;
const s3 = stores.filter((store) => store.startsWith("s3"));
/** AWS lets nobody look at a bucket who may not list it. */
const lookAtS3 = Object.fromEntries(s3.map((store) => [store, ["list"] as const]));

/** The matrix, one entry per row. */
export const identities: readonly Identity[] = [
  {
    id: "cassandra-backup",
    home: "site",
    kubernetes: [
      { namespace: namespaces.cassandra, name: "cassandra-backup", clusters: "site" },
      { namespace: namespaces.cassandra, name: "snapshot-runner", clusters: "site" },
      { namespace: namespaces.cassandra, name: "restore-runner", clusters: "site" },
    ],
    access: { primaryBackups: own },
    why: "Medusa runs in the Cassandra pods, writes and purges its backups; the runners read and write manifests",
  },
  {
    id: "elasticsearch-backup",
    home: "site",
    kubernetes: [{ namespace: namespaces.elasticsearch, name: "elasticsearch-backup", clusters: "site" }],
    access: { primaryBackups: own },
    why: "Elasticsearch writes and prunes its snapshot repository",
  },
  {
    id: "backup-replicator",
    home: "vault",
    kubernetes: [{ namespace: namespaces.dr, name: "backup-replicator", clusters: "vault" }],
    access: { primaryBackups: read, failback: read, secondCopy: ["create", "get", "list"] },
    why: "copies primaries to the second copy without ever being able to replace or remove a copy",
  },
  {
    id: "media-replicator",
    home: "vault",
    kubernetes: [{ namespace: namespaces.dr, name: "media-replicator", clusters: "vault" }],
    access: { media: read, secondMedia: own },
    why: "copies media and propagates removals, which start the 30 days of the secondary buckets",
  },
  {
    id: "pruner",
    home: "vault",
    kubernetes: [{ namespace: namespaces.dr, name: "pruner", clusters: "vault" }],
    access: { secondCopy: ["list", "delete"] },
    below: { secondCopy: { prefixes: [markersPrefix(), listingsPrefix()], actions: ["get"] } },
    why: "removes what is past its protection and reads nothing but what copies are made of; locked retention and soft delete bound what it can destroy",
  },
  {
    id: "verifier",
    home: "vault",
    kubernetes: [{ namespace: namespaces.dr, name: "verifier", clusters: "vault" }],
    access: { secondCopy: read },
    below: { secondCopy: { prefixes: [evidencePrefix()], actions: ["create"] } },
    why: "reads copies to prove them restorable, and leaves what it found beside them without being able to change it",
  },
  {
    id: "freshness",
    home: "vault",
    kubernetes: [{ namespace: namespaces.dr, name: "freshness", clusters: "vault" }],
    access: { primaryBackups: ["list"], secondCopy: ["list"] },
    why: "measures how old backups and copies are by their names, without reading any",
  },
  {
    id: "restorer",
    home: "vault",
    kubernetes: [{ namespace: namespaces.dr, name: "restorer", clusters: "site" }],
    access: { primaryBackups: ["create", "get", "list"], secondCopy: read },
    granted: true,
    why: "brings the second copies into a granted site's own new buckets until the grant expires",
  },
  {
    id: "media-restorer",
    home: "vault",
    kubernetes: [{ namespace: namespaces.dr, name: "media-restorer", clusters: "vault" }],
    access: { media: ["create", "get", "list"], secondMedia: read },
    granted: true,
    why: "brings media back from versions of both buckets until its grant expires; replaces nothing",
  },
  {
    id: "media-overwriter",
    home: "vault",
    kubernetes: [{ namespace: namespaces.dr, name: "media-overwriter", clusters: "vault" }],
    access: { media: own, secondMedia: read },
    granted: true,
    why: "the same for a restore that may replace what is there by now, which becomes noncurrent",
  },
  {
    id: "manifest-reader",
    home: "deployer",
    kubernetes: [],
    access: { secondCopy: read, s3Copies: read },
    granted: true,
    why: "the deployer of a granted site, or of the standby, looks its copy up before anything is created; reads markers only",
  },
  {
    id: "deployer",
    home: "deployer",
    kubernetes: [],
    access: { ...lookAtS3, state: own },
    administers: ["primaryBackups", "secondCopy", "media", "secondMedia", "failback", ...s3],
    why: "a stack's next update reads and sets its own buckets and their policies, which owning the project does not allow; it writes the stack's state and administers no state",
  },
  {
    id: "previewer",
    home: "deployer",
    kubernetes: [],
    access: { ...lookAtS3, state: read },
    why: "a pull request's preview reads the stack's state and what the stack declares; it writes nothing",
  },
  {
    id: "publisher",
    home: "deployer",
    kubernetes: [],
    access: {},
    why: "pushes images and charts to the vault's registry, where no tag can be moved; deploys nothing",
  },
  {
    id: "bootstrapper",
    home: "deployer",
    kubernetes: [],
    access: {},
    administers: ["state"],
    why: "people who set up where states live and who deploys; they read no state",
  },
  {
    id: "break-glass",
    home: "deployer",
    kubernetes: [],
    access: {},
    granted: true,
    why: "people who act as a stack's deployer while the pipeline cannot, until the grant expires; nothing of their own",
  },
  {
    id: "state-reader",
    home: "aws",
    kubernetes: [{ namespace: namespaces.dr, name: "state-reader", clusters: "standby" }],
    access: { state: read, s3States: ["create", "get", "list"] },
    why: "pulls copies of Google's states to AWS by federation; no credential for AWS exists in Google Cloud",
  },
  {
    id: "services",
    home: "site",
    kubernetes: [
      { namespace: namespaces.services, name: "api", clusters: "site" },
      { namespace: namespaces.services, name: "worker", clusters: "site" },
    ],
    access: { media: own },
    why: "the product reads, stores and removes media",
  },
  {
    id: "standby-copier",
    home: "aws",
    kubernetes: [{ namespace: namespaces.dr, name: "standby-copier", clusters: "standby" }],
    access: { secondCopy: read, secondMedia: read, s3Copies: ["create", "get", "list"], s3MediaCopies: own },
    why: "pulls copies to S3 from outside Google Cloud; on S3 a delete is a marker, versions and locks stay out of reach",
  },
  {
    id: "standby-failback",
    home: "aws",
    kubernetes: [{ namespace: namespaces.dr, name: "failback", clusters: "standby" }],
    access: { s3Backups: read, failback: ["create", "get", "list"], s3Media: read, media: ["create", "get", "list"] },
    why: "in the window of a failback brings the standby's own backups to the vault's door, from where they are copied as any site's, and its media into the product's buckets; replaces nothing",
  },
  {
    id: "standby-restorer",
    home: "aws",
    kubernetes: [{ namespace: namespaces.dr, name: "restorer", clusters: "standby" }],
    access: { s3Copies: read, s3Backups: ["create", "get", "list"] },
    why: "restores the standby from S3 alone: brings a copy into the standby's own bucket",
  },
  {
    id: "standby-cassandra-backup",
    home: "aws",
    kubernetes: [
      { namespace: namespaces.cassandra, name: "cassandra-backup", clusters: "standby" },
      { namespace: namespaces.cassandra, name: "snapshot-runner", clusters: "standby" },
      { namespace: namespaces.cassandra, name: "restore-runner", clusters: "standby" },
    ],
    access: { s3Backups: own },
    why: "Medusa of the active standby, as cassandra-backup of a site",
  },
  {
    id: "standby-elasticsearch-backup",
    home: "aws",
    kubernetes: [{ namespace: namespaces.elasticsearch, name: "elasticsearch-backup", clusters: "standby" }],
    access: { s3Backups: own },
    why: "Elasticsearch of the active standby, as elasticsearch-backup of a site",
  },
  {
    id: "standby-services",
    home: "aws",
    kubernetes: [
      { namespace: namespaces.services, name: "api", clusters: "standby" },
      { namespace: namespaces.services, name: "worker", clusters: "standby" },
    ],
    access: { s3MediaCopies: read, s3Media: own },
    why: "the product in the active standby reads media from the copies and writes to live buckets; copies stay as they are",
  },
];

/** The row of an identity. */
export function identity(id: IdentityId): Identity {
  return identities.find((row) => row.id === id)!;
}

/** What an identity may do in a store; empty where the matrix says nothing. */
export function allowed(id: IdentityId, store: Store): readonly Action[] {
  return identity(id).access[store] ?? [];
}

/** Google service account id of an identity; the restorer has one per granted site, so it needs the site's name. */
export function accountId(id: IdentityId, site?: string): string {
  if (id !== "restorer") return id;
  if (!site) throw new Error(`accountId("${id}"): the identity exists per granted site; pass the site's name`);
  return restorerAccountId(site);
}

/** The row an account id belongs to, or undefined for an account outside the matrix. */
export function identityOfAccount(account: string): Identity | undefined {
  return identities.find((row) => row.id === (account.startsWith(restorerAccountId("")) ? "restorer" : account));
}
