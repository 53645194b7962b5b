import { retention } from "../../plan/retention";
import { lockedStores, type S3Store } from "../../plan/s3-permissions";
import { awsTypes, isDrill, ofBucket, ofType, s3StoreOf } from "../lib/aws";
import { judge } from "../lib/judge";
import type { Declared, StackRule } from "../lib/rule";
import { at, object, objects, shown } from "../lib/values";

/** Days that versions of a locked store are kept, whoever wants to end them. */
const days: Partial<Record<S3Store, number>> = {
  s3Copies: retention.s3CopiesDays,
  s3MediaCopies: retention.s3MediaDays,
};

/**
 * Copies in S3 outlive whoever is after them: versions, a lock in compliance mode that not even the account's root can shorten,
 * no lifecycle that ends what is current, and a bucket that nobody empties. A drill's may go again.
 */
export const s3LockedCopies: StackRule = {
  name: "s3-locked-copies",
  description: "Copies in S3 are versioned, locked in compliance mode for the plan's days, and protected",
  plan: ["S7", "D4", "D5"],
  checkStack: (resources) => {
    const drill = isDrill(resources);
    return judge(ofType(resources, awsTypes.bucket), (bucket) => {
      const store = s3StoreOf(bucket);
      if (!store) return [];
      const name = bucket.props.bucket;
      const locked = lockedStores.includes(store);
      const problems = [
        ...versioningProblems(name, resources),
        ...lifecycleProblems(name, locked ? days[store]! : 1, resources),
        ...(locked ? lockProblems(bucket, days[store]!, drill, resources) : []),
        ...(drill ? [] : protectionProblems(bucket)),
      ];
      return problems.map((problem) => `bucket ${name}: ${problem}`);
    });
  },
};

function versioningProblems(bucket: unknown, resources: Declared[]): string[] {
  const statuses = ofBucket(resources, awsTypes.versioning, bucket).map(({ props }) =>
    at(props, "versioningConfiguration", "status"),
  );
  return statuses.length === 1 && statuses[0] === "Enabled"
    ? []
    : [`versioning is ${shown(statuses[0])}; declare one BucketVersioning with status "Enabled"`];
}

function lockProblems(bucket: Declared, days: number, drill: boolean, resources: Declared[]): string[] {
  const { props } = bucket;
  const locks = ofBucket(resources, awsTypes.lock, props.bucket);
  const { mode, days: kept } = object(at(locks[0]?.props, "rule", "defaultRetention"));
  const allowed = drill ? ["COMPLIANCE", "GOVERNANCE"] : ["COMPLIANCE"];
  return [
    ...(props.objectLockEnabled === true ? [] : ["objectLockEnabled is not true; set it, it cannot be set later"]),
    ...(allowed.includes(String(mode)) ? [] : [`the lock's mode is ${shown(mode)}; set "COMPLIANCE"`]),
    ...(drill || Number(kept) >= days ? [] : [`the lock is for ${shown(kept)} days; set ${days} or more`]),
  ];
}

function lifecycleProblems(bucket: unknown, days: number, resources: Declared[]): string[] {
  return ofBucket(resources, awsTypes.lifecycle, bucket).flatMap(({ props }) =>
    objects(props.rules).flatMap((rule) => {
      const { days: after, date } = object(rule.expiration);
      const noncurrent = object(rule.noncurrentVersionExpiration).noncurrentDays;
      return [
        ...(after === undefined && date === undefined
          ? []
          : [`lifecycle rule ${shown(rule.id)} ends current objects; remove its expiration`]),
        ...(noncurrent === undefined || Number(noncurrent) >= days
          ? []
          : [`lifecycle rule ${shown(rule.id)} ends versions after ${noncurrent} days; set ${days} or more`]),
      ];
    }),
  );
}

function protectionProblems({ props, protect }: Declared): string[] {
  return [
    ...(protect ? [] : ["protect is not set; set the stack's deletionProtection to true"]),
    ...(props.forceDestroy === true ? ["forceDestroy is true, which empties it; remove it"] : []),
  ];
}
