/** Configuration of the standby on AWS (role `standby`). */
import { z } from "zod";
import { mediaBucketProblem, mediaBucketsOf, mediaPrefix } from "../../plan/media";
import { isDrillProject, registries } from "../../plan/names";
import { ecrHost, maxActivations, ownImages, standbyBuckets, standbyPrefix, standbyZones } from "../../plan/standby";
import { appDomain } from "../../plan/traffic";
import { customerBuckets, customersFit } from "./customers";
import {
  bucketName,
  datacenterName,
  iamRole,
  image,
  imageRepository,
  networks,
  projectId,
  publicKey,
  siteName,
} from "./fields";

const noAccount = 'no account of AWS; allowed: 12 digits in quotes, e.g. "123456789012"';
const account = z.string(noAccount).regex(/^\d{12}$/, noAccount);

const noNumber = "no number of a project; allowed: digits in quotes, see `gcloud projects describe PROJECT`";
const projectNumber = z.string(noNumber).regex(/^\d{6,}$/, noNumber);

const noSubscriber = "nobody who can be told; allowed: { type: email, address } or { type: queue, arn } of SQS";
const noQueue = "no queue of SQS; allowed: arn:aws:sqs:REGION:ACCOUNT:NAME";

/** Who hears of the standby's alarms. Google's channels are not there when they are needed. */
const subscribers = z
  .array(
    z.discriminatedUnion(
      "type",
      [
        z.strictObject({
          type: z.literal("email"),
          address: z.email("no e-mail address; allowed: e.g. on-call@example.com"),
        }),
        z.strictObject({
          type: z.literal("queue"),
          arn: z.string(noQueue).regex(/^arn:aws:sqs:[a-z0-9-]+:\d{12}:[\w-]+$/, noQueue),
        }),
      ],
      noSubscriber,
    ),
  )
  .default([]);

const noAddress =
  "no public IPv4 address; allowed: Google's address of the product, output `address` of the foundation";
const isPrivate = (address: string) => /^(10|127|0)\.|^192\.168\.|^169\.254\.|^172\.(1[6-9]|2\d|3[01])\./.test(address);

const noRecord = `no record of Google's; allowed: { name: _acme-challenge….${appDomain}., data: NAME. }, output \`records\` of the foundation`;
const certificateRecord = z.strictObject({
  name: z
    .string(noRecord)
    .refine(
      (name) => name.startsWith("_acme-challenge") && name.replace(/\.$/, "").endsWith(`.${appDomain}`),
      noRecord,
    ),
  data: z.string(noRecord).regex(/^[\w.-]+\.$/, noRecord),
});

const noDay = "no day; allowed: YYYY-MM-DD in quotes, the day of the run in UTC";

const noActivation = `no activation; allowed: a whole number from 1 to ${maxActivations}, one more than that of the last activation`;
/** Which activation it is or will be: each has a bucket of its own (ADR 36). The engine hands a number on as text. */
const activation = z
  .string(noActivation)
  .regex(/^[1-9]\d?$/, { error: noActivation, abort: true })
  .refine((number) => Number(number) <= maxActivations, noActivation)
  .transform(Number)
  .default(1);

const marker = (latest: boolean) =>
  z
    .string()
    .regex(
      latest ? /^(latest|copy-\d{8}t\d{6}z)$/ : /^copy-\d{8}t\d{6}z$/,
      `no copy; allowed: ${latest ? "latest or " : ""}a marker id (copy-YYYYMMDDthhmmssz)`,
    );

/** Checks the standby's configuration. */
export const standby = z
  .strictObject({
    role: z.literal("standby"),
    account,
    deployer: iamRole,
    previewer: iamRole.optional(),
    deletionProtection: z.boolean().default(true),
    authorizedNetworks: networks,
    notifications: subscribers,
    active: z.boolean("neither on nor off; allowed: true or false").default(false),
    activation,
    primary: z.strictObject({
      site: siteName,
      address: z.ipv4(noAddress).refine((address) => !isPrivate(address), noAddress),
      certificateRecord: certificateRecord.optional(),
      fenced: z.string().optional(),
      force: z.string().optional(),
      resume: z.string().optional(),
    }),
    restore: z.strictObject({ marker: marker(true) }).prefault({ marker: "latest" }),
    restored: marker(false).optional(),
    datacenter: datacenterName,
    cassandra: z
      .strictObject({
        racks: z
          .int()
          .min(2, "two racks or more are needed; set 2 or 3")
          .max(standbyZones.length, `more racks than the standby has zones; set ${standbyZones.length} or fewer`)
          .default(3),
        nodesPerRegion: z.int().min(2, "two nodes or more are needed; set 2 or more").default(3),
        replicationFactor: z
          .int()
          .min(2, "two replicas or more are needed, so that a lost node loses no row; set 2 or 3")
          .default(3),
      })
      .prefault({}),
    elasticsearch: z.strictObject({ nodes: z.int().min(1).default(3) }).prefault({}),
    vault: z.strictObject({
      project: projectId,
      projectNumber,
      copiesBucket: bucketName,
      /** In the window of a failback: the vault's `standby.failback.bucket`. */
      failbackBucket: bucketName.optional(),
      /** What the vault's output `markerKeys` says: copies are believed by these alone. */
      markerKeys: z.array(publicKey).min(1, "no copy would be believed; set the vault's output markerKeys"),
    }),
    states: z.strictObject({ project: projectId, projectNumber, buckets: z.array(bucketName).min(1) }).optional(),
    charts: z.strictObject({
      repository: z.string().regex(/^oci:\/\/\S+[^/]$/, "no OCI repository; allowed: oci://REGISTRY/PATH"),
    }),
    images: z.strictObject({ jobs: image, services: image, mirror: imageRepository }),
    publishers: z.array(iamRole).default([]),
    onePassword: z.strictObject({ vault: z.string().min(1) }),
    media: z
      .strictObject({
        prefix: z.string().default(mediaPrefix),
        approvals: z
          .array(z.strictObject({ bucket: z.string(), date: z.iso.date(noDay), objects: z.int().min(1) }))
          .default([]),
      })
      .prefault({}),
    buckets: z
      .strictObject({
        prefix: z
          .string()
          .regex(/^[a-z][a-z0-9-]{2,39}-$/, "no prefix of buckets; allowed: lower-case letters, digits and hyphens")
          .default(standbyPrefix),
      })
      .prefault({}),
    customerBuckets,
  })
  .superRefine((config, issues) => {
    const add = (path: (string | number)[], input: unknown, message: string) =>
      issues.addIssue({ code: "custom", path, input, message });
    const { primary, active, cassandra } = config;
    const drill = isDrillProject(config.buckets.prefix);
    if (!config.deletionProtection && !drill) {
      const message =
        'only drills go unprotected; remove it, or set buckets.prefix to one with "drill" between hyphens';
      add(["deletionProtection"], false, message);
    }
    if (config.buckets.prefix !== standbyPrefix && !drill)
      add(["buckets", "prefix"], config.buckets.prefix, "scratch buckets are for drills; remove it");
    if ((config.media.prefix !== mediaPrefix) !== drill) {
      const message = drill
        ? "the product's own media, and a drill has scratch ones; set e.g. iconik-drill-"
        : "media of a drill; remove it";
      add(["media", "prefix"], config.media.prefix, message);
    }
    const ours = mediaBucketsOf(config.media.prefix);
    for (const [index, { bucket }] of config.media.approvals.entries()) {
      const foreign = mediaBucketProblem(bucket, ours);
      if (foreign) add(["media", "approvals", index, "bucket"], bucket, foreign);
    }
    if (config.notifications.length === 0 && !drill) {
      const message =
        "nobody would hear of an alarm; name one or more, e.g. { type: email, address: on-call@example.com }";
      add(["notifications"], undefined, message);
    }
    const roles = { deployer: config.deployer, previewer: config.previewer };
    for (const [key, arn] of Object.entries(roles)) {
      if (arn && !arn.startsWith(`arn:aws:iam::${config.account}:`))
        add([key], arn, `a role of another account; name one of ${config.account}, which the account's owners can end`);
    }
    if (config.previewer !== undefined && config.previewer === config.deployer)
      add(["previewer"], config.previewer, "the deployer; a preview of a pull request must not be able to deploy");
    customersFit(config, standbyBuckets(config.buckets.prefix, config.media.prefix), issues);
    // Whatever starts in the standby has to come from a registry that is there without Google.
    const host = ecrHost(config.account);
    const own = {
      jobs: `${host}/${ownImages[0]}`,
      services: `${host}/${ownImages[1]}`,
    };
    for (const [key, repository] of Object.entries(own)) {
      const reference = config.images[key as keyof typeof own];
      if (!reference.startsWith(`${repository}@`))
        add(
          ["images", key],
          reference,
          `not in the standby's own registry; allowed: ${repository}@sha256:64 hex digits`,
        );
    }
    const mirror = `${host}/${registries.mirror}`;
    if (config.images.mirror !== mirror)
      add(["images", "mirror"], config.images.mirror, `not in the standby's own registry; allowed: ${mirror}`);
    const charts = `oci://${host}/${registries.charts}`;
    if (config.charts.repository !== charts)
      add(["charts", "repository"], config.charts.repository, `not in the standby's own registry; allowed: ${charts}`);
    for (const key of ["fenced", "force"] as const) {
      const value = primary[key];
      if (value === undefined) continue;
      if (!active) {
        const message = "left over from an activation, and the next one would not ask; remove it";
        add(["primary", key], value, message);
      } else if (value !== primary.site) {
        const does = key === "fenced" ? "has been fenced" : "is left behind with what it still takes";
        add(["primary", key], value, `not the site that is replaced; to say that it ${does}, set "${primary.site}"`);
      }
    }
    if (primary.fenced !== undefined && primary.force !== undefined)
      add(["primary", "force"], primary.force, "beside fenced; a primary that is fenced needs no force, remove one");
    if (primary.resume !== undefined && active) {
      const message = "the standby is to be active, and no site takes over from it; remove it, or active";
      add(["primary", "resume"], primary.resume, message);
    } else if (primary.resume !== undefined && primary.resume !== primary.site) {
      const message = `not the site that serves from now on; to say that it takes over from the standby, set "${primary.site}"`;
      add(["primary", "resume"], primary.resume, message);
    }
    if (config.restored !== undefined && !active)
      add(["restored"], config.restored, "nothing is restored while active is false; remove it");
    if (config.vault.failbackBucket !== undefined && config.restored === undefined) {
      const message = "there is nothing to bring back before the standby has been restored; set restored, or remove it";
      add(["vault", "failbackBucket"], config.vault.failbackBucket, message);
    }
    const { racks, nodesPerRegion, replicationFactor } = cassandra;
    if (nodesPerRegion % racks !== 0) {
      const message = `no multiple of ${racks} racks, so racks would differ in size; set ${Math.ceil(nodesPerRegion / racks) * racks}`;
      add(["cassandra", "nodesPerRegion"], nodesPerRegion, message);
    }
    if (replicationFactor > nodesPerRegion) {
      const message = `more replicas than the ${nodesPerRegion} nodes; set ${nodesPerRegion} or fewer, or add nodes`;
      add(["cassandra", "replicationFactor"], replicationFactor, message);
    }
    if (config.states && config.states.project === config.vault.project)
      add(["states", "project"], config.states.project, "the vault's project; states are in the bootstrap stack's");
  });

export type StandbyConfig = z.output<typeof standby>;
