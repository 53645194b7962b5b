/** Which versions of an object a bucket's lifecycle rules delete. Source: "Object Lifecycle Management". */
import { CloudError, type LifecycleCondition, type LifecycleRule } from "../lib/types";

/** A version as the rules see it. */
export interface VersionAge {
  name: string;
  timeCreated: Date;
  /** When it became noncurrent; absent: it is live. */
  timeDeleted?: Date;
  /** Versions of the name that are newer, the live one included. */
  newer: number;
}

const ACTIONS = ["Delete", "SetStorageClass", "AbortIncompleteMultipartUpload"];
const STATES = ["LIVE", "ARCHIVED", "ANY"];
const UPLOAD_CONDITIONS = ["age", "matchesPrefixes", "matchesSuffixes"];
const CONDITIONS = [
  ...UPLOAD_CONDITIONS,
  ...["createdBefore", "daysSinceNoncurrentTime", "noncurrentTimeBefore", "numNewerVersions", "withState"],
];
const DAY_MS = 24 * 3600_000;

/** Does a rule delete this version now? */
export function isDue(rules: readonly LifecycleRule[], version: VersionAge, now: Date): boolean {
  return rules.some(({ action, condition }) => action.type === "Delete" && meets(condition, version, now));
}

/** Can a rule delete a live version? */
export function touchesLive(rules: readonly LifecycleRule[]): boolean {
  return rules.some(
    ({ action, condition }) =>
      action.type === "Delete" &&
      condition.withState !== "ARCHIVED" &&
      condition.daysSinceNoncurrentTime === undefined &&
      condition.noncurrentTimeBefore === undefined &&
      !condition.numNewerVersions,
  );
}

function meets(condition: LifecycleCondition, version: VersionAge, now: Date): boolean {
  const { timeCreated, timeDeleted, name, newer } = version;
  const days = (since: Date) => (now.getTime() - since.getTime()) / DAY_MS;
  const state = condition.withState ?? "ANY";
  if (state === (timeDeleted ? "LIVE" : "ARCHIVED")) return false;
  const { age, createdBefore, daysSinceNoncurrentTime, noncurrentTimeBefore, numNewerVersions } = condition;
  if (age !== undefined && days(timeCreated) < age) return false;
  if (createdBefore !== undefined && timeCreated >= new Date(createdBefore)) return false;
  if (daysSinceNoncurrentTime !== undefined && (!timeDeleted || days(timeDeleted) < daysSinceNoncurrentTime))
    return false;
  if (noncurrentTimeBefore !== undefined && (!timeDeleted || timeDeleted >= new Date(noncurrentTimeBefore)))
    return false;
  if (numNewerVersions !== undefined && newer < numNewerVersions) return false;
  const { matchesPrefixes, matchesSuffixes } = condition;
  if (matchesPrefixes?.length && !matchesPrefixes.some((prefix) => name.startsWith(prefix))) return false;
  return !matchesSuffixes?.length || matchesSuffixes.some((suffix) => name.endsWith(suffix));
}

/** @throws CloudError 400 naming a rule that the storage, or the sandbox, does not take */
export function checkLifecycle(rules: readonly LifecycleRule[]): void {
  for (const { action, condition } of rules) {
    const refuse = (what: string) => new CloudError(400, "invalid", `Invalid lifecycle rule ${action.type}: ${what}`);
    if (!ACTIONS.includes(action.type)) throw refuse(`no such action; ${ACTIONS.join(", ")}`);
    const given = Object.entries(condition ?? {}).flatMap(([key, value]) => (value === undefined ? [] : [key]));
    if (given.length === 0) throw refuse("a rule needs a condition");
    if (condition.withState !== undefined && !STATES.includes(condition.withState))
      throw refuse(`withState "${condition.withState}"; ${STATES.join(", ")}`);
    const allowed = action.type === "AbortIncompleteMultipartUpload" ? UPLOAD_CONDITIONS : CONDITIONS;
    const unknown = given.find((key) => !allowed.includes(key));
    if (unknown && action.type !== "SetStorageClass")
      throw refuse(`condition ${unknown}; the sandbox knows ${allowed.join(", ")}`);
    for (const key of ["age", "daysSinceNoncurrentTime", "numNewerVersions"] as const)
      if (condition[key] !== undefined && !(Number.isInteger(condition[key]) && condition[key] >= 0))
        throw refuse(`${key} ${condition[key]} is no whole number of 0 or more`);
  }
}
