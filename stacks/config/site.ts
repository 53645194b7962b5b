/** Configuration of a site (role `site`). */
import { z } from "zod";
import { isActive, regionStates } from "../../plan/region-states";
import { copyLocationProblem, multiRegions, regions } from "../../plan/regions";
import { capacityShare } from "../../plan/traffic";
import { common, protectedOutsideDrills, workloads } from "./common";
import {
  bucketName,
  datacenterName,
  image,
  imageRepository,
  member,
  moment,
  multiRegion,
  projectId,
  publicKey,
  regionName,
  scheduleOverrides,
  siteName,
} from "./fields";
import { prefix, scratchInDrills } from "./media";
import { notified } from "./notifications";
import { recoverable, recoveries } from "./recoveries";

const replicas = "two replicas or more are needed, so that a lost node loses no row; set 2 or 3";

const leastShare = `less than a load balancer can scale a group to; allowed: ${capacityShare.min} to ${capacityShare.max}, and state: draining for nothing`;
const mostShare = `more than all of it; allowed: ${capacityShare.min} to ${capacityShare.max}`;

const region = z
  .strictObject({
    name: regionName,
    datacenter: datacenterName,
    zones: z.array(z.string()).min(2),
    /**
     * How a region is added and removed (docs/runbooks/regions.md). `joining`: its stores are there and get the data, nothing
     * serves or is saved; `draining`: it gets no traffic, and keyspaces may leave it; `retired`: its datacenter leaves the ring, its
     * cluster is still there for that and may be deleted.
     */
    state: z.enum(regionStates, `no state of a region; allowed: ${regionStates.join(", ")}`).default("active"),
    /** Part of its pods' capacity that requests are sent to before the next-closest region helps (docs/runbooks/d1.md). */
    share: z.number().min(capacityShare.min, leastShare).max(capacityShare.max, mostShare).default(capacityShare.max),
  })
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

/** Checks a site's configuration. */
export const site = z
  .strictObject({
    ...common,
    ...workloads,
    role: z.literal("site"),
    images: z.strictObject({ jobs: image, services: image, mirror: imageRepository }),
    foundation: z.strictObject({ deployer: member }).prefault({} as { deployer: string }),
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
    media: z.strictObject({ prefix }).prefault({}),
    schedules: scheduleOverrides("cassandraSnapshot", "elasticsearchSnapshot"),
    /** Tables (`keyspace.table`) and indices that are gone on purpose: snapshots do not miss them. */
    approvedDrops: z
      .array(
        z
          .string()
          .regex(
            /^[^\s*][^\s]*$/,
            "no table or index; allowed: keyspace.table or an index, * for anything behind a beginning of yours",
          ),
      )
      .default([]),
    vault: z.strictObject({
      project: projectId,
      location: regionName,
      copiesBucket: bucketName,
      /** What the vault's output `markerKeys` says: copies are believed by these alone. */
      markerKeys: z.array(publicKey).default([]),
    }),
    charts: z.strictObject({
      repository: z.string().regex(/^oci:\/\/\S+[^/]$/, "no OCI repository; allowed: oci://REGISTRY/PATH"),
    }),
    onePassword: z.strictObject({ vault: z.string().min(1) }),
    recoveries,
    restore: z
      .strictObject({
        site: siteName,
        marker: z
          .string()
          .regex(/^(latest|copy-\d{8}t\d{6}z)$/, "no copy; allowed: latest or a marker id (copy-YYYYMMDDthhmmssz)")
          .default("latest"),
        /** Only copies that began at or before this moment: the newest of them. */
        before: moment.optional(),
        grant: siteName,
      })
      .optional(),
  })
  .superRefine((config, issues) => {
    const add = (path: (string | number)[], input: unknown, message: string) =>
      issues.addIssue({ code: "custom", path, input, message });
    protectedOutsideDrills(config, issues);
    scratchInDrills(config, issues);
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
    const passing = config.regions.findIndex((entry) => !isActive(entry));
    if (config.regions.length > 0 && !config.regions.some(isActive)) {
      add(["regions", 0, "state"], config.regions[0]!.state, "no region would serve; leave one active");
    } else if (config.restore && passing >= 0) {
      const message = "a restore needs every datacenter; add or remove a region once the data is back";
      add(["regions", passing, "state"], config.regions[passing]!.state, message);
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
    if (config.restore && config.vault.markerKeys.length === 0) {
      const message = "a restore believes no copy without a key; set the vault's output markerKeys";
      add(["vault", "markerKeys"], config.vault.markerKeys, message);
    }
    if (config.restore?.before !== undefined && config.restore.marker !== "latest") {
      const message = "one of marker and before says which copy; remove the other";
      add(["restore", "before"], config.restore.before, message);
    }
    if (config.restore && config.restore.grant !== config.site) {
      const message = `a grant for another site; set "${config.site}" and have the vault grant it`;
      add(["restore", "grant"], config.restore.grant, message);
    }
  })
  .superRefine(notified)
  .superRefine(recoverable);

export type SiteConfig = z.output<typeof site>;
