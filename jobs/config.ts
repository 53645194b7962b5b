/**
 * The configuration of every job: one JSON document in the environment variable DR_CONFIG, checked by the schemas here.
 * Components build it with {@link jobConfig}; `dr-jobs <command>` reads it with {@link readJobConfig}.
 */
import { z } from "zod";
import { canary } from "../plan/canary";
import { copyLimits } from "../plan/copying";
import { freshnessPort, freshnessSeconds } from "../plan/freshness";
import { mediaBreaker, mediaBucket, mediaBucketProblem } from "../plan/media";
import { secrets } from "../plan/names";
import { indexNameMaxLength } from "../plan/recovery";
import { copyTiers, pruneBreaker, retention } from "../plan/retention";
import { schedules } from "../plan/schedules";
import { keyProblem } from "./lib/envelope";

/** Name of the environment variable that carries a job's configuration. */
export const CONFIG_VARIABLE = "DR_CONFIG";

/** Exit code of a job that failed for a reason which another attempt would only meet again. */
export const FINAL_EXIT_CODE = 3;

const cloudStorage = z.string().regex(/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/, "a Cloud Storage bucket name");
const s3 = z.string().regex(/^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "s3:// and an S3 bucket name");
/** A bucket of either cloud; restores and snapshots of the standby are S3's. */
const bucket = z.union([cloudStorage, s3], "a Cloud Storage bucket name, or s3:// and an S3 bucket name");
const name = z.string().regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, "lower-case letters, digits and hyphens");
const repository = z
  .string()
  .regex(/^(cassandra|elasticsearch)-[a-z0-9-]+$/, "cassandra-<datacenter> or elasticsearch-<datacenter>");
/** Public keys of the vault's markers, in PEM; two while a key is replaced. */
export const markerKeys = z
  .array(
    z.string().superRefine((pem, issues) => {
      const problem = keyProblem(pem);
      if (problem !== undefined) issues.addIssue({ code: "custom", message: problem });
    }),
  )
  .min(1);
const marker = z.string().regex(/^(latest|copy-\d{8}t\d{6}z)$/, "latest or copy-YYYYMMDDthhmmssz");

/** Where Elasticsearch answers and how a job proves who it is: files mounted from the Secrets that ECK writes. */
const elasticsearch = z.strictObject({
  /** `https://iconik-es-http.elasticsearch.svc:9200` */
  url: z.url(),
  user: z.string().min(1).default("elastic"),
  /** Mounted key `elastic` of Secret `iconik-es-elastic-user`. */
  passwordFile: z.string().default("/var/run/elasticsearch/user/elastic"),
  /** Mounted key `ca.crt` of Secret `iconik-es-http-certs-public`. */
  caFile: z.string().default("/var/run/elasticsearch/certs/ca.crt"),
});

/** CQL access of the superuser, for checks on restored tables: Secret `cassandra-superuser`, mounted. */
const cql = z.strictObject({
  /** Names or addresses, e.g. `iconik-emea-service.cassandra.svc`. */
  contactPoints: z.array(z.string().min(1)).min(1),
  port: z.int().min(1).max(65535).default(9042),
  usernameFile: z.string().default("/var/run/cassandra/superuser/username"),
  passwordFile: z.string().default("/var/run/cassandra/superuser/password"),
});

/** Tables (`keyspace.table`, of one node `keyspace.table@host`) or indices that people dropped on purpose; `*` stands for anything. */
const approvedDrops = z.array(z.string().min(1)).default([]);

/** Seconds between two looks at something awaited. */
/** Five fields, in UTC. */
const cron = z.string().regex(/^(\S+ ){4}\S+$/, "no cron expression of five fields");
const pollSeconds = z.number().positive().max(60).default(2);

/** What every recovery in place is told. */
const recovery = {
  /** Used once: a recovery that is done is not repeated. */
  id: name,
  datacenter: name,
  repository,
  bucket,
  /** One of both: a backup's name, or the moment at or before which the newest complete one was started. */
  backup: z.string().min(1).optional(),
  before: z.iso.datetime({ offset: true }).optional(),
};
const oneBackup = [
  ({ backup, before }: { backup?: string | undefined; before?: string | undefined }) =>
    (backup === undefined) !== (before === undefined),
  "give backup or before, one of both",
] as const;

/** A table, or every table of a keyspace when none is named. Names are spelled as `system_schema` has them. */
const tableRecovery = {
  ...recovery,
  keyspace: z.string().min(1),
  table: z.string().min(1).optional(),
  /** The living content goes before. */
  truncate: z.boolean().default(false),
  cql,
};

/** A media bucket of the plan, and its own secondary. */
function ownSecondary({ bucket, secondary }: { bucket: string; secondary: string }, issues: z.RefinementCtx): void {
  const ours = mediaBucket(bucket);
  if (ours?.name !== bucket) {
    const message = `"${bucket}" is ${mediaBucketProblem(bucket)}`;
    issues.addIssue({ code: "custom", path: ["bucket"], message });
    return;
  }
  const expected = ours.secondary;
  if (secondary === expected) return;
  const message = `"${secondary}" is not the secondary of ${bucket}; allowed: ${expected}`;
  issues.addIssue({ code: "custom", path: ["secondary"], message });
}

/** Schemas of DR_CONFIG by command. Unknown keys are refused. */
export const jobSchemas = {
  /**
   * Nightly Cassandra snapshot of one datacenter. Runs in the datacenter's own cluster with {@link jobRules} in
   * `namespace` and, towards storage, as the site's cassandra-backup (get, list and create in the site's backup bucket).
   */
  "snapshot-cassandra": z.strictObject({
    /** Namespace of the K8ssandraCluster and the Medusa resources. */
    namespace: name.default("cassandra"),
    /** Name of the CassandraDatacenter, which is the Cassandra datacenter's name. */
    datacenter: name,
    /** `cassandra-<dc>`: the manifest's folder. */
    repository,
    bucket,
    /** Nodes that have to be in the backup. */
    nodes: z.int().min(1),
    /** Rack names that have to be in the backup, e.g. rack1..rack3. */
    racks: z.array(z.string().min(1)).min(1),
    /** Datacenters that have to hold each row of every keyspace; those that are being drained are left out. */
    datacenters: z.array(name).min(1),
    backupType: z.enum(["differential", "full"]).default("differential"),
    approvedDrops,
    /** The backup has to be finished and complete after this time. */
    timeoutSeconds: z
      .int()
      .positive()
      .default(3 * 3600),
    pollSeconds,
  }),
  /** Nightly snapshot of one Elasticsearch cluster. Towards storage it is the site's elasticsearch-backup. */
  "snapshot-elasticsearch": z.strictObject({
    elasticsearch,
    /** `elasticsearch-<dc>`: name of the snapshot repository, its base_path in the bucket and the manifest's folder. */
    repository,
    bucket,
    /** Complete snapshots that remain, the new one among them; older ones are removed before it is taken. */
    keep: z.int().min(2),
    approvedDrops,
    timeoutSeconds: z
      .int()
      .positive()
      .default(3 * 3600),
    pollSeconds,
  }),
  /** Makes the canaries' keyspace, table and role, as the superuser. Repeated, it sets what differs. */
  "prepare-canary": z.strictObject({
    cql,
    /** The datacenter that is asked. */
    datacenter: name,
    /** Every datacenter that is to hold the canaries. */
    datacenters: z.array(name).min(1),
    /** Replicas in each. */
    replicas: z.int().min(2),
    /** Folder with the files `username` and `password` of the role. */
    roleFolder: z.string().default("/var/run/role"),
    /** A ring that was just restored is asked for this long. */
    timeoutSeconds: z.int().positive().default(600),
    pollSeconds,
  }),
  /**
   * Writes a canary into both stores of a region each minute until it is ended, and serves when it last could, on the address
   * in POD_IP or on all. It is a role of Cassandra and a user of Elasticsearch that can do this and nothing else.
   */
  canary: z.strictObject({
    datacenter: name,
    cql: cql.extend({
      usernameFile: cql.shape.usernameFile.default("/var/run/cassandra/username"),
      passwordFile: cql.shape.passwordFile.default("/var/run/cassandra/password"),
    }),
    elasticsearch: z.strictObject({
      url: z.url(),
      usernameFile: z.string().default("/var/run/elasticsearch/username"),
      passwordFile: z.string().default("/var/run/elasticsearch/password"),
      /** Secret with the server's certificate authority; read with the pod's own account and {@link jobRules}. */
      authority: z.strictObject({ namespace: name, secret: name }),
    }),
    port: z.int().min(1).max(65535).default(canary.port),
    /** Seconds between two canaries. */
    everySeconds: z.number().positive().default(canary.everySeconds),
  }),
  /** Copy of a site's backups into the vault, as backup-replicator: get, list on `bucket`; create, get, list on `copiesBucket`. */
  replicate: z.strictObject({
    /** The site's name: prefix of its copies. */
    site: name,
    /** The site's primary backup bucket. */
    bucket,
    copiesBucket: bucket,
    /** Repositories that make a copy; all of them have to have a fresh manifest. */
    repositories: z.array(repository).min(1),
    /** Version of the vault's key that signs markers, `projects/…/cryptoKeyVersions/N`. */
    signingKey: z
      .string()
      .regex(/^projects\/[^/]+\/locations\/[^/]+\/keyRings\/[^/]+\/cryptoKeys\/[^/]+\/cryptoKeyVersions\/\d+$/),
    /** Namespace of the Lease `replicate-<site>` that two runs exclude each other by, with {@link jobRules} there. Default: none is taken. */
    leaseIn: name.optional(),
    /** Seconds after which a run that was killed has lost it. */
    leaseSeconds: z.int().min(1).max(600).default(60),
    /** Requests of one rclone in a second. Copies inside the storage are limited by this alone. */
    transactionsPerSecond: z.int().min(1).max(10_000).default(copyLimits.transactionsPerSecond),
    /** Bytes in a second of what passes through the job: lists and markers, e.g. `20M`. Default: no limit. */
    bandwidth: z
      .string()
      .regex(/^\d+[KMG]$/, "a number with K, M or G")
      .optional(),
    /** Keys that markers are read with. */
    markerKeys,
    /** When the site's snapshots are due, in UTC: what was begun before that is not tonight's. */
    snapshots: z
      .strictObject({ cassandra: cron, elasticsearch: cron })
      .default({ cassandra: schedules.cassandraSnapshot.cron, elasticsearch: schedules.elasticsearchSnapshot.cron }),
    /** Any backup that is as young as this is tonight's all the same. */
    youngHours: z.number().positive().default(2),
    /** How long fresh manifests are awaited, counted from the job's start. */
    waitSeconds: z
      .int()
      .min(0)
      .default(3 * 3600),
    /** Attempts when a repository changes while it is copied. */
    attempts: z.int().min(1).max(10).default(3),
    /** Parallel transfers of rclone. */
    transfers: z.int().min(1).max(64).default(8),
    pollSeconds: pollSeconds.default(15),
  }),
  /**
   * Copy of one media bucket into its secondary, as media-replicator: get and list on `bucket`; create, get, list and delete
   * on `secondary`.
   */
  "replicate-media": z
    .strictObject({
      bucket,
      secondary: bucket,
      /** What one run may remove or overwrite in the secondary: the greater of a share of its objects and a number. */
      breaker: z
        .strictObject({ share: z.number().min(0).max(1), floor: z.int().min(0) })
        .default({ share: mediaBreaker.share, floor: mediaBreaker.floor }),
      /** Runs that may do more: those started on `date` (UTC), up to `objects`. */
      approvals: z.array(z.strictObject({ date: z.iso.date(), objects: z.int().min(1) })).default([]),
      /** Names handed to rclone at once; the job holds that many of each kind in memory. */
      batch: z.int().min(1).max(10_000).default(1000),
      /** Parallel transfers of rclone. */
      transfers: z.int().min(1).max(64).default(16),
    })
    .superRefine(ownSecondary),
  /**
   * Media back into a primary bucket as they were at a moment, as media-restorer: get, list and create on `bucket`, get and
   * list on `secondary`; with `overwrite` as media-overwriter, who may delete in `bucket` as well.
   */
  "restore-media": z
    .strictObject({
      bucket,
      secondary: bucket,
      /** Only names that begin with it. With neither this nor `object`: the whole bucket. */
      prefix: z.string().min(1).optional(),
      /** Only the object of this name. */
      object: z.string().min(1).optional(),
      /** The moment, ISO-8601 with a zone. */
      at: z.iso.datetime({ offset: true }),
      /** Replaces what is there by now with other content; it becomes noncurrent. */
      overwrite: z.boolean().default(false),
      /** Counts, and changes nothing. */
      dryRun: z.boolean().default(false),
      /** How long the grants are awaited, counted from the job's start. */
      accessSeconds: z.int().min(0).default(3600),
      /** Copies at once. */
      transfers: z.int().min(1).max(64).default(16),
      pollSeconds: pollSeconds.default(15),
    })
    .superRefine(ownSecondary)
    .refine(({ prefix, object }) => prefix === undefined || object === undefined, "prefix or object, not both"),
  /**
   * Deep verification of one repository of a copy, as verifier: get and list on `copiesBucket`, create below `evidence/`. A
   * throwaway Cassandra or Elasticsearch runs beside it in the pod, on the address in POD_IP.
   */
  "verify-copy": z.strictObject({
    site: name,
    repository,
    copiesBucket: bucket,
    markerKeys,
    marker: marker.default("latest"),
    /** Folder shared with the throwaway Cassandra; room for the largest node of the backup, twice. */
    work: z.string().default("/work"),
    /** The verification ends after this, with evidence of what was found until then. */
    timeoutSeconds: z
      .int()
      .positive()
      .default(4 * 3600),
    transfers: z.int().min(1).max(64).default(8),
    pollSeconds,
  }),
  /**
   * Copy of the vault's newest second copy into S3, as standby-copier: get and list on `copiesBucket` at Google, put, get and
   * list on `bucket`.
   */
  "copy-to-s3": z.strictObject({
    /** The site whose copies are pulled. */
    site: name,
    /** The vault's bucket. */
    copiesBucket: cloudStorage,
    bucket: s3,
    markerKeys,
    /** What the standby would restore onto: the copy is held against it. */
    topology: z.strictObject({ datacenter: name, nodes: z.int().min(1), racks: z.array(z.string().min(1)).min(1) }),
    /** A repository's copy that was begun longer ago than this is not tonight's, however new the marker is. */
    maxAgeHours: z.number().positive().default(20),
    /** Parallel transfers of rclone; bytes pass through the job. */
    transfers: z.int().min(1).max(64).default(8),
  }),
  /**
   * Copy of one media bucket's secondary into S3, as standby-copier: get and list on `secondary` at Google; put, get, list and
   * delete (which puts a marker) on `bucket`.
   */
  "copy-media-to-s3": z.strictObject({
    /** The media bucket, as the product calls it. */
    name: z.string().min(1),
    /** Its secondary in the vault. */
    secondary: cloudStorage,
    bucket: s3,
    /** See replicate-media. */
    breaker: z
      .strictObject({ share: z.number().min(0).max(1), floor: z.int().min(0) })
      .default({ share: mediaBreaker.share, floor: mediaBreaker.floor }),
    approvals: z.array(z.strictObject({ date: z.iso.date(), objects: z.int().min(1) })).default([]),
    batch: z.int().min(1).max(10_000).default(1000),
    transfers: z.int().min(1).max(64).default(16),
  }),
  /** Copies of the states of Google's stacks into S3, as state-reader: get and list on each of `buckets`, put, get and list on `bucket`. */
  "copy-states-to-s3": z.strictObject({
    buckets: z.array(cloudStorage).min(1),
    bucket: s3,
    transfers: z.int().min(1).max(64).default(4),
  }),
  /**
   * What the standby backed up while it served, from its own `bucket` into the vault's `failbackBucket` at Google, as
   * standby-failback: get and list in S3; put, get and list at Google.
   */
  "return-backups": z.strictObject({
    bucket: s3,
    failbackBucket: cloudStorage,
    repositories: z.array(repository).min(1),
    /** A backup that is older than this is not the last one, which was taken when nobody wrote any more. */
    maxAgeHours: z.number().positive().default(6),
    transfers: z.int().min(1).max(64).default(8),
  }),
  /**
   * Media that the standby wrote, from its live `bucket` into the product's own at Google, as standby-failback: get and list in S3;
   * put, get and list at Google. `backups`: the activation's own bucket, whose restore says when it began.
   */
  "return-media": z.strictObject({
    bucket: s3,
    backups: s3,
    primary: cloudStorage,
    batch: z.int().min(1).max(10_000).default(1000),
    transfers: z.int().min(1).max(64).default(16),
  }),
  /**
   * Removal of a site's copies that no tier keeps, as pruner: list and delete on `copiesBucket`, get on markers and lists in it.
   */
  prune: z.strictObject({
    site: name,
    copiesBucket: bucket,
    markerKeys,
    /** Ids of markers that people know to be none: they keep nothing, and go. */
    distrusted: z.array(z.string().regex(/^copy-\d{8}t\d{6}z$/)).default([]),
    tiers: z
      .strictObject({ nightly: z.int().min(1), weekly: z.int().min(0), monthly: z.int().min(0) })
      .default(copyTiers),
    /** Nothing younger goes, in days; the bucket's own lock is as long. */
    protectionDays: z.int().min(0).default(retention.copiesDays),
    breaker: z
      .strictObject({ share: z.number().min(0).max(1), floor: z.int().min(0) })
      .default({ share: pruneBreaker.share, floor: pruneBreaker.floor }),
    /** Runs that may do more: those started on `date` (UTC), up to `objects`. */
    approvals: z.array(z.strictObject({ date: z.iso.date(), objects: z.int().min(1) })).default([]),
    /** Only says what would go. */
    dryRun: z.boolean().default(false),
    /** Namespace of the Lease that it shares with the site's copies, with {@link jobRules} there. Default: none is taken. */
    leaseIn: name.optional(),
    leaseSeconds: z.int().min(1).max(600).default(60),
    /** What the clock shows. Default: the machine's; on a cloud whose clock was moved, that one's. */
    now: z.iso.datetime().optional(),
  }),
  /** Copy of one marker from the vault into the new site's own bucket, as restorer-<site>. */
  "restore-copy": z.strictObject({
    /** The site whose copies are restored, e.g. prod. */
    source: name,
    /** `latest` or a marker id. What was begun with stays: an id of another copy is refused then. */
    marker,
    /** Of `latest`: only copies that began at or before this moment. */
    before: z.iso.datetime({ offset: true }).optional(),
    /** Keys that the marker may be signed with. */
    markerKeys,
    copiesBucket: bucket,
    /** The new site's own backup bucket. */
    bucket,
    /** Of the copy only these: a site that is one datacenter of several needs no more. Default: all of it. */
    repositories: z.array(repository).min(1).optional(),
    /** A grant just given needs time to take effect: refusals are retried for this long. */
    accessSeconds: z.int().min(0).default(300),
    transfers: z.int().min(1).max(64).default(8),
    pollSeconds,
  }),
  /**
   * Restore of one datacenter out of the site's own bucket. {@link jobRules} in `namespace`; towards storage it only reads
   * (the site's cassandra-backup): which backup it is stands in `restores/<marker>.json`, written by restore-copy.
   */
  "restore-cassandra": z.strictObject({
    namespace: name.default("cassandra"),
    datacenter: name,
    /** Every datacenter that is restored from the copy, this one included: they stop together. */
    datacenters: z.array(name).min(1),
    repository,
    bucket,
    /** Id of a marker, or the one that restore-copy brought in. */
    marker: marker.default("latest"),
    /** Datacenters of the copy that are not among these leave the keyspaces: one of a site's is restored alone. Needs `cql`. */
    leaveAbsent: z.boolean().default(false),
    /** Without it, tables are not counted. */
    cql: cql.optional(),
    timeoutSeconds: z
      .int()
      .positive()
      .default(6 * 3600),
    pollSeconds,
  }),
  /** Restore of one Elasticsearch cluster out of the site's own bucket, as the site's elasticsearch-backup. */
  "restore-elasticsearch": z.strictObject({
    elasticsearch,
    repository,
    bucket,
    marker: marker.default("latest"),
    timeoutSeconds: z
      .int()
      .positive()
      .default(6 * 3600),
    pollSeconds,
  }),
  /**
   * First step of a table's recovery in place, as the site's cassandra-backup: fetches its SSTables from the site's own bucket
   * into `folder` and makes the living table ready for the loader.
   */
  "restore-table": z
    .strictObject({
      ...tableRecovery,
      /** Volume for the SSTables. */
      folder: z.string().startsWith("/").default("/recovery"),
      /** In memory: the loader's configuration, which has a password in it. */
      secretsFolder: z.string().startsWith("/").default("/loader"),
      /** Keystores of a node, by which the loader is one of the cluster. */
      internode: z.strictObject({
        keystoreFile: z.string().min(1),
        truststoreFile: z.string().min(1),
        passwordFile: z.string().min(1),
        protocols: z.array(z.string()).min(1),
      }),
      transfers: z.int().min(1).max(64).default(8),
    })
    .refine(...oneBackup),
  /** Last step of a table's recovery in place, after the loader. */
  "restore-table-check": z.strictObject(tableRecovery).refine(...oneBackup),
  /** An index's recovery in place, as the site's elasticsearch-backup, which reads the site's own bucket. */
  "restore-index": z
    .strictObject({
      ...recovery,
      /** As the backup has it. */
      index: z.string().min(1).max(indexNameMaxLength),
      /** The living index of this name goes once the one of the backup is whole. */
      replace: z.boolean().default(false),
      elasticsearch,
      timeoutSeconds: z
        .int()
        .positive()
        .default(4 * 3600),
      pollSeconds,
    })
    .refine(...oneBackup),
  /**
   * Serves the ages of backups and copies until it is ended, as freshness: list on the sites' buckets and on `copiesBucket`.
   * It listens on the address in POD_IP, or on all.
   */
  freshness: z.strictObject({
    sites: z.array(z.strictObject({ name, bucket, repositories: z.array(repository).min(1) })),
    copiesBucket: bucket,
    /** Namespace whose CronJobs are watched, with {@link jobRules} there. Default: none are. */
    cronJobsIn: name.optional(),
    port: z.int().min(1).max(65535).default(freshnessPort),
    /** Seconds between two looks. */
    lookSeconds: z.number().positive().default(freshnessSeconds.look),
  }),
} as const;

/** A command of `dr-jobs`. */
export type JobCommand = keyof typeof jobSchemas;
/** A command's configuration as components give it: defaults may be left out. */
export type JobInput<C extends JobCommand> = z.input<(typeof jobSchemas)[C]>;
/** A command's configuration as the job sees it. */
export type JobConfig<C extends JobCommand> = z.output<(typeof jobSchemas)[C]>;
/** Access to Elasticsearch as the jobs see it. */
export type ElasticsearchAccess = z.output<typeof elasticsearch>;
/** Access by CQL as the jobs see it. */
export type CqlAccess = z.output<typeof cql>;

/** All commands. */
export const jobCommands = Object.keys(jobSchemas) as JobCommand[];

/** A rule of a Kubernetes Role. */
export interface RoleRule {
  apiGroups: string[];
  resources: string[];
  /** Objects by name. Default: all of the namespace. */
  resourceNames?: string[];
  verbs: string[];
}

/** What a command needs of the Kubernetes API in its configured namespace; no entry: nothing, no token is mounted. */
export const jobRules: Partial<Record<JobCommand, RoleRule[]>> = {
  "snapshot-cassandra": [
    {
      apiGroups: ["medusa.k8ssandra.io"],
      resources: ["medusabackupjobs"],
      verbs: ["create", "get", "list"],
    },
  ],
  canary: [{ apiGroups: [""], resources: ["secrets"], resourceNames: [secrets.elasticCertificates], verbs: ["get"] }],
  replicate: [{ apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["create", "get", "update"] }],
  prune: [{ apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["create", "get", "update"] }],
  freshness: [{ apiGroups: ["batch"], resources: ["cronjobs"], verbs: ["list"] }],
  "restore-cassandra": [
    {
      apiGroups: ["medusa.k8ssandra.io"],
      resources: ["medusatasks", "medusarestorejobs"],
      verbs: ["create", "get", "list"],
    },
    { apiGroups: ["medusa.k8ssandra.io"], resources: ["medusabackups"], verbs: ["get", "list"] },
    { apiGroups: ["cassandra.datastax.com"], resources: ["cassandradatacenters"], verbs: ["get"] },
  ],
};

/**
 * The value of DR_CONFIG for a command.
 * @throws when the configuration is not what the command's schema allows; every problem is in the message.
 */
export function jobConfig<C extends JobCommand>(command: C, config: JobInput<C>): string {
  return JSON.stringify(parse(command, config));
}

/** Reads a command's configuration from the environment. @throws when it is absent, no JSON, or not allowed. */
export function readJobConfig<C extends JobCommand>(command: C, env: NodeJS.ProcessEnv = process.env): JobConfig<C> {
  const text = env[CONFIG_VARIABLE];
  if (text === undefined) {
    throw new Error(`${CONFIG_VARIABLE} is not set; it has to hold the JSON configuration of "${command}"`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`${CONFIG_VARIABLE} is no JSON (${(error as Error).message}): ${text.slice(0, 200)}`);
  }
  return parse(command, value);
}

function parse<C extends JobCommand>(command: C, value: unknown): JobConfig<C> {
  const result = jobSchemas[command].safeParse(value);
  if (!result.success) {
    throw new Error(`configuration of job "${command}" is not allowed:\n${z.prettifyError(result.error)}`);
  }
  return result.data as JobConfig<C>;
}
