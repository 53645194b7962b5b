/** Configuration of the standby's stack in a drill: scratch buckets beside the drill's own vault and media, two racks, no protection. */
import type { CustomerBucket } from "../plan/customers";
import { registries } from "../plan/names";
import { ecrHost, standbyBuckets } from "../plan/standby";
import { COPIES_BUCKET, MEDIA_PREFIX, PROD, REGIONS, REPLICATION_FACTOR, VAULT_PROJECT } from "./config";

export const STANDBY = "drill-standby";

/** Account on AWS. */
export const STANDBY_ACCOUNT = "123456789012";
export const STANDBY_PREFIX = "iconik-drill-standby-";
const NOBODY = `sha256:${"0".repeat(64)}`;

/** The standby's buckets. */
export const STANDBY_BUCKETS = standbyBuckets(STANDBY_PREFIX, MEDIA_PREFIX);

/** The datacenter that the standby takes: each of a site's holds everything. */
export const STANDBY_REGION = REGIONS[0]!;

/** What a stage of the drill changes. */
export interface StandbyStage {
  /** Google's address of the product. */
  address: string;
  markerKeys: string[];
  /** Number of the vault's project. */
  projectNumber: string;
  /** Buckets that customers let the services into. Default: none. */
  customerBuckets?: readonly CustomerBucket[];
  /** Restores and serves. */
  active?: boolean;
  /** The restore has ended. */
  restored?: string;
  /** Where its own backups arrive at Google. */
  failbackBucket?: string;
  /** Site that it stands by for. Default: prod. */
  site?: string;
  /** The site takes over from the standby, which serves. */
  resume?: boolean;
}

/** The stack's configuration. */
export function standbyConfig(stage: StandbyStage): Record<string, unknown> {
  const host = ecrHost(STANDBY_ACCOUNT);
  const { active, restored, site = PROD } = stage;
  return {
    role: "standby",
    account: STANDBY_ACCOUNT,
    deployer: `arn:aws:iam::${STANDBY_ACCOUNT}:role/standby-deployer`,
    deletionProtection: false,
    authorizedNetworks: ["192.0.2.0/28"],
    notifications: [{ type: "email", address: "drill@example.com" }],
    primary: { site, address: stage.address, ...(stage.resume && { resume: site }) },
    ...(active && { active }),
    ...(restored !== undefined && { restored }),
    datacenter: STANDBY_REGION.datacenter,
    cassandra: { racks: 2, nodesPerRegion: 2, replicationFactor: REPLICATION_FACTOR },
    elasticsearch: { nodes: 1 },
    vault: {
      project: VAULT_PROJECT,
      projectNumber: stage.projectNumber,
      copiesBucket: COPIES_BUCKET,
      markerKeys: stage.markerKeys,
      ...(stage.failbackBucket !== undefined && { failbackBucket: stage.failbackBucket }),
    },
    charts: { repository: `oci://${host}/${registries.charts}` },
    images: {
      jobs: `${host}/dr/jobs@${NOBODY}`,
      services: `${host}/dr/services@${NOBODY}`,
      mirror: `${host}/${registries.mirror}`,
    },
    onePassword: { vault: "iconik-drill" },
    media: { prefix: MEDIA_PREFIX },
    ...(stage.customerBuckets && { customerBuckets: stage.customerBuckets }),
    buckets: { prefix: STANDBY_PREFIX },
  };
}
