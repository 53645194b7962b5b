/** What the services are told by their environment; the stack and the manifests set it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { type CustomerBucket, customersFile, customersToken } from "../../plan/customers";

const list = z
  .string()
  .transform((text) => text.split(",").filter(Boolean))
  .pipe(z.array(z.string()).min(1));

/** Where a service listens: its pod's own address. */
export const listening = {
  HOST: z.string().min(1),
  PORT: z.coerce.number().int().min(1).max(65535).default(8080),
  /** Named in every answer. */
  REGION: z.string().min(1),
};

/** The stores of the service's own region. */
export const stores = {
  /** Cassandra's datacenter: LOCAL_QUORUM is asked of it. */
  DATACENTER: z.string().min(1),
  CASSANDRA_CONTACT_POINTS: list,
  /** Folder with the files `username` and `password`. */
  CASSANDRA_CREDENTIALS: z.string().default("/var/run/cassandra"),
  ELASTICSEARCH_URL: z.url(),
  ELASTICSEARCH_CREDENTIALS: z.string().default("/var/run/elasticsearch"),
  /** `NAMESPACE/NAME` of the Secret whose `ca.crt` Elasticsearch's certificate is checked with. */
  ELASTICSEARCH_CERTIFICATES: z.string().regex(/^[a-z0-9-]+\/[a-z0-9-]+$/),
};

export const frontSettings = z.object({ ...listening, API_URL: z.url() });
/** The product's own buckets: `NAME` at Google, `NAME=s3://BUCKET` in AWS; and `s3://` of their copies in the same order. */
const mediaBuckets = entries(/^[^=\s]+(=s3:\/\/[^,/\s]+)?$/, "NAME or NAME=s3://BUCKET");
const mediaCopies = entries(/^s3:\/\/[^,/\s]+$/, "s3://BUCKET");

function entries(shape: RegExp, allowed: string) {
  return z
    .string()
    .default("")
    .transform((text) => text.split(",").filter(Boolean))
    .pipe(z.array(z.string().regex(shape, `no bucket; allowed: ${allowed}`)));
}

/** Folder with customers' own buckets, as the stack has checked them, and with the token for their pools (plan/customers.ts). */
const customers = z
  .string()
  .optional()
  .transform((folder) => ({
    buckets:
      folder === undefined ? [] : (JSON.parse(readFileSync(join(folder, customersFile), "utf8")) as CustomerBucket[]),
    token: join(folder ?? "", customersToken),
  }));

export const apiSettings = z.object({
  ...listening,
  ...stores,
  MEDIA_BUCKETS: mediaBuckets,
  MEDIA_COPIES: mediaCopies,
  CUSTOMERS: customers,
});
export const checkSettings = z.object({ REGION: listening.REGION, CUSTOMERS: customers });
export const workerSettings = z.object({
  ...listening,
  ...stores,
  /** Seconds between two rounds. */
  INTERVAL_SECONDS: z.coerce.number().positive().default(5),
});
export const prepareSettings = z.object({
  DATACENTER: stores.DATACENTER,
  CASSANDRA_CONTACT_POINTS: list,
  /** The superuser's. */
  CASSANDRA_CREDENTIALS: stores.CASSANDRA_CREDENTIALS,
  /** Of the role that is made. */
  ROLE_CREDENTIALS: z.string().default("/var/run/role"),
  /** Every datacenter of the site. */
  DATACENTERS: list,
  REPLICATION_FACTOR: z.coerce.number().int().min(2),
});

export type ApiSettings = z.output<typeof apiSettings>;
export type StoreSettings = Omit<ApiSettings, "MEDIA_BUCKETS" | "MEDIA_COPIES" | "CUSTOMERS">;

/** Reads settings. @throws Error with every problem, by name of the variable */
export function settings<T extends z.ZodType>(schema: T, env: NodeJS.ProcessEnv = process.env): z.output<T> {
  const result = schema.safeParse(env);
  if (result.success) return result.data;
  throw new Error(`the environment is not what the service needs:\n${z.prettifyError(result.error)}`);
}
