/** `gcp:storage/bucket:Bucket` and its authoritative policy. */
import { z } from "zod";
import {
  type Behaviour,
  CloudError,
  type CloudResource,
  type LifecycleRule,
  type ObjectStore,
  type Props,
} from "../../lib/types";
import { type Access, type Binding, EMPTIED, TYPES } from "../iam/access";
import { checkCondition } from "../iam/conditions";
import { checkLifecycle } from "../lifecycle";
import { type Registry, text } from "../registry";
import { etag, invalid, matches, notFound, required } from "./checks";
import { checkPool } from "./federation";

/** Source: "Bucket naming requirements". Dots would need a verified domain. */
const NAME = /^[a-z0-9][-_a-z0-9]{1,61}[a-z0-9]$/;
const CLASSES = ["STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE"];
const MULTI_REGIONS = ["EU", "US", "ASIA", "ASIA1", "EUR4", "EUR5", "EUR7", "EUR8", "NAM4"];
const REGION = /^[A-Z]+-[A-Z]+\d{1,2}$/;
const WEEK = 7 * 24 * 3600;
const NINETY_DAYS = 90 * 24 * 3600;

/** `gcp:storage/bucket:Bucket`. */
export function bucketBehaviour(registry: Registry, objects: ObjectStore, now: () => Date): Behaviour {
  return {
    create: async (inputs) => {
      const name = required(inputs, "name", "bucket");
      check(inputs);
      await registry.makeOnce(TYPES.bucket, name, () => objects.createBucket(name));
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
        throw new CloudError(
          409,
          "conflict",
          `The bucket ${bucket.id} you tried to delete is not empty: it holds ${present.length} objects. Remove them, or set forceDestroy and update it first.`,
        );
      if (bucket.inputs.forceDestroy !== true && (await objects.hasNoncurrent(bucket.id)))
        throw new CloudError(
          409,
          "conflict",
          `The bucket ${bucket.id} you tried to delete is not empty: it holds noncurrent versions. Remove them, or set forceDestroy and update it first.`,
        );
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
      registry.remove(TYPES.bucketPolicy, `b/${bucket.id}`);
      registry.forget(EMPTIED, bucket.id);
    },
  };
}

/** Retention of a bucket; absent: none. */
export function retention(props: Props): { seconds: number; locked: boolean } {
  const policy = props.retentionPolicy as { retentionPeriod?: string | number; isLocked?: boolean } | undefined;
  return { seconds: Number(policy?.retentionPeriod ?? 0), locked: policy?.isLocked ?? false };
}

/** What keeps former contents of a bucket's objects, and for how long. Source: soft delete is on unless it is set to 0. */
export function history(props: Props): { versioning: boolean; softDeleteSeconds: number; lifecycle: LifecycleRule[] } {
  const soft = props.softDeletePolicy as { retentionDurationSeconds?: number } | undefined;
  return {
    versioning: (props.versioning as { enabled?: boolean } | undefined)?.enabled ?? false,
    softDeleteSeconds: soft?.retentionDurationSeconds ?? WEEK,
    lifecycle: (props.lifecycleRules as LifecycleRule[] | undefined) ?? [],
  };
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
  checkLifecycle(history(inputs).lifecycle);
  if (history(inputs).versioning && retention(inputs).seconds > 0)
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
    const bucket = registry.get(TYPES.bucket, name);
    if (!bucket) throw notFound(`The specified bucket ${name}`);
    checkPolicy(text(inputs, "policyData"), bucket, registry, access);
    registry.forget(EMPTIED, name);
    return { bucket: name, outputs: { ...inputs, etag: etag() } };
  };
  return {
    create: async (inputs) => {
      const { bucket, outputs: values } = checked(inputs);
      return { id: `b/${bucket}`, outputs: values };
    },
    update: async (_, inputs) => checked(inputs).outputs,
    read: async (policy: CloudResource) =>
      registry.get(TYPES.bucket, policy.id.slice(2)) ? policy.outputs : undefined,
    // The bucket keeps an empty policy; what it was born with does not come back.
    delete: async (policy: CloudResource) => registry.note(EMPTIED, policy.id.slice(2)),
  };
}

function checkPolicy(policyData: string, bucket: CloudResource, registry: Registry, access: Access): void {
  for (const { role, members, condition } of bindingsOf(policyData)) {
    access.checkRole(role, text(bucket.outputs, "project"));
    if (condition) {
      checkCondition(condition);
      if (bucket.outputs.uniformBucketLevelAccess !== true)
        throw invalid(
          `Bucket ${bucket.id}: IAM conditions (${condition.title}) need uniform bucket-level access; set uniformBucketLevelAccess.`,
        );
      if (role.startsWith("roles/storage.legacy"))
        throw invalid(`Role ${role} cannot have a condition (${condition.title}); legacy storage roles take none.`);
    }
    for (const member of members) {
      checkMember(member, registry);
      if (isPublic(member) && bucket.outputs.publicAccessPrevention === "enforced")
        throw new CloudError(
          412,
          "conditionNotMet",
          `The member bindings ${member} and public access prevention of ${bucket.id} cannot both be: it is enforced.`,
        );
    }
  }
}

const policyShape = z.object({
  bindings: z
    .array(
      z.object({
        role: z.string(),
        members: z.array(z.string()).default([]),
        condition: z.object({ title: z.string().default(""), expression: z.string() }).optional(),
      }),
    )
    .default([]),
});

/** @throws CloudError 400 when the data is no policy */
function bindingsOf(policyData: string): Binding[] {
  let data: unknown;
  try {
    data = JSON.parse(policyData);
  } catch {
    throw invalid(`policyData is no JSON: "${policyData.slice(0, 80)}"`);
  }
  const policy = policyShape.safeParse(data);
  if (!policy.success) throw invalid(`policyData is no IAM policy: ${z.prettifyError(policy.error)}`);
  return policy.data.bindings;
}

const isPublic = (member: string) => member === "allUsers" || member === "allAuthenticatedUsers";

/** @throws CloudError 400 when the member's syntax is wrong or its service account does not exist */
export function checkMember(member: string, registry: Registry): void {
  if (isPublic(member)) return;
  const [kind, name] = /^([a-zA-Z]+):(.+)$/.exec(member)?.slice(1) ?? [];
  const kinds = ["user", "serviceAccount", "group", "domain", "principal", "principalSet", "deleted"];
  if (!kind || !name || ![...kinds, "projectOwner", "projectEditor", "projectViewer"].includes(kind))
    throw invalid(`The member ${member} is of an unknown type; it must begin with one of ${kinds.join(":, ")}:`);
  if (kind.startsWith("principal")) checkPool(member, registry);
  if (kind !== "serviceAccount" || !name.endsWith(".iam.gserviceaccount.com")) return;
  const known = [TYPES.account, TYPES.serviceIdentity].flatMap((type) => registry.all(type));
  if (!known.some(({ outputs: account }) => account.email === name))
    throw invalid(`Service account ${name} does not exist.`);
}
