/**
 * The configuration of a stack (`iconik-dr:` keys), checked before anything is created. All problems are reported at
 * once, each with the key, the value, what is allowed and the fix.
 */
import { RunError } from "@pulumi/pulumi/errors";
import { z } from "zod";
import { configNamespace, isDrillProject } from "../plan/names";
import { allowedCopyRegions, copyLocationProblem, multiRegions, regions } from "../plan/regions";
import { retention } from "../plan/retention";
import {
  bucketName,
  datacenterName,
  image,
  member,
  moment,
  multiRegion,
  networks,
  projectId,
  regionName,
  scheduleOverrides,
  siteName,
} from "./fields";

const replicas = "two replicas or more are needed, so that a lost node loses no row; set 2 or 3";

const common = { project: projectId, deployer: member, deletionProtection: z.boolean().default(true) };

/** Data goes unprotected where drills are, and nowhere else. */
function protectedOutsideDrills(
  config: { project: string; deletionProtection: boolean },
  issues: z.RefinementCtx,
): void {
  if (config.deletionProtection || isDrillProject(config.project)) return;
  const message =
    'only projects of drills go unprotected; remove it, or use a project with "drill" between hyphens in its name';
  issues.addIssue({ code: "custom", path: ["deletionProtection"], input: false, message });
}

const workloads = {
  images: z.strictObject({ jobs: image }),
  authorizedNetworks: networks,
};

const region = z
  .strictObject({ name: regionName, datacenter: datacenterName, zones: z.array(z.string()).min(2) })
  .superRefine(({ name, zones }, issues) => {
    const known = regions.get(name)?.zones;
    for (const [index, zone] of zones.entries()) {
      const problem =
        known && !known.includes(zone)
          ? `no zone of region "${name}"; allowed: ${known.join(", ")}`
          : zones.indexOf(zone) !== index && "given twice; name each zone once";
      if (problem) issues.addIssue({ code: "custom", path: ["zones", index], input: zone, message: problem });
    }
  });

const site = z
  .strictObject({
    ...common,
    ...workloads,
    role: z.literal("site"),
    site: siteName,
    regions: z.array(region).min(1),
    controlRegion: regionName,
    cassandra: z
      .strictObject({
        racks: z.int().min(2, "two racks or more are needed; set 2 or 3").default(3),
        nodesPerRegion: z.int().min(2, "two nodes or more are needed in every region; set 2 or more").default(3),
        replicationFactor: z.int().min(2, replicas).default(3),
      })
      .prefault({}),
    elasticsearch: z.strictObject({ nodes: z.int().min(1).default(3) }).prefault({}),
    backups: z.strictObject({ bucket: bucketName, location: multiRegion }),
    schedules: scheduleOverrides("cassandraSnapshot", "elasticsearchSnapshot"),
    vault: z.strictObject({ project: projectId, location: regionName, copiesBucket: bucketName }),
    charts: z.strictObject({
      repository: z.string().regex(/^oci:\/\/\S+[^/]$/, "no OCI repository; allowed: oci://REGISTRY/PATH"),
    }),
    onePassword: z.strictObject({ vault: z.string().min(1) }),
    restore: z
      .strictObject({
        site: siteName,
        marker: z
          .string()
          .regex(/^(latest|copy-\d{8}t\d{6}z)$/, "no copy; allowed: latest or a marker id (copy-YYYYMMDDthhmmssz)"),
        grant: siteName,
      })
      .optional(),
  })
  .superRefine((config, issues) => {
    const add = (path: (string | number)[], input: unknown, message: string) =>
      issues.addIssue({ code: "custom", path, input, message });
    protectedOutsideDrills(config, issues);
    for (const key of ["name", "datacenter"] as const) {
      const values = config.regions.map((entry) => entry[key]);
      for (const [index, value] of values.entries()) {
        const first = values.indexOf(value);
        if (first !== index) {
          const what = key === "name" ? "region" : "datacenter";
          add(["regions", index, key], value, `given before in regions[${first}]; name each ${what} once`);
        }
      }
    }
    if (config.regions.some(({ name }) => name === config.controlRegion)) {
      const message =
        "one of the site's regions, which would take the control plane along when it is lost; name another one";
      add(["controlRegion"], config.controlRegion, message);
    }
    const { racks, nodesPerRegion, replicationFactor } = config.cassandra;
    for (const [index, { zones, name }] of config.regions.entries()) {
      if (zones.length < racks) {
        const message = `${racks} racks need a zone each; name ${racks} of ${regions.get(name)?.zones.join(", ") ?? "the region's zones"}`;
        add(["regions", index, "zones"], zones, message);
      }
    }
    if (nodesPerRegion % racks !== 0) {
      const message = `no multiple of ${racks} racks, so racks would differ in size; set ${Math.ceil(nodesPerRegion / racks) * racks}`;
      add(["cassandra", "nodesPerRegion"], nodesPerRegion, message);
    }
    if (replicationFactor > nodesPerRegion) {
      const message = `more replicas than the region's ${nodesPerRegion} nodes; set ${nodesPerRegion} or fewer, or add nodes`;
      add(["cassandra", "replicationFactor"], replicationFactor, message);
    }
    if (multiRegions.has(config.backups.location.toUpperCase()) && regions.has(config.vault.location)) {
      const problem = copyLocationProblem(config.backups.location, config.vault.location);
      if (problem) add(["vault", "location"], config.vault.location, problem);
    }
    if (config.vault.project === config.project) {
      add(
        ["vault", "project"],
        config.vault.project,
        "the site's own project; the vault has a project and admins of its own",
      );
    }
    if (config.backups.bucket === config.vault.copiesBucket) {
      const message = "the bucket of the second copies; name a bucket of the site's own";
      add(["backups", "bucket"], config.backups.bucket, message);
    }
    if (config.restore && config.restore.grant !== config.site) {
      const message = `a grant for another site; set "${config.site}" and have the vault grant it`;
      add(["restore", "grant"], config.restore.grant, message);
    }
  });

/** Who pulls from the vault's registry: nodes in these regions, and who deploys. All of them have to exist. */
const pulling = { regions: z.array(regionName).default([]), deployer: member.optional() };

const vault = z
  .strictObject({
    ...common,
    ...workloads,
    role: z.literal("vault"),
    location: regionName,
    copies: z.strictObject({
      bucket: bucketName,
      retentionDays: z.int().min(0).max(3650).default(retention.copiesDays),
    }),
    schedules: scheduleOverrides("replication"),
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
    const inside = [...multiRegions.values()].find(
      (multi) => !/\d/.test(multi.code) && multi.regions.includes(config.location),
    );
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
      if (!config.sites.some(({ name }) => name === source)) {
        const allowed = config.sites.map(({ name }) => name).join(", ") || "none, as sites is empty";
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
    if (config.deletionProtection && config.copies.retentionDays < 7) {
      const message = "second copies are kept 7 days or more; fewer needs deletionProtection false (drills)";
      add(["copies", "retentionDays"], config.copies.retentionDays, message);
    }
  });

const foundation = z
  .strictObject({ ...common, role: z.literal("foundation"), media: z.strictObject({ location: multiRegion }) })
  .superRefine(protectedOutsideDrills);

const standby = z.strictObject({ role: z.literal("standby") });

/** Schemas by role. */
export const schemas = { site, vault, foundation, standby } as const;
export type Role = keyof typeof schemas;
export type SiteConfig = z.output<typeof site>;
export type VaultConfig = z.output<typeof vault>;
export type FoundationConfig = z.output<typeof foundation>;
export type StackConfig = SiteConfig | VaultConfig | FoundationConfig | z.output<typeof standby>;

/** What cannot be used and why, one line a problem. The engine shows the message alone, without a stack trace. */
export class ConfigError extends RunError {
  constructor(stack: string, problems: string[]) {
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    super(
      `configuration of stack "${stack}" has ${count}; nothing was created\n${problems.map((line) => `  - ${line}`).join("\n")}`,
    );
    this.name = "ConfigError";
  }
}

/**
 * Checks a stack's configuration.
 * @param all every config value of the stack as the engine gives it (strings, structured ones as JSON)
 * @param stack the stack's name, which is the site's name unless `site` says otherwise
 * @throws ConfigError listing every problem
 */
export function parseConfig(all: Record<string, string>, stack: string): StackConfig {
  const raw = readValues(all);
  const role = raw.role as Role;
  const schema = schemas[role];
  if (!schema) {
    throw new ConfigError(stack, [problem(["role"], raw.role, `no role; allowed: ${Object.keys(schemas).join(", ")}`)]);
  }
  if (role === "site") raw.site ??= stack;
  const result = schema.safeParse(raw, { reportInput: true });
  if (result.success) return result.data;
  throw new ConfigError(
    stack,
    result.error.issues.map((issue) =>
      issue.code === "unrecognized_keys"
        ? problem(issue.path, issue.keys.join(", "), `unknown here; Pulumi.yaml says which keys role ${role} takes`)
        : problem(issue.path, issue.input, issue.message),
    ),
  );
}

/** Our keys without their namespace. Pulumi.yaml gives each an empty default, which counts as absent. */
function readValues(all: Record<string, string>): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [key, text] of Object.entries(all)) {
    const [namespace, name] = key.split(":") as [string, string];
    if (namespace !== configNamespace || ["", "{}", "[]"].includes(text)) continue;
    values[name] = /^([[{]|true$|false$)/.test(text) ? JSON.parse(text) : text;
  }
  return values;
}

function problem(path: PropertyKey[], value: unknown, message: string): string {
  const key = path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
    .join("")
    .slice(1);
  const shown = value === undefined ? "is not set" : `is ${JSON.stringify(value)}`;
  return `${configNamespace}:${key} ${shown}: ${message}`;
}
