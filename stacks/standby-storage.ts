/** The standby's buckets and the identities that use them. */
import type * as aws from "@pulumi/aws";
import type { ComponentResourceOptions, Resource } from "@pulumi/pulumi";
import type { EksCluster } from "../components/aws/eks-cluster";
import { PodIdentity } from "../components/aws/pod-identity";
import { RequestMetrics } from "../components/aws/request-metrics";
import { S3StoreBucket } from "../components/aws/store-bucket";
import { TokenProvider } from "../components/aws/token-provider";
import { isAtGoogle } from "../plan/customers";
import { type IdentityId, identities } from "../plan/identities";
import { markersPrefix } from "../plan/layout";
import { namespaces } from "../plan/names";
import { retention } from "../plan/retention";
import { identityRoleArn, type S3Store } from "../plan/s3-permissions";
import { type StandbyBuckets, standbyBackups } from "../plan/standby";
import type { StandbyConfig } from "./config";

/** Names of the filters of request metrics. */
export const filters = { markersFilter: "markers", wholeFilter: "whole" } as const;

/** What the storage builds on. */
export interface StandbyStorageArgs {
  config: StandbyConfig;
  names: StandbyBuckets;
  /** ARNs of the roles that deploy and preview. */
  deployers: string[];
  logs: aws.s3.Bucket;
  cluster: EksCluster;
}

/** The storage, ready to be used. */
export interface StandbyStorage {
  /** What the copier needs before it runs. */
  copying: Resource[];
  /** What an active standby's stores, services and restore need. */
  serving: Resource[];
  /** ARN of Elasticsearch's role. */
  searchRole: string;
}

/** Declares the buckets, closed to everybody but the matrix, and the roles of the matrix. */
export function standbyStorage(args: StandbyStorageArgs, opts: ComponentResourceOptions): StandbyStorage {
  const { config, names, deployers, logs, cluster } = args;
  const { account, deletionProtection } = config;
  const ownBackups = standbyBackups(config.activation, config.buckets.prefix);
  const byStore: Record<S3Store, string[]> = {
    s3Copies: [names.copies],
    s3MediaCopies: names.media.map(({ copies }) => copies),
    s3Backups: ownBackups,
    s3Media: names.media.map(({ live }) => live),
    s3States: [names.states],
  };
  const bucket = (name: string, store: S3Store, of: string, noncurrentDays: number, lockDays?: number) =>
    new S3StoreBucket(
      name,
      {
        account,
        bucket: of,
        store,
        deployer: config.deployer,
        previewers: deployers.filter((each) => each !== config.deployer),
        site: config.primary.site,
        noncurrentDays,
        // A drill's copies have to go again.
        ...(lockDays !== undefined && { lockDays }),
        logs,
        deletionProtection,
      },
      opts,
    );
  const copies = bucket("copies", "s3Copies", names.copies, retention.s3CopiesDays, retention.s3CopiesDays);
  const media = names.media.map((each) => ({
    ...each,
    copied: bucket(`copies-${each.name}`, "s3MediaCopies", each.copies, retention.s3MediaDays, retention.s3MediaDays),
    written: bucket(`live-${each.name}`, "s3Media", each.live, retention.s3LiveVersionsDays),
  }));
  // Those of activations that are over stay as they are, with what was written there.
  const backups = standbyBackups(config.activation, "").map((name, index) =>
    bucket(name, "s3Backups", ownBackups[index]!, retention.s3LiveVersionsDays),
  );
  const states = bucket("states", "s3States", names.states, retention.stateVersionsDays);
  new RequestMetrics(
    "metrics-copies",
    { bucket: copies.bucket, filters: { [filters.markersFilter]: markersPrefix(config.primary.site) } },
    opts,
  );
  for (const { name, copied } of media)
    new RequestMetrics(`metrics-${name}`, { bucket: copied.bucket, filters: { [filters.wholeFilter]: "" } }, opts);

  const customerRoles = config.customerBuckets.flatMap((bucket) => (isAtGoogle(bucket) ? [] : [bucket.role]));
  const issuer = new TokenProvider("token-provider", { issuer: cluster.issuer }, opts);
  const search = { namespace: namespaces.elasticsearch, name: "elasticsearch-backup" };
  const roles = new Map(
    identities
      .filter(({ home }) => home === "aws")
      .map(({ id }): [IdentityId, PodIdentity] => [
        id,
        new PodIdentity(
          id,
          {
            account,
            cluster,
            identity: id,
            buckets: byStore,
            ...(id === "standby-elasticsearch-backup" && { byToken: { provider: issuer.provider, user: search } }),
            ...(id === "standby-services" && customerRoles.length > 0 && { more: [customers(customerRoles)] }),
          },
          opts,
        ),
      ]),
  );
  const ready = (...ids: IdentityId[]) => ids.flatMap((id) => roles.get(id)!.associations);
  return {
    copying: [
      copies.policy,
      states.policy,
      ...media.map(({ copied }) => copied.policy),
      ...ready("standby-copier", "state-reader"),
    ],
    serving: [
      ...backups.map(({ policy }) => policy),
      copies.policy,
      ...media.flatMap(({ copied, written }) => [copied.policy, written.policy]),
      ...ready(
        "standby-restorer",
        "standby-cassandra-backup",
        "standby-elasticsearch-backup",
        "standby-services",
        "standby-failback",
      ),
    ],
    searchRole: identityRoleArn(account, "standby-elasticsearch-backup"),
  };
}

/**
 * The services reach customers' own buckets by roles that the customers gave them. Pod Identity's tags go along with the session,
 * which both sides have to allow.
 */
function customers(roles: string[]) {
  const Action = ["sts:AssumeRole", "sts:TagSession"];
  return { Sid: "CustomersBuckets", Effect: "Allow" as const, Action, Resource: [...new Set(roles)] };
}
