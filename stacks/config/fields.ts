/** Fields that several roles' configurations share, each with a message that says what is allowed and how to fix it. */
import { CronExpressionParser } from "cron-parser";
import { z } from "zod";
import { keyProblem } from "../../jobs/lib/envelope";
import { reservedFolders } from "../../plan/layout";
import { siteNameMaxLength } from "../../plan/names";
import { multiRegions, regions } from "../../plan/regions";
import type { ScheduleName } from "../../plan/schedules";

const codes = [...multiRegions.keys()].join(", ");
const regionList = [...regions.keys()].join(", ");

const noProject = "no project id; allowed: 6 to 30 lower-case letters, digits and hyphens";
/** Google Cloud project id. */
export const projectId = z
  .string()
  .regex(/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/, noProject)
  .describe("the project's id");

/** Cloud Storage bucket name without dots (dotted names need a verified domain). */
export const bucketName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{1,61}[a-z0-9]$/, "no bucket name; allowed: 3 to 63 lower-case letters, digits, - and _")
  .describe("the bucket's name");

/** A site's name: prefix of its copies and part of its restorer's account id. */
export const siteName = z
  .string()
  .regex(
    new RegExp(`^[a-z][a-z0-9-]{0,${siteNameMaxLength - 2}}[a-z0-9]$`),
    `no site name; allowed: 2 to ${siteNameMaxLength} lower-case letters, digits and hyphens, a letter first`,
  )
  .refine(
    (name) => !reservedFolders.includes(name),
    `taken: the second copies keep documents of their own under ${reservedFolders.join(", ")}; choose another name`,
  )
  .describe("the site's name");

/** Datacenter name: part of resource, Service and bucket paths. */
export const datacenterName = z
  .string()
  .regex(/^[a-z][a-z0-9]{1,14}$/, "no datacenter name; allowed: 2 to 15 lower-case letters and digits, e.g. emea")
  .describe("the datacenter's name, e.g. emea");

/** A region of Google Cloud. */
export const regionName = z
  .string()
  .refine((name) => regions.has(name), `no region that the plan knows; allowed: ${regionList}`)
  .describe("a region of Google Cloud, e.g. europe-west1");

/** A bucket location that outlives a region. */
export const multiRegion = z
  .string()
  .refine(
    (code) => multiRegions.has(code.toUpperCase()),
    `no multi-region, so the bucket would be lost with its region; allowed: ${codes}`,
  )
  .describe(`a multi-region; allowed: ${codes}`);

/** Cron expression with the five fields that Kubernetes takes. */
export const cron = z.string().refine(isCron, "no cron expression; allowed: five fields in UTC, e.g. 0 1 * * *");

/** Public key in PEM that markers are signed with. */
export const publicKey = z.string().superRefine((pem, issues) => {
  const problem = keyProblem(pem);
  const fix = "set the vault's output markerKeys, PEM with its line ends";
  if (problem !== undefined) issues.addIssue({ code: "custom", message: `${problem}; ${fix}` });
});

const noRole = "no IAM role; allowed: arn:aws:iam::ACCOUNT:role/NAME";
/** ARN of a role: never a user, whose keys somebody would hold, and never a whole account. */
export const iamRole = z.string(noRole).regex(/^arn:aws:iam::\d{12}:role\/[\w+=,.@/-]+$/, noRole);

/** Image reference by digest: what was drilled is what runs. */
export const image = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._:/-]*@sha256:[0-9a-f]{64}$/,
    "no image by digest; allowed: REGISTRY/NAME@sha256:64 hex digits",
  )
  .describe("an image by digest: REGISTRY/NAME@sha256:64 hex digits");

const noRepository =
  "no repository of images; allowed: REGISTRY/PROJECT/REPOSITORY, without scheme, tag and / at the end";
/** Repository below which images of others are mirrored. */
export const imageRepository = z
  .string()
  .regex(/^[a-z0-9.-]+(:\d+)?(\/[a-z0-9][a-z0-9._-]*)+$/, noRepository)
  .describe("a repository of images: REGISTRY/PROJECT/REPOSITORY");

/** OpenID Connect issuer of an EKS cluster's tokens. */
export const issuer = z
  .string()
  .regex(
    /^https:\/\/oidc\.eks\.[a-z0-9-]+\.amazonaws\.com\/id\/[0-9A-F]{32}$/,
    "no issuer of an EKS cluster; allowed: https://oidc.eks.REGION.amazonaws.com/id/ID",
  )
  .describe("the issuer of the EKS cluster's tokens: https://oidc.eks.REGION.amazonaws.com/id/ID");

const noMember = "no IAM member; allowed: e.g. serviceAccount:EMAIL";
/** Somebody with a name: never everybody. */
export const member = z
  .string()
  .regex(/^(serviceAccount|user|group|principal|principalSet):\S+$/, noMember)
  .describe("an IAM member, e.g. serviceAccount:EMAIL");

/** Networks in CIDR notation: one or more, as a control plane that nobody reaches takes no update either. */
export const networks = z
  .array(
    z
      .cidrv4({ abort: true, error: "no network; allowed: IPv4 in CIDR notation, e.g. 203.0.113.0/24" })
      .refine((network) => !network.endsWith("/0"), "every network there is; name those that deploy and operate"),
  )
  .min(1, "nobody could reach the control planes, this update neither; name the networks that deploy and operate")
  .prefault([]);

/** Overrides of the plan's cron expressions; what is absent stays as planned. */
export const scheduleOverrides = (...names: ScheduleName[]) =>
  z.strictObject(Object.fromEntries(names.map((name) => [name, cron.optional()]))).default({});

function isCron(expression: string): boolean {
  if (expression.trim().split(/\s+/).length !== 5) return false;
  try {
    CronExpressionParser.parse(expression);
    return true;
  } catch {
    return false;
  }
}

/**
 * A moment, ISO-8601 with zone. The engine hands an unquoted YAML timestamp on as Go prints it
 * (`2026-01-31 12:00:00 +0000 UTC`), which means the same.
 */
export const moment = z.preprocess(
  (value) => {
    const go = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?) ([+-]\d\d)(\d\d)(?: \S+)?$/.exec(String(value));
    return go ? `${go[1]}T${go[2]}${go[3]}:${go[4]}` : value;
  },
  z.iso.datetime({ offset: true, error: "no moment; allowed: ISO-8601 with zone, e.g. 2026-01-31T12:00:00Z" }),
);
