/** The stacks that tests look at: the repository's own, and what they become in a disaster. */

import type { CustomerBucket } from "../../plan/customers";
import { bootstrap } from "../../stacks/bootstrap";
import type { BootstrapConfig, FoundationConfig, SiteConfig, StandbyConfig, VaultConfig } from "../../stacks/config";
import { foundation } from "../../stacks/foundation";
import { site } from "../../stacks/site";
import { standby } from "../../stacks/standby";
import { vault } from "../../stacks/vault";
import { type Declaration, declared } from "./declared";
import { stackConfig } from "./stack-file";

/** Handed to sites as the token of 1Password; it must not show anywhere. */
export const TOKEN = "a 1Password token";
const SOON = new Date(Date.now() + 24 * 3600_000).toISOString();
/** End of the grant in inventories; a fixed moment, so that they do not change from day to day. */
const GRANT_ENDS = "2026-01-31T12:00:00Z";

const rebuild = {
  project: "iconik-rebuild-1",
  deployer: "serviceAccount:deployer@iconik-rebuild-1.iam.gserviceaccount.com",
  backups: { bucket: "iconik-rebuild-1-backups", location: "EU" },
  restore: { site: "prod", marker: "latest", grant: "rebuild-1" },
};

const grant = {
  site: "rebuild-1",
  project: rebuild.project,
  bucket: rebuild.backups.bucket,
  source: "prod",
  expires: SOON,
  manifestReader: rebuild.deployer,
  regions: ["europe-west1", "us-east4", "europe-west4"],
  deployer: rebuild.deployer,
};

const recoveries = [
  {
    id: "assets-1",
    kind: "table",
    datacenter: "emea",
    keyspace: "iconik",
    table: "assets",
    before: "2026-01-15T12:00:00Z",
  },
  {
    id: "search-1",
    kind: "index",
    datacenter: "amer",
    index: "assets",
    backup: "night-20260115t010000z",
    replace: true,
  },
];

const failback = { bucket: "iconik-vault-failback-1", datacenter: "emea" };

/** A prefix that comes back, and a bucket that is taken back to a moment. */
const mediaRestores = [
  { id: "one", bucket: "iconik-files", prefix: "a/", overwrite: false },
  { id: "two", bucket: "iconik-proxies", overwrite: true },
].map((each) => ({ ...each, at: "2026-01-20T00:00:00Z", dryRun: false, expires: GRANT_ENDS }));

/** A customer's bucket in each cloud. */
export const customerBuckets: CustomerBucket[] = [
  { name: "acme", bucket: "s3://acme", region: "eu-west-1", role: "arn:aws:iam::210987654321:role/iconik" },
  {
    name: "globex",
    bucket: "gs://globex",
    provider: "//iam.googleapis.com/projects/123456/locations/global/workloadIdentityPools/iconik/providers/standby",
    serviceAccount: "iconik@globex-media.iam.gserviceaccount.com",
  },
];

const prod = () => stackConfig("prod") as SiteConfig;

/** A region that the site gets. */
const joining: SiteConfig["regions"][number] = {
  name: "asia-southeast1",
  datacenter: "apac",
  zones: ["asia-southeast1-a", "asia-southeast1-b", "asia-southeast1-c"],
  state: "joining",
  share: 1,
};

/** Names of the stacks with an inventory in tests/golden. */
export const stackNames = [
  "prod",
  "rebuild-1",
  "vault",
  "vault-granting",
  "foundation",
  "bootstrap",
  "bootstrap-vault",
  "aws-standby",
  "aws-standby-active",
] as const;
/** Every stack that rules are held against: those, a site that brings something back in place, and stacks that restore media. */
export const allStackNames = [
  ...stackNames,
  "prod-recovering",
  // A third region comes; one of two goes.
  "prod-joining",
  "prod-retired",
  "vault-restoring",
  "foundation-restoring",
  // In the window of a failback.
  "vault-failback",
  "aws-standby-failback",
  // The next time.
  "aws-standby-again",
] as const;
export type StackName = (typeof allStackNames)[number];

const programs: Record<StackName, () => unknown> = {
  prod: () => site(stackConfig("prod") as SiteConfig, TOKEN),
  "prod-recovering": () => site(stackConfig("prod", { recoveries }) as SiteConfig, TOKEN),
  "prod-joining": () => site({ ...prod(), regions: [...prod().regions, joining] }, TOKEN),
  "prod-retired": () => {
    const [emea, amer] = prod().regions;
    return site({ ...prod(), regions: [emea!, { ...amer!, state: "retired" }] }, TOKEN);
  },
  "rebuild-1": () => site(stackConfig("prod", rebuild, "rebuild-1") as SiteConfig, TOKEN),
  vault: () => vault(stackConfig("vault") as VaultConfig),
  "vault-granting": () => {
    const config = stackConfig("vault", { restoreGrants: [grant] }) as VaultConfig;
    return vault({ ...config, restoreGrants: config.restoreGrants.map((each) => ({ ...each, expires: GRANT_ENDS })) });
  },
  "vault-failback": () => {
    const standby = {
      issuer: "https://oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF",
      failback,
    };
    return vault({ ...(stackConfig("vault") as VaultConfig), standby });
  },
  "vault-restoring": () => {
    const config = stackConfig("vault") as VaultConfig;
    return vault({ ...config, media: { ...config.media!, restores: mediaRestores } });
  },
  "foundation-restoring": () => {
    const config = stackConfig("foundation") as FoundationConfig;
    return foundation({
      ...config,
      vault: { project: (stackConfig("vault") as VaultConfig).project, failback: false },
      media: { ...config.media, restores: mediaRestores },
    });
  },
  bootstrap: () => bootstrap(stackConfig("bootstrap") as BootstrapConfig, "bootstrap"),
  "bootstrap-vault": () => bootstrap(stackConfig("bootstrap-vault") as BootstrapConfig, "bootstrap-vault"),
  "aws-standby": () => standby(stackConfig("aws-standby", { customerBuckets }) as StandbyConfig, TOKEN),
  "aws-standby-failback": () => {
    const config = stackConfig("aws-standby", { active: true, restored: "copy-20260115t020000z" }) as StandbyConfig;
    return standby({ ...config, vault: { ...config.vault, failbackBucket: failback.bucket } }, TOKEN);
  },
  "aws-standby-active": () =>
    standby(stackConfig("aws-standby", { active: true, customerBuckets }) as StandbyConfig, TOKEN, {
      source: "prod",
      marker: "copy-20260115t020000z",
    }),
  "aws-standby-again": () =>
    standby(stackConfig("aws-standby", { active: true, activation: 2, customerBuckets }) as StandbyConfig, TOKEN, {
      source: "prod",
      marker: "copy-20260214t020000z",
    }),
  foundation: () => foundation(stackConfig("foundation") as FoundationConfig),
};

const declarations = new Map<StackName, Promise<Declaration>>();

/** What a stack declares: once for all tests of this process, none of which can change its resources. */
export function declaredStack(name: StackName): Promise<Declaration> {
  const known = declarations.get(name) ?? declaredOnce(name);
  declarations.set(name, known);
  return known;
}

async function declaredOnce(name: StackName): Promise<Declaration> {
  const declaration = await declared(programs[name], name);
  freeze(declaration.resources);
  return declaration;
}

/** Lets no part of a value be changed any more. */
function freeze(value: unknown): void {
  if (value === null || typeof value !== "object" || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const inner of Object.values(value)) freeze(inner);
}
