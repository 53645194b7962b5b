/**
 * The stacks under attack: the drill's, each with a deployer of its own from a bootstrap of its own, so that one that is taken
 * over is not all of them.
 */
import {
  COPIES_BUCKET,
  FOUNDATION,
  foundationConfig,
  MEDIA_BUCKETS,
  PRIMARY_BUCKET,
  PROD,
  PROD_PROJECT,
  REBUILD,
  REGIONS,
  RETENTION_DAYS,
  siteConfig,
  VAULT,
  VAULT_PROJECT,
  vaultConfig,
} from "../../drill/config";
import {
  standbyConfig as drillsStandby,
  STANDBY_ACCOUNT,
  STANDBY_BUCKETS,
  STANDBY_PREFIX,
  STANDBY_REGION,
} from "../../drill/standby-config";
import { evidencePrefix, markersPrefix } from "../../plan/layout";
import { serviceAccountEmail } from "../../plan/names";
import { daysInSeconds } from "../../plan/retention";
import { standbyBackups } from "../../plan/standby";
import { stateBucketName } from "../../plan/state";
import type { Place, Principal } from "./cells";
import type { Known } from "./principals";

export const BOOTSTRAP = "drill-bootstrap";
export const VAULT_BOOTSTRAP = "drill-vaultboot";
export const STANDBY = "drill-aws-standby";
const FOUNDATION_PROJECT = String(foundationConfig().project);
export const BOOTSTRAP_PROJECT = "iconik-drill-bootstrap";
const VAULT_BOOTSTRAP_PROJECT = "iconik-drill-vaultboot";

/** Issuer of the standby's cluster before it is up: whom the readers of Google's side trust. */
const unknownIssuer = `https://oidc.eks.eu-central-1.amazonaws.com/id/${"0".repeat(32)}`;
/** Who bootstraps: people, one for each side. */
const bootstrapper = (side: string) => `user:${side}@sandbox.example`;
/** Who looks the copy up of a granted site: whoever deploys the rebuild. */
const REBUILDER = "deployer@sandbox.example";

const github = { repository: "iconik/iconik-dr", repositoryId: "100000001" };
const deployer = (project: string) => `serviceAccount:${serviceAccountEmail("deployer", project)}`;

/** Who acts as a deployer while the pipeline cannot. */
const ON_CALL = "on-call@sandbox.example";
export const onCall: Principal = {
  cloud: "gcp",
  name: ON_CALL,
  stack: BOOTSTRAP,
  parts: [{ row: "break-glass", stack: BOOTSTRAP }],
};

/**
 * Where the foundation's and the site's states live.
 * @param until people may act as their deployers
 * @param issuer of the standby's cluster
 */
export const bootstrapConfig = (until?: Date, issuer = unknownIssuer): Record<string, unknown> => ({
  ...(until && { breakGlass: { member: `user:${ON_CALL}`, until: until.toISOString() } }),
  role: "bootstrap",
  project: BOOTSTRAP_PROJECT,
  deployer: bootstrapper("bootstrap"),
  deletionProtection: false,
  github,
  stateReader: { issuer },
  stacks: [
    { name: FOUNDATION, role: "foundation", project: FOUNDATION_PROJECT, stateLocation: "EU" },
    { name: PROD, role: "site", project: PROD_PROJECT, stateLocation: "europe-west6" },
  ],
});

/** Where the vault's state lives, under other people. */
export const vaultBootstrapConfig = (): Record<string, unknown> => ({
  role: "bootstrap",
  project: VAULT_BOOTSTRAP_PROJECT,
  deployer: bootstrapper("vaultboot"),
  deletionProtection: false,
  github,
  stacks: [{ name: VAULT, role: "vault", project: VAULT_PROJECT, stateLocation: "EU", publishes: true }],
});

/** Restores of media that only look, so that whoever restores exists; each kind in a bucket of its own. */
function lookingRestores(until: Date) {
  const [kept, replaced] = MEDIA_BUCKETS;
  // The same whenever it is asked: another moment would be another restore.
  const at = new Date(until.getTime() - 24 * 3600_000).toISOString();
  const look = { at, expires: until.toISOString(), dryRun: true };
  return [
    { id: "look", bucket: kept!.name, ...look },
    { id: "look-and-replace", bucket: replaced!.name, overwrite: true, ...look },
  ];
}

/** Adds restores to those of a configuration's media. */
export function withRestores(config: Record<string, unknown>, restores: readonly object[]): Record<string, unknown> {
  const media = config.media as { restores?: readonly object[] };
  return { ...config, media: { ...media, restores: [...(media.restores ?? []), ...restores] } };
}

/** One region of the drill's: who reaches what does not depend on how many there are. */
const regions = REGIONS.slice(0, 1);

/** Where the standby's own backups arrive in the window of a failback. */
const FAILBACK_BUCKET = "iconik-drill-failback";

/**
 * The drill's vault with restores granted until then, and open to the standby's copier.
 * @param returning it is the window of a failback as well
 * @param issuer of the standby's cluster
 */
export const attackedVault = (until: Date, returning = false, issuer = unknownIssuer): Record<string, unknown> => {
  const config = withRestores(
    vaultConfig({ grantUntil: until, retentionDays: RETENTION_DAYS, regions }),
    lookingRestores(until),
  );
  return {
    ...config,
    deployer: deployer(VAULT_PROJECT),
    standby: {
      issuer,
      ...(returning && { failback: { bucket: FAILBACK_BUCKET, datacenter: STANDBY_REGION.datacenter } }),
    },
  };
};

/** The drill's site. */
export const attackedSite = (markerKeys: string[] = []): Record<string, unknown> => ({
  ...siteConfig(PROD, markerKeys),
  regions,
  deployer: deployer(PROD_PROJECT),
  foundation: { deployer: deployer(FOUNDATION_PROJECT) },
});

/** The site that the drill's comes back as. */
export const rebuiltSite = (markerKeys: string[]): Record<string, unknown> => ({
  ...siteConfig(REBUILD, markerKeys, true),
  regions,
});

/**
 * The drill's foundation, with the vault's restores.
 * @param returning the standby may add its media, in the window of a failback
 */
export const attackedFoundation = (until: Date, returning = false): Record<string, unknown> => {
  const config = withRestores(foundationConfig(), lookingRestores(until));
  return {
    ...config,
    deployer: deployer(FOUNDATION_PROJECT),
    vault: { ...(config.vault as object), ...(returning && { failback: true }) },
  };
};

/** What the names of these stacks' identities mean. */
export const known: Known = {
  site: PROD,
  stacks: [
    { stack: PROD, project: PROD_PROJECT, siteBuckets: [PRIMARY_BUCKET, ...MEDIA_BUCKETS.map(({ name }) => name)] },
    { stack: VAULT, project: VAULT_PROJECT },
    { stack: FOUNDATION, project: FOUNDATION_PROJECT },
    { stack: BOOTSTRAP, project: BOOTSTRAP_PROJECT },
    { stack: VAULT_BOOTSTRAP, project: VAULT_BOOTSTRAP_PROJECT },
  ],
  restored: {
    restorer: [COPIES_BUCKET],
    "media-restorer": [MEDIA_BUCKETS[0]!.name, MEDIA_BUCKETS[0]!.secondary],
    "media-overwriter": [MEDIA_BUCKETS[1]!.name, MEDIA_BUCKETS[1]!.secondary],
  },
};

/** People, who have no account that a stack makes. */
export const people: readonly Principal[] = [
  { cloud: "gcp", name: REBUILDER, stack: REBUILD, parts: [{ row: "manifest-reader", prefix: markersPrefix(PROD) }] },
  ...[["bootstrap", BOOTSTRAP] as const, ["vaultboot", VAULT_BOOTSTRAP] as const].map(
    ([side, stack]): Principal => ({
      cloud: "gcp",
      name: bootstrapper(side).slice("user:".length),
      stack,
      // The state of the bootstrap itself is theirs as a deployer's.
      parts: [
        { row: "bootstrapper", stack },
        { row: "deployer", stack },
      ],
    }),
  ),
];

const place = (more: Pick<Place, "store" | "bucket" | "stack"> & Partial<Place>): Place => ({
  cloud: "gcp",
  prefix: "",
  retentionSeconds: 0,
  locked: false,
  ...more,
});

/** The second copies' bucket by what its objects are for, as rows of the matrix tell them apart. @param locked its retention */
export function copiesPlaces(locked: boolean): Place[] {
  const retentionSeconds = daysInSeconds(RETENTION_DAYS);
  return [`${PROD}/`, markersPrefix(PROD), evidencePrefix(PROD)].map((prefix) =>
    place({ store: "secondCopy", bucket: COPIES_BUCKET, stack: VAULT, prefix, retentionSeconds, locked }),
  );
}

/** The second copies of the media. */
export const secondMediaPlaces: readonly Place[] = MEDIA_BUCKETS.map(({ secondary }) =>
  place({ store: "secondMedia", bucket: secondary, stack: VAULT }),
);

/** Every bucket of Google's side. @param locked the retention of the second copies */
export function googlePlaces(locked: boolean): Place[] {
  const state = (project: string, stack: string, stateOf: string) =>
    place({ store: "state", bucket: stateBucketName(project, stateOf), stack, stateOf });
  return [
    place({ store: "primaryBackups", bucket: PRIMARY_BUCKET, stack: PROD }),
    ...copiesPlaces(locked),
    ...MEDIA_BUCKETS.map(({ name }) => place({ store: "media", bucket: name, stack: FOUNDATION })),
    ...secondMediaPlaces,
    place({ store: "failback", bucket: FAILBACK_BUCKET, stack: VAULT }),
    ...[FOUNDATION, PROD, BOOTSTRAP].map((of) => state(BOOTSTRAP_PROJECT, BOOTSTRAP, of)),
    ...[VAULT, VAULT_BOOTSTRAP].map((of) => state(VAULT_BOOTSTRAP_PROJECT, VAULT_BOOTSTRAP, of)),
  ];
}

/** Buckets that have no column in the matrix, and why nobody is expected to be answered there by it. */
export const unplaced: Readonly<Record<string, string>> = {
  [STANDBY_BUCKETS.traffic]:
    "one object that says who serves; its policy is held by tests of the component, and it has no data",
  [STANDBY_BUCKETS.logs]: "services of AWS write it; what it holds is nobody's data, and versions keep it",
};

/** The standby's second activation: the bucket of the first has to be as closed as before. */
const ACTIVATION = 2;

/** Every bucket of the standby with data of the matrix. */
export function standbyPlaces(): Place[] {
  const { copies, media, states } = STANDBY_BUCKETS;
  const s3 = (store: Place["store"], bucket: string, prefix = "") =>
    place({ cloud: "aws", store, bucket, stack: STANDBY, prefix });
  return [
    s3("s3Copies", copies, `${PROD}/`),
    s3("s3Copies", copies, markersPrefix(PROD)),
    ...media.flatMap((each) => [s3("s3MediaCopies", each.copies), s3("s3Media", each.live)]),
    ...standbyBackups(ACTIVATION, STANDBY_PREFIX).map((bucket) => s3("s3Backups", bucket)),
    s3("s3States", states),
  ];
}

const role = (name: string) => `arn:aws:iam::${STANDBY_ACCOUNT}:role/${name}`;
/** Roles of AWS that exist before the stack: its pipeline's. */
export const pipelineRoles: readonly string[] = ["standby-deployer", "standby-previewer", "standby-publisher"].map(
  role,
);

/** The drill's standby as a pilot light, protected as in production, with its pipeline and the copies of states. */
export function standbyConfig(markerKeys: string[]): Record<string, unknown> {
  const stage = { address: "192.0.2.2", markerKeys, projectNumber: STANDBY_ACCOUNT };
  const { deletionProtection: _, ...config } = drillsStandby(stage);
  return {
    ...config,
    activation: ACTIVATION,
    deployer: pipelineRoles[0],
    previewer: pipelineRoles[1],
    publishers: [pipelineRoles[2]],
    states: {
      project: BOOTSTRAP_PROJECT,
      projectNumber: "123456789013",
      buckets: [FOUNDATION, PROD, BOOTSTRAP].map((of) => stateBucketName(BOOTSTRAP_PROJECT, of)),
    },
  };
}
