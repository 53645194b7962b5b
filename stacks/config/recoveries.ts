/** Configuration of recoveries in place: part of a site's. */
import { z } from "zod";
import { isSystem } from "../../jobs/lib/replication";
import { indexNameMaxLength, recoveryIdMaxLength } from "../../plan/recovery";
import { isSaved, type RegionState } from "../../plan/region-states";
import { datacenterName, moment } from "./fields";

const noId = `no id; allowed: 1 to ${recoveryIdMaxLength} lower-case letters, digits and hyphens, a letter first`;
const noBackup = "no backup; allowed: a name as manifests have it, e.g. night-emea-20261125t010000z";
const noIndex = `no index; allowed: one name in lower case of up to ${indexNameMaxLength} characters, none of Elasticsearch's own (.…), no pattern`;
const noVolume = "no size of a volume; allowed: e.g. 500Gi or 2Ti";

const common = {
  /** Used once in the site's life: it names the Job and the record of what was done. */
  id: z.string(noId).regex(new RegExp(`^[a-z][a-z0-9-]{0,${recoveryIdMaxLength - 2}}[a-z0-9]$|^[a-z]$`), noId),
  /** Datacenter whose backup is used. */
  datacenter: datacenterName,
  backup: z
    .string(noBackup)
    .regex(/^night-([a-z][a-z0-9]*-)?\d{8}t\d{6}z$/, noBackup)
    .optional(),
  before: moment.optional(),
};

const table = z.strictObject({
  ...common,
  kind: z.literal("table"),
  keyspace: z
    .string()
    .min(1)
    .refine((name) => !isSystem(name), "Cassandra's own, which no recovery touches; name a keyspace of the services"),
  table: z.string().min(1).optional(),
  truncate: z.boolean().default(false),
  volume: z
    .string(noVolume)
    .regex(/^[1-9]\d*(Gi|Ti)$/, noVolume)
    .optional(),
});

const index = z.strictObject({
  ...common,
  kind: z.literal("index"),
  index: z
    .string(noIndex)
    .regex(/^[^-_+.\s\\/*?"<>|,#:A-Z][^\s\\/*?"<>|,#:A-Z]*$/, noIndex)
    .max(indexNameMaxLength, noIndex),
  replace: z.boolean().default(false),
});

/** The kinds of recoveries and their keys. */
const recovery = z.discriminatedUnion("kind", [table, index], {
  error: (issue) => (issue.code === "invalid_union" ? "no kind of recovery; allowed: table, index" : undefined),
});
export type RecoveryConfig = z.output<typeof recovery>;

/** Recoveries of a site, in the order in which they were added. */
export const recoveries = z.array(recovery).default([]);

/** What the recoveries have to fit: the site's regions, and no restore of the whole site at once. */
interface Site {
  regions: { datacenter: string; state: RegionState }[];
  recoveries: RecoveryConfig[];
  restore?: unknown;
}

/** Each id once, a datacenter of the site, one backup, nothing emptied that is not named. */
export function recoverable({ regions, recoveries: all, restore }: Site, issues: z.RefinementCtx): void {
  const saved = regions.filter(isSaved).map(({ datacenter }) => datacenter);
  for (const [index, each] of all.entries()) {
    const add = (key: string, input: unknown, message: string) =>
      issues.addIssue({ code: "custom", path: ["recoveries", index, key], input, message });
    const first = all.findIndex(({ id }) => id === each.id);
    if (first !== index) add("id", each.id, `given before in recoveries[${first}]; give each an id of its own`);
    if (!saved.includes(each.datacenter)) {
      const known = regions.some(({ datacenter }) => datacenter === each.datacenter);
      const problem = known ? "a datacenter that is not saved" : "no datacenter of this site";
      add("datacenter", each.datacenter, `${problem}; allowed: ${saved.join(", ")}`);
    }
    if (each.backup === undefined && each.before === undefined) {
      add("backup", undefined, "missing; name a backup, or say with before of which moment");
    } else if (each.backup !== undefined && each.before !== undefined) {
      add("before", each.before, "one of backup and before says which backup; remove the other");
    }
    if (each.kind === "table" && each.truncate && each.table === undefined) {
      add("truncate", true, "a table is emptied by its name alone; name the table");
    }
    if (restore !== undefined) {
      add("id", each.id, "the whole site is being restored; remove restore first, or this");
    }
  }
}
