/**
 * The drill's stacks: the same programs as production, at the floor of what the plan allows (two racks, two nodes and
 * two replicas per region), without deletion protection, in projects and buckets of their own.
 */
import { repository } from "../plan/layout";
import { mediaBucketsOf } from "../plan/media";

/** Sizes of a drill's data set. */
export interface DrillSize {
  /** Cassandra rows over all tables. */
  rows: number;
  /** Elasticsearch documents in each region. */
  documents: number;
}

export const FULL: DrillSize = { rows: 200_000, documents: 50_000 };
export const SMALL: DrillSize = { rows: 6_000, documents: 2_000 };

/** Longest time of a phase of {@link FULL} or less, in minutes: three times what the longest takes on two cores. */
const PHASE_MINUTES = 30;

/** Longest time of a phase, in minutes: it grows with what is more than {@link FULL}. */
export const phaseMinutes = ({ rows, documents }: DrillSize): number =>
  PHASE_MINUTES * Math.max(1, rows / FULL.rows, documents / FULL.documents);

export const VAULT = "drill-vault";
export const PROD = "drill-prod";
export const REBUILD = "drill-rebuild-1";

export const FOUNDATION = "drill-foundation";

export const VAULT_PROJECT = "iconik-drill-vault";
export const PROD_PROJECT = "iconik-drill-prod";
const FOUNDATION_PROJECT = "iconik-drill-foundation";
export const REBUILD_PROJECT = "iconik-drill-rebuild-1";
const PROJECTS = { [VAULT]: VAULT_PROJECT, [PROD]: PROD_PROJECT, [REBUILD]: REBUILD_PROJECT };
const BUCKETS = { [PROD]: "iconik-drill-prod-backups", [REBUILD]: "iconik-drill-rebuild-1-backups" };
export const COPIES_BUCKET = "iconik-drill-backup-copies";
/** Scratch media: the live buckets are never a drill's. */
export const MEDIA_PREFIX = "iconik-drill-";
export const MEDIA_BUCKETS = mediaBucketsOf(MEDIA_PREFIX);
export const PRIMARY_BUCKET = BUCKETS[PROD];

export const REGIONS = [
  { name: "europe-west1", datacenter: "emea", zones: ["europe-west1-b", "europe-west1-c"] },
  { name: "us-east4", datacenter: "amer", zones: ["us-east4-a", "us-east4-b"] },
];

/** A region of a drill's site. */
export type DrillRegion = (typeof REGIONS)[number];

/** Repositories of a site with these regions. */
export const repositoriesOf = (regions: readonly DrillRegion[]): string[] =>
  regions.flatMap(({ datacenter }) => [repository("cassandra", datacenter), repository("elasticsearch", datacenter)]);

/** Region of a site's control cluster. */
export const CONTROL_REGION = "europe-west4";

/** Protection of the second copies, in days; unlocked, so that a drill's end can lift it. */
export const RETENTION_DAYS = 7;

/** Replicas of a row in each region. */
export const REPLICATION_FACTOR = 2;

const REGISTRY = "europe-west6-docker.pkg.dev/iconik-drill-vault";
/** The sandbox runs the local builds for these images; a digest is what production pins. */
const JOBS_IMAGE = `${REGISTRY}/dr/jobs@sha256:${"0".repeat(64)}`;
const SERVICES_IMAGE = `${REGISTRY}/dr/services@sha256:${"0".repeat(64)}`;

/** Who deploys on the local cloud unless told otherwise; see the sandbox's Google Cloud provider. */
export const DEPLOYER_EMAIL = "deployer@sandbox.example";
const DEPLOYER = `user:${DEPLOYER_EMAIL}`;

const shared = {
  deployer: DEPLOYER,
  deletionProtection: false,
  images: { jobs: JOBS_IMAGE },
  // For documentation: the sandbox's control planes are on this machine.
  authorizedNetworks: ["192.0.2.0/28"],
  notifications: [{ type: "email", address: "drill@example.com" }],
};

/** Objects of a secondary that a night of the drill may remove or overwrite. */
export const MEDIA_FLOOR = 3;

/** Configuration of the foundation, for when the vault and prod are up. */
export function foundationConfig(): Record<string, unknown> {
  return {
    deployer: DEPLOYER,
    deletionProtection: false,
    role: "foundation",
    project: FOUNDATION_PROJECT,
    media: { location: "EU", prefix: MEDIA_PREFIX },
    vault: { project: VAULT_PROJECT },
    sites: [{ name: PROD, project: PROD_PROJECT }],
  };
}

/** Configuration of the vault; `grantUntil` opens the copies to the rebuilt site until then. Default of `regions`: all. */
export function vaultConfig(options: {
  grantUntil?: Date;
  retentionDays: number;
  regions?: readonly DrillRegion[];
}): Record<string, unknown> {
  const { regions = REGIONS } = options;
  return {
    ...shared,
    role: "vault",
    project: PROJECTS[VAULT],
    location: "europe-west6",
    copies: { bucket: COPIES_BUCKET, retentionDays: options.retentionDays },
    media: { location: "EU", prefix: MEDIA_PREFIX, project: FOUNDATION_PROJECT, breaker: { floor: MEDIA_FLOOR } },
    sites: [
      {
        name: PROD,
        project: PROJECTS[PROD],
        bucket: BUCKETS[PROD],
        location: "EU",
        repositories: repositoriesOf(regions),
      },
    ],
    restoreGrants: options.grantUntil ? [restoreGrant(options.grantUntil)] : [],
  };
}

/** Opens a site's copies to the rebuilt site until then. */
export function restoreGrant(until: Date, source: string = PROD): Record<string, unknown> {
  return {
    site: REBUILD,
    project: PROJECTS[REBUILD],
    bucket: BUCKETS[REBUILD],
    source,
    manifestReader: DEPLOYER,
    expires: until.toISOString(),
  };
}

/**
 * Configuration of a site; `restore` makes it a rebuild from the vault's newest copy of prod.
 * @param markerKeys the vault's output of that name
 */
export function siteConfig(
  name: typeof PROD | typeof REBUILD,
  markerKeys: string[] = [],
  restore = false,
): Record<string, unknown> {
  return {
    ...shared,
    role: "site",
    images: { jobs: JOBS_IMAGE, services: SERVICES_IMAGE, mirror: `${REGISTRY}/mirror` },
    foundation: { deployer: DEPLOYER },
    project: PROJECTS[name],
    regions: REGIONS,
    controlRegion: CONTROL_REGION,
    cassandra: { racks: 2, nodesPerRegion: 2, replicationFactor: REPLICATION_FACTOR },
    elasticsearch: { nodes: 1 },
    backups: { bucket: BUCKETS[name], location: "EU" },
    media: { prefix: MEDIA_PREFIX },
    charts: { repository: `oci://${REGISTRY}/charts` },
    vault: { project: PROJECTS[VAULT], location: "europe-west6", copiesBucket: COPIES_BUCKET, markerKeys },
    onePassword: { vault: "iconik-drill" },
    restore: restore ? { site: PROD, marker: "latest", grant: name } : undefined,
  };
}
