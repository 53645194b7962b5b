/**
 * From cells of the identity matrix to IAM on AWS: what a role may do on the standby's buckets, and what each bucket refuses
 * whatever a role says. Pure; a policy holds what is declared against it.
 */
import { type Action, actions, allowed, type IdentityId, identities, identity, type Store, stores } from "./identities";
import { storeLabelValue } from "./labels";
import { markersPrefix, restoresPrefix } from "./layout";
import { kubernetesSubject } from "./names";

/** A store on AWS. */
export type S3Store = Extract<Store, `s3${string}`>;

/** Is a store on AWS? */
export const isS3Store = (store: Store): store is S3Store => store.startsWith("s3");

/** Every store on AWS. */
export const s3Stores: readonly S3Store[] = stores.filter(isS3Store);

/** Stores whose objects are locked: nobody ends a version of theirs before its time. */
export const lockedStores: readonly S3Store[] = ["s3Copies", "s3MediaCopies"];

/**
 * S3's actions on objects behind each action of the matrix. `delete` puts a marker and ends no version; `create` may put a
 * version over another one, which the lock keeps.
 */
export const objectActions: Record<Exclude<Action, "list">, readonly string[]> = {
  create: ["s3:PutObject", "s3:AbortMultipartUpload"],
  get: ["s3:GetObject"],
  delete: ["s3:DeleteObject"],
};

/** S3's actions on a bucket behind `list`. */
export const listActions: readonly string[] = ["s3:ListBucket"];

/** What ends versions or loosens their locks: nobody has it, in no store. */
export const neverAllowed: readonly string[] = [
  "s3:DeleteObjectVersion",
  "s3:PutObjectRetention",
  "s3:PutObjectLegalHold",
  "s3:BypassGovernanceRetention",
];

/** One statement of a policy document. */
export interface Statement {
  Sid: string;
  Effect: "Allow" | "Deny";
  /** Whom it is about; absent in the policy of a role. */
  Principal?: "*" | { Service: string } | { AWS: string | readonly string[] } | { Federated: string };
  Action: string | readonly string[];
  /** Absent in a trust, which is about the role itself. */
  Resource?: string | readonly string[];
  NotResource?: string;
  Condition?: Record<string, Record<string, string | readonly string[]>>;
}

/** A policy document. */
export interface PolicyDocument {
  Version: "2012-10-17";
  Statement: Statement[];
}

/** A policy document of statements. */
export const document = (statements: Statement[]): PolicyDocument => ({ Version: "2012-10-17", Statement: statements });

/** ARN of a bucket. */
export const bucketArn = (bucket: string): string => `arn:aws:s3:::${bucket}`;

/** ARN of a role of the account. */
export const roleArn = (account: string, role: string): string => `arn:aws:iam::${account}:role/${role}`;

/** Role of an identity that lives on AWS; its name is the row's. */
export function identityRoleArn(account: string, id: IdentityId): string {
  if (identity(id).home !== "aws")
    throw new Error(`identity "${id}" lives in ${identity(id).home}: it has no role on AWS`);
  return roleArn(account, id);
}

/** Actions on objects and on the bucket that a cell gives; empty where the matrix says nothing. */
export function s3Actions(id: IdentityId, store: S3Store): { objects: string[]; bucket: string[] } {
  const cell = allowed(id, store);
  return {
    objects: actions
      .filter((action) => action !== "list" && cell.includes(action))
      .flatMap((a) => objectActions[a as "get"]),
    bucket: cell.includes("list") ? [...listActions] : [],
  };
}

/** Policy of an identity's role: its cells, on the buckets of each store and on nothing else. Undefined: it has none. */
export function identityPolicy(
  id: IdentityId,
  buckets: Record<S3Store, readonly string[]>,
): PolicyDocument | undefined {
  const statements = s3Stores.flatMap((store): Statement[] => {
    const { objects, bucket } = s3Actions(id, store);
    const arns = buckets[store].map(bucketArn);
    if (arns.length === 0) return [];
    const on = sid(store);
    return [
      ...(bucket.length ? [{ Sid: `List${on}`, Effect: "Allow" as const, Action: bucket, Resource: arns }] : []),
      ...(objects.length
        ? [{ Sid: `Objects${on}`, Effect: "Allow" as const, Action: objects, Resource: arns.map((arn) => `${arn}/*`) }]
        : []),
    ];
  });
  return statements.length ? document(statements) : undefined;
}

/** Rows that an action of the matrix is given to in a store, as names of roles. */
export function rolesAllowed(store: S3Store, action: Action): IdentityId[] {
  return identities.filter(({ home, access }) => home === "aws" && access[store]?.includes(action)).map(({ id }) => id);
}

/** What a bucket's policy has to know. */
export interface BucketPolicyArgs {
  account: string;
  bucket: string;
  store: S3Store;
  /** ARN of the role that deploys: it administers, lists, and looks the newest marker up. */
  deployer: string;
  /** ARNs of the roles that preview: they list and look the newest marker up, whatever else they are given. */
  previewers: readonly string[];
  /** Site whose markers they may read; only copies of backups have any. */
  site: string;
  /** They may empty the bucket as well: in drills only. */
  emptiable: boolean;
}

/** What changes a bucket, and with it what becomes of its objects. */
const settings: readonly string[] = [
  "s3:DeleteBucket",
  "s3:DeleteBucketPolicy",
  "s3:PutBucketAcl",
  "s3:PutBucketObjectLockConfiguration",
  "s3:PutBucketOwnershipControls",
  "s3:PutBucketPolicy",
  "s3:PutBucketPublicAccessBlock",
  "s3:PutBucketVersioning",
  "s3:PutEncryptionConfiguration",
  "s3:PutLifecycleConfiguration",
  "s3:PutReplicationConfiguration",
];

/**
 * Policy of a store's bucket. It only refuses, so that it is authoritative: whatever a role of the account is given, objects
 * are for the rows of the matrix, over TLS, and no version ends before its time.
 */
export function bucketPolicy(args: BucketPolicyArgs): PolicyDocument {
  const { account, bucket, store, deployer } = args;
  const lookUp = [deployer, ...args.previewers];
  const arn = bucketArn(bucket);
  const rolesOf = (action: Action) => rolesAllowed(store, action).map((id) => identityRoleArn(account, id));
  const emptying = args.emptiable ? [deployer] : [];
  /** Nobody but these roles does it. */
  const only = (
    Sid: string,
    Action: readonly string[],
    where: Pick<Statement, "Resource" | "NotResource">,
    roles: readonly string[],
  ): Statement => ({
    Sid,
    Effect: "Deny",
    Principal: "*",
    Action,
    ...where,
    Condition: {
      ...(roles.length > 0 && { ArnNotEquals: { "aws:PrincipalArn": roles } }),
      // What S3 does for the account itself, such as its lifecycle, is no principal's.
      Bool: { "aws:PrincipalIsAWSService": "false" },
    },
  });
  const objects = { Resource: `${arn}/*` };
  const reading = ["s3:GetObject", "s3:GetObjectVersion"];
  const markers = `${arn}/${markersPrefix(args.site)}*`;
  const copies = store === "s3Copies";
  return document([
    ...tlsOnly(bucket),
    only("ReadAsTheMatrixSays", reading, copies ? { NotResource: markers } : objects, rolesOf("get")),
    ...(copies
      ? [only("MarkersAreForDeployersToo", reading, { Resource: markers }, [...rolesOf("get"), ...lookUp])]
      : []),
    only("WriteAsTheMatrixSays", ["s3:PutObject"], objects, rolesOf("create")),
    ...(store === "s3Backups" ? [onceOnly(`${arn}/${restoresPrefix}*`)] : []),
    only("RemoveAsTheMatrixSays", ["s3:DeleteObject"], objects, [...rolesOf("delete"), ...emptying]),
    // A bucket is read by HeadBucket, which S3 answers to those who may list: names alone, no object.
    only("ListAsTheMatrixSays", listActions, { Resource: arn }, [...rolesOf("list"), ...lookUp]),
    only("NoVersionEndsEarly", neverAllowed, objects, emptying),
    only("SettingsAreTheDeployers", settings, { Resource: arn }, [deployer]),
  ]);
}

/**
 * Records of a restore are created and never replaced: a request that does not say `If-None-Match` is refused. So is one in parts,
 * which cannot say it at its beginning.
 */
function onceOnly(Resource: string): Statement {
  return {
    Sid: "RecordsOfARestoreAreWrittenOnce",
    Effect: "Deny",
    Principal: "*",
    Action: ["s3:PutObject"],
    Resource,
    Condition: { Null: { "s3:if-none-match": "true" } },
  };
}

/** Statements of every bucket's policy: no request in clear or by old TLS. */
export function tlsOnly(bucket: string): Statement[] {
  const Resource = [bucketArn(bucket), `${bucketArn(bucket)}/*`];
  const deny = (Sid: string, Condition: NonNullable<Statement["Condition"]>): Statement => ({
    Sid,
    Effect: "Deny",
    Principal: "*",
    Action: "s3:*",
    Resource,
    Condition,
  });
  return [
    deny("TlsOnly", { Bool: { "aws:SecureTransport": "false" } }),
    deny("Tls12OrNewer", { NumericLessThan: { "s3:TlsVersion": "1.2" } }),
  ];
}

/** Words of a store in a statement's id, which takes letters and digits only. */
function sid(store: S3Store): string {
  return storeLabelValue(store)
    .split("-")
    .map((word) => word[0]!.toUpperCase() + word.slice(1))
    .join("");
}

/**
 * Trust of a role that pods of the cluster take on by Pod Identity: some Kubernetes accounts of that cluster and account, and
 * nobody else's.
 */
export function podTrust(
  account: string,
  cluster: string,
  users: readonly { namespace: string; name: string }[],
): PolicyDocument {
  const unique = (values: string[]) => [...new Set(values)].sort();
  return document([
    {
      Sid: "PodsOfTheCluster",
      Effect: "Allow",
      Principal: { Service: "pods.eks.amazonaws.com" },
      Action: ["sts:AssumeRole", "sts:TagSession"],
      Condition: {
        StringEquals: {
          "aws:SourceAccount": account,
          "aws:RequestTag/kubernetes-namespace": unique(users.map(({ namespace }) => namespace)),
          "aws:RequestTag/kubernetes-service-account": unique(users.map(({ name }) => name)),
        },
        ArnEquals: { "aws:SourceArn": cluster },
      },
    },
  ]);
}

/** Trust of a role that one Kubernetes account takes on by its own token, for clients that Pod Identity does not serve. */
export function tokenTrust(provider: string, issuer: string, user: { namespace: string; name: string }): Statement {
  const host = issuer.replace(/^https:\/\//, "");
  return {
    Sid: "TokenOfTheAccount",
    Effect: "Allow",
    Principal: { Federated: provider },
    Action: "sts:AssumeRoleWithWebIdentity",
    Condition: {
      StringEquals: {
        [`${host}:sub`]: kubernetesSubject(user),
        [`${host}:aud`]: "sts.amazonaws.com",
      },
    },
  };
}

/** Trust of a role that a service of AWS takes on for this account. */
export function serviceTrust(service: string): PolicyDocument {
  return document([{ Sid: "Service", Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" }]);
}

/** Nothing of S3 is for everybody: neither by an ACL nor by a policy, whichever is there already. */
export const publicAccessBlocked = {
  blockPublicAcls: true,
  blockPublicPolicy: true,
  ignorePublicAcls: true,
  restrictPublicBuckets: true,
} as const;
