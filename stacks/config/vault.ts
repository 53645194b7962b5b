/** Configuration of the vault (role `vault`). */
import { z } from "zod";
import { copyLimits } from "../../plan/copying";
import { allowedCopyRegions, continentalMultiRegion, copyLocationProblem, regions } from "../../plan/regions";
import { retention } from "../../plan/retention";
import { standbySite } from "../../plan/standby";
import { common, protectedOutsideDrills, workloads } from "./common";
import {
  bucketName,
  datacenterName,
  issuer,
  member,
  moment,
  multiRegion,
  projectId,
  regionName,
  scheduleOverrides,
  siteName,
} from "./fields";
import { media, mediaFits } from "./media";
import { notified } from "./notifications";

/** Who pulls from the vault's registry: nodes in these regions, the control region among them, and who deploys. All of them have to exist. */
const pulling = { regions: z.array(regionName).default([]), deployer: member.optional() };

const markerId = z.string().regex(/^copy-\d{8}t\d{6}z$/, "no copy; allowed: a marker id (copy-YYYYMMDDthhmmssz)");

/** Checks the vault's configuration. */
export const vault = z
  .strictObject({
    ...common,
    ...workloads,
    role: z.literal("vault"),
    location: regionName,
    copies: z.strictObject({
      bucket: bucketName,
      retentionDays: z.int().min(0).max(3650).default(retention.copiesDays),
      limits: z
        .strictObject({
          transactionsPerSecond: z.int().min(1).max(10_000).default(copyLimits.transactionsPerSecond),
          bandwidth: z
            .string()
            .regex(/^\d+[KMG]$/, "no bandwidth; allowed: bytes in a second with K, M or G, e.g. 20M")
            .optional(),
        })
        .prefault({}),
      /** Versions of the key that signs markers; the newest signs. Google numbers them, so none can go. */
      keyVersions: z.int().min(1, "one version or more is needed; set 1, or one more to replace the key").default(1),
      /** Markers that people know to be none: they keep nothing, and the pruner removes them. */
      distrusted: z.array(z.strictObject({ site: siteName, marker: markerId })).default([]),
      /** Days on which the pruner may remove more than its breaker lets pass. */
      pruneApprovals: z
        .array(
          z.strictObject({
            site: siteName,
            date: z.iso.date("no date; allowed: YYYY-MM-DD, in UTC"),
            objects: z.int().min(1),
          }),
        )
        .default([]),
    }),
    media: media.optional(),
    /** Those of the snapshots say when the sites' are due, and are what the sites have. */
    schedules: scheduleOverrides(
      "cassandraSnapshot",
      "elasticsearchSnapshot",
      "replication",
      "mediaReplication",
      "verification",
      "pruning",
    ),
    publishers: z.array(member).default([]),
    /** The standby's cluster, whose copier reads the copies. */
    standby: z
      .strictObject({
        issuer,
        /** In the window of a failback: where the standby's own backups arrive, and of which datacenter they are. */
        failback: z.strictObject({ bucket: bucketName, datacenter: datacenterName }).optional(),
      })
      .optional(),
    sites: z
      .array(
        z.strictObject({
          name: siteName,
          project: projectId,
          bucket: bucketName,
          location: multiRegion.optional(),
          ...pulling,
          repositories: z
            .array(
              z
                .string()
                .regex(
                  /^(cassandra|elasticsearch)-[a-z][a-z0-9]{1,14}$/,
                  "no repository; allowed: cassandra-DATACENTER or elasticsearch-DATACENTER",
                ),
            )
            .min(1),
        }),
      )
      .default([]),
    restoreGrants: z
      .array(
        z.strictObject({
          site: siteName,
          project: projectId,
          bucket: bucketName,
          source: siteName,
          ...pulling,
          expires: moment,
          manifestReader: member,
        }),
      )
      .default([]),
  })
  .superRefine((config, issues) => {
    const add = (path: (string | number)[], input: unknown, message: string) =>
      issues.addIssue({ code: "custom", path, input, message });
    protectedOutsideDrills(config, issues);
    mediaFits(config, issues);
    const inside = continentalMultiRegion(config.location);
    if (inside) {
      const message = `inside the multi-region ${inside.code} that holds primaries; choose one of ${allowedCopyRegions(inside.code).join(", ")}`;
      add(["location"], config.location, message);
    }
    for (const [index, { name, project, bucket, location }] of config.sites.entries()) {
      if (config.sites.findIndex((other) => other.name === name) !== index) {
        add(["sites", index, "name"], name, "given twice; its copies would mix; name each site once");
      }
      if (project === config.project) {
        add(["sites", index, "project"], project, "the vault's own project; a site has a project of its own");
      }
      const first = config.sites.findIndex((other) => other.bucket === bucket);
      if (first !== index) {
        const message = `the bucket of sites[${first}] as well; each site has a primary bucket of its own`;
        add(["sites", index, "bucket"], bucket, message);
      }
      if (bucket === config.copies.bucket) {
        add(["sites", index, "bucket"], bucket, "the bucket of the copies; name the site's primary bucket");
      }
      const problem = location && regions.has(config.location) && copyLocationProblem(location, config.location);
      if (problem && !inside) add(["location"], config.location, problem);
    }
    const landing = config.standby?.failback?.bucket;
    if (landing !== undefined) {
      const where = ["standby", "failback", "bucket"];
      if (landing === config.copies.bucket) add(where, landing, "the bucket of the copies; name one of its own");
      const of = config.sites.find(({ bucket }) => bucket === landing);
      if (of) add(where, landing, `the primary bucket of site "${of.name}"; name one of its own`);
      const taken = config.sites.findIndex(({ name }) => name === standbySite);
      if (taken >= 0) add(["sites", taken, "name"], standbySite, "what the standby's backups are copied as; rename it");
    }
    for (const [index, { site, project, source, expires }] of config.restoreGrants.entries()) {
      if (config.restoreGrants.findIndex((other) => other.site === site) !== index) {
        add(["restoreGrants", index, "site"], site, "granted twice; keep one grant per site");
      }
      const live = config.sites.find((other) => other.project === project);
      if (live) {
        const message = `the project of site "${live.name}" that runs, whose identities never reach the copies; restore into a project of its own`;
        add(["restoreGrants", index, "project"], project, message);
      }
      if (project === config.project) {
        const message = "the vault's own project; a restored site has a project of its own";
        add(["restoreGrants", index, "project"], project, message);
      }
      const sources = [...config.sites.map(({ name }) => name), ...(config.standby?.failback ? [standbySite] : [])];
      if (!sources.includes(source)) {
        const allowed = sources.join(", ") || "none, as sites is empty";
        add(["restoreGrants", index, "source"], source, `no site that is copied here; allowed: ${allowed}`);
      }
      if (Date.parse(expires) <= Date.now()) {
        const message = "has passed; remove the grant, or set a moment that covers the restore";
        add(["restoreGrants", index, "expires"], expires, message);
      }
      const latest = Date.now() + retention.restoreGrantDays * 24 * 3600 * 1000;
      if (Date.parse(expires) > latest) {
        add(
          ["restoreGrants", index, "expires"],
          expires,
          `more than ${retention.restoreGrantDays} days ahead; a grant ends soon`,
        );
      }
    }
    for (const key of ["distrusted", "pruneApprovals"] as const) {
      for (const [index, { site }] of config.copies[key].entries()) {
        if (config.sites.some(({ name }) => name === site)) continue;
        const allowed = config.sites.map(({ name }) => name).join(", ") || "none, as sites is empty";
        add(["copies", key, index, "site"], site, `no site that is copied here; allowed: ${allowed}`);
      }
    }
    if (config.deletionProtection && config.copies.retentionDays < 7) {
      const message = "second copies are kept 7 days or more; fewer needs deletionProtection false (drills)";
      add(["copies", "retentionDays"], config.copies.retentionDays, message);
    }
  })
  .superRefine(notified);

export type VaultConfig = z.output<typeof vault>;
