/** Configuration of the media's second copies: part of the vault's. */
import { z } from "zod";
import {
  type MediaRestore,
  mediaApprovalDays,
  mediaBreaker,
  mediaBucket,
  mediaBucketProblem,
  mediaBucketsOf,
  mediaPrefix,
  mediaRestoreIdLength,
} from "../../plan/media";
import { isDrillProject } from "../../plan/names";
import { continentalMultiRegion, copyLocationProblem, multiRegions, regions } from "../../plan/regions";
import { retention } from "../../plan/retention";
import { moment, multiRegion, projectId } from "./fields";

const share = "no share; allowed: a number from 0 to 0.5, e.g. 0.02 for 2 %";
const floor = "no number of objects; allowed: an integer from 0 to 1000000";
const objects = "no number of objects; allowed: an integer of 1 or more, as the failed job says";

/** What the buckets are called before their kind; only a drill's are called otherwise than the plan says. */
export const prefix = z.string().default(mediaPrefix);

/** Drills have scratch buckets and everybody else the product's: never the other way round. */
export function scratchInDrills(
  { project, media }: { project: string; media?: { prefix: string } | undefined },
  issues: z.RefinementCtx,
): void {
  if (!media) return;
  const { prefix } = media;
  const add = (message: string) =>
    issues.addIssue({ code: "custom", path: ["media", "prefix"], input: prefix, message });
  if (!isDrillProject(project)) {
    if (prefix !== mediaPrefix) add("scratch buckets are for projects of drills; remove it");
  } else if (prefix === mediaPrefix) {
    add("the product's own buckets; a drill uses scratch ones; set e.g. iconik-drill-");
  } else if (!/^[a-z][a-z0-9-]{0,39}-$/.test(prefix) || !isDrillProject(prefix)) {
    add('no prefix of scratch buckets; allowed: lower-case letters, digits and hyphens with "drill" between hyphens');
  }
}

const noRestoreId = `no id of a restore; allowed: lower-case letters, digits and hyphens, ${mediaRestoreIdLength} at most, a letter first`;

/** Media that are brought back; the vault and the foundation have the same list. */
export const restores = z
  .array(
    z.strictObject({
      id: z
        .string(noRestoreId)
        .regex(/^[a-z]([a-z0-9-]*[a-z0-9])?$/, noRestoreId)
        .max(mediaRestoreIdLength, noRestoreId),
      bucket: z.string(),
      prefix: z.string().min(1, "empty; leave it out for the whole bucket").optional(),
      object: z.string().min(1, "empty; leave it out for the whole bucket").optional(),
      at: moment,
      overwrite: z.boolean().default(false),
      dryRun: z.boolean().default(false),
      expires: moment,
    }),
  )
  .default([]);

/** Checks each restore: what of, as of when, and how long it is open. */
export function restoresFit(
  { media }: { media?: { prefix: string; restores: MediaRestore[] } | undefined },
  issues: z.RefinementCtx,
): void {
  if (!media) return;
  const day = 24 * 3600_000;
  for (const [index, { id, bucket, prefix, object, at, expires }] of media.restores.entries()) {
    const add = (key: string, input: unknown, message: string) =>
      issues.addIssue({ code: "custom", path: ["media", "restores", index, key], input, message });
    if (media.restores.findIndex((other) => other.id === id) !== index) add("id", id, "given twice; name each once");
    const foreign = mediaBucketProblem(bucket, mediaBucketsOf(media.prefix));
    if (foreign) add("bucket", bucket, foreign);
    if (prefix !== undefined && object !== undefined)
      add("object", object, `given beside the prefix "${prefix}"; keep one of both`);
    if (Date.parse(at) > Date.now()) add("at", at, "has not come yet; set a moment at which the media were whole");
    const days = retention.mediaAfterRemovalDays;
    if (Date.parse(at) < Date.now() - days * day)
      add("at", at, `more than ${days} days ago, and no version is kept longer; set a later moment`);
    if (Date.parse(expires) <= Date.now())
      add("expires", expires, "has passed; remove the restore, or set a moment that covers it");
    if (Date.parse(expires) > Date.now() + retention.restoreGrantDays * day)
      add("expires", expires, `more than ${retention.restoreGrantDays} days ahead; a grant ends soon`);
  }
}

/** What the vault has to know of the media buckets. Which they are is the plan's (plan/media.ts), not the configuration's. */
export const media = z.strictObject({
  /** Location of the primaries. */
  location: multiRegion,
  prefix,
  /** Project of the foundation. */
  project: projectId,
  breaker: z
    .strictObject({
      share: z.number(share).min(0, share).max(0.5, share).default(mediaBreaker.share),
      floor: z.int(floor).min(0, floor).max(1_000_000, floor).default(mediaBreaker.floor),
    })
    .prefault({}),
  approvals: z
    .array(
      z.strictObject({
        bucket: z.string(),
        date: z.iso.date("no day; allowed: YYYY-MM-DD in quotes, the day of the run in UTC"),
        objects: z.int(objects).min(1, objects),
      }),
    )
    .default([]),
  restores,
});

/** The vault's configuration as far as the media have to fit to it. */
interface Vault {
  project: string;
  location: string;
  copies: { bucket: string };
  sites: { name: string; project: string; bucket: string }[];
  media?: z.output<typeof media> | undefined;
}

/** Checks the media against the rest of the vault's configuration. */
export function mediaFits(config: Vault, issues: z.RefinementCtx): void {
  const add = (path: (string | number)[], input: unknown, message: string) =>
    issues.addIssue({ code: "custom", path, input, message });
  scratchInDrills(config, issues);
  restoresFit(config, issues);
  const taken = "a media bucket of the plan; backups have buckets of their own";
  if (mediaBucket(config.copies.bucket)) add(["copies", "bucket"], config.copies.bucket, taken);
  for (const [index, { bucket }] of config.sites.entries())
    if (mediaBucket(bucket)) add(["sites", index, "bucket"], bucket, taken);
  if (!config.media) return;
  const { location, project, approvals } = config.media;
  // Unknown places, and a vault inside a multi-region whatever it copies, are told where they are given.
  const told =
    !regions.has(config.location) ||
    !multiRegions.has(location.toUpperCase()) ||
    continentalMultiRegion(config.location) !== undefined;
  const problem = told ? undefined : copyLocationProblem(location, config.location);
  if (problem) add(["media", "location"], location, `the secondaries cannot lie in the vault's location: ${problem}`);
  if (project === config.project) {
    const message =
      "the vault's own project; whoever owns the primaries must not own the copies; name the foundation's";
    add(["media", "project"], project, message);
  }
  const site = config.sites.find((each) => each.project === project);
  if (site) add(["media", "project"], project, `the project of site "${site.name}"; name the foundation's`);
  for (const [index, { bucket, date }] of approvals.entries()) {
    const path = ["media", "approvals", index, "date"];
    const foreign = mediaBucketProblem(bucket, mediaBucketsOf(config.media.prefix));
    if (foreign) add(["media", "approvals", index, "bucket"], bucket, foreign);
    if (approvals.findIndex((other) => other.bucket === bucket && other.date === date) !== index)
      add(path, date, `given twice for ${bucket}; keep the one with the number that is meant`);
    if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) continue; // told already
    const today = new Date().toISOString().slice(0, 10);
    const latest = new Date(Date.now() + mediaApprovalDays * 24 * 3600 * 1000).toISOString().slice(0, 10);
    if (date < today) add(path, date, "has passed; remove the approval, or set the day of the run");
    if (date > latest) add(path, date, `more than ${mediaApprovalDays} days ahead; approve what is to happen soon`);
  }
}
