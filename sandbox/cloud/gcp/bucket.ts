/** `gcp:storage/bucket:Bucket` and its authoritative policy. */
import { type Behaviour, CloudError, type CloudResource, type ObjectStore, type Props } from "../../lib/types";
import { type Access, type Binding, TYPES } from "../iam/access";
import { checkCondition } from "../iam/conditions";
import { type Registry, text } from "../registry";
import { absent, conflict, invalid, matches, notFound, required } from "./checks";

/** Source: "Bucket naming requirements". Dots would need a verified domain. */
const NAME = /^[a-z0-9][-_a-z0-9]{1,61}[a-z0-9]$/;
const CLASSES = ["STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE"];
const MULTI_REGIONS = ["EU", "US", "ASIA", "ASIA1", "EUR4", "EUR5", "EUR7", "EUR8", "NAM4"];
const REGION = /^[A-Z]+-[A-Z]+\d{1,2}$/;
const WEEK = 7 * 24 * 3600;
const NINETY_DAYS = 90 * 24 * 3600;

export function bucketBehaviour(registry: Registry, objects: ObjectStore, now: () => Date): Behaviour {
  return {
    create: async (inputs) => {
      const name = required(inputs, "name", "bucket");
      check(inputs);
      absent(registry, TYPES.bucket, name);
      await objects.createBucket(name);
      return { id: name, outputs: outputs(inputs, now()) };
    },
    update: async (bucket, inputs) => {
      check(inputs);
      keepsLock(retention(bucket.outputs), retention(inputs));
      return { ...outputs(inputs, now()), timeCreated: bucket.outputs.timeCreated };
    },
    delete: async (bucket) => {
      const present = await objects.list(bucket.id, "");
      if (present.length > 0 && bucket.inputs.forceDestroy !== true)
        throw conflict(`The bucket ${bucket.id} you tried to delete is not empty: ${present.length} objects; it`);
      const { seconds } = retention(bucket.outputs);
      const kept = present.find(({ created }) => now().getTime() - created.getTime() < seconds * 1000);
      if (kept)
        throw new CloudError(
          403,
          "retentionPolicyNotMet",
          `Object '${bucket.id}/${kept.name}' is subject to bucket's retention policy and cannot be deleted until ${new Date(kept.created.getTime() + seconds * 1000).toISOString()}`,
        );
      await objects.empty(bucket.id);
      await objects.deleteBucket(bucket.id);
      if (registry.get(TYPES.bucketPolicy, `b/${bucket.id}`)) registry.remove(TYPES.bucketPolicy, `b/${bucket.id}`);
    },
  };
}

/** Retention of a bucket; absent: none. */
export function retention(props: Props): { seconds: number; locked: boolean } {
  const policy = props.retentionPolicy as { retentionPeriod?: string | number; isLocked?: boolean } | undefined;
  return { seconds: Number(policy?.retentionPeriod ?? 0), locked: policy?.isLocked ?? false };
}

function keepsLock(before: ReturnType<typeof retention>, after: ReturnType<typeof retention>): void {
  if (before.locked && (after.seconds < before.seconds || !after.locked))
    throw new CloudError(
      403,
      "forbidden",
      `Cannot reduce retention duration of a locked Retention Policy (${before.seconds} s to ${after.seconds} s) or remove it`,
    );
}

function check(inputs: Props): void {
  matches(text(inputs, "name"), NAME, "bucket name");
  required(inputs, "project", "bucket");
  const location = text(inputs, "location").toUpperCase();
  if (!MULTI_REGIONS.includes(location) && !REGION.test(location))
    throw invalid(`The specified location constraint is not valid: "${location}"`);
  const storageClass = text(inputs, "storageClass") || "STANDARD";
  if (!CLASSES.includes(storageClass)) throw invalid(`Invalid storage class ${storageClass}; ${CLASSES.join(", ")}`);
  const prevention = text(inputs, "publicAccessPrevention") || "inherited";
  if (!["enforced", "inherited"].includes(prevention))
    throw invalid(`Invalid value for publicAccessPrevention: "${prevention}"; enforced or inherited`);
  const soft = (inputs.softDeletePolicy as { retentionDurationSeconds?: number } | undefined)?.retentionDurationSeconds;
  if (soft !== undefined && soft !== 0 && (soft < WEEK || soft > NINETY_DAYS))
    throw invalid(`softDeletePolicy.retentionDurationSeconds ${soft} must be 0 or between ${WEEK} and ${NINETY_DAYS}`);
  const versioning = (inputs.versioning as { enabled?: boolean } | undefined)?.enabled;
  if (versioning && retention(inputs).seconds > 0)
    throw invalid("Retention policy and object versioning cannot be set on one bucket");
}

const outputs = (inputs: Props, now: Date): Props => ({
  storageClass: "STANDARD",
  publicAccessPrevention: "inherited",
  ...inputs,
  location: text(inputs, "location").toUpperCase(),
  url: `gs://${text(inputs, "name")}`,
  selfLink: `https://www.googleapis.com/storage/v1/b/${text(inputs, "name")}`,
  timeCreated: now.toISOString(),
});

/** The whole policy of a bucket, replaced at once. */
export function bucketPolicyBehaviour(registry: Registry, access: Access): Behaviour {
  const checked = (inputs: Props): { bucket: string; outputs: Props } => {
    const name = required(inputs, "bucket", "bucket IAM policy").replace(/^b\//, "");
    if (!registry.get(TYPES.bucket, name)) throw notFound(`The specified bucket ${name}`);
    checkPolicy(text(inputs, "policyData"), registry, access);
    return { bucket: name, outputs: { ...inputs, etag: Buffer.from(String(Date.now())).toString("base64") } };
  };
  return {
    create: async (inputs) => {
      const { bucket, outputs: values } = checked(inputs);
      return { id: `b/${bucket}`, outputs: values };
    },
    update: async (_, inputs) => checked(inputs).outputs,
    read: async (policy: CloudResource) =>
      registry.get(TYPES.bucket, policy.id.slice(2)) ? policy.outputs : undefined,
  };
}

function checkPolicy(policyData: string, registry: Registry, access: Access): void {
  let bindings: Binding[];
  try {
    bindings = JSON.parse(policyData).bindings ?? [];
  } catch {
    throw invalid("policyData is no JSON");
  }
  for (const { role, members, condition } of bindings) {
    if (!access.rolePermissions(role)) throw invalid(`Role ${role} is not supported for this resource.`);
    if (condition) checkCondition(condition);
    for (const member of members) checkMember(member, registry);
  }
}

/** @throws CloudError 400 when the member's syntax is wrong or its service account does not exist */
export function checkMember(member: string, registry: Registry): void {
  if (member === "allUsers" || member === "allAuthenticatedUsers") return;
  const [kind, name] = /^([a-zA-Z]+):(.+)$/.exec(member)?.slice(1) ?? [];
  const kinds = ["user", "serviceAccount", "group", "domain", "principal", "principalSet"];
  if (!kind || !name || ![...kinds, "projectOwner", "projectEditor", "projectViewer"].includes(kind))
    throw invalid(`The member ${member} is of an unknown type; it must begin with one of ${kinds.join(":, ")}:`);
  if (kind !== "serviceAccount" || !name.endsWith(".iam.gserviceaccount.com")) return;
  if (!registry.all(TYPES.account).some(({ outputs: account }) => account.email === name))
    throw invalid(`Service account ${name} does not exist.`);
}
