/** `PATCH /b/BUCKET` of the storage's API in terms of what a bucket declares. Source: "Buckets: patch". */
import { CloudError, type Props } from "../../lib/types";

/** Settings that requests change here. */
const KNOWN = ["retentionPolicy", "softDeletePolicy", "versioning"];

/**
 * Inputs of the bucket after a patch: what is null goes, what is given replaces.
 * @throws CloudError 501 for settings that are changed by declarations alone
 */
export function patchedBucket(inputs: Props, change: Props): Props {
  const other = Object.keys(change).filter((name) => !KNOWN.includes(name));
  if (other.length > 0)
    throw new CloudError(
      501,
      "notImplemented",
      `the sandbox patches ${KNOWN.join(", ")} alone, not ${other.join(", ")}`,
    );
  const given = Object.entries(change).filter(([, value]) => value !== null);
  const kept = Object.entries(inputs).filter(([name]) => !(name in change));
  // A lock is no setting: only lockRetentionPolicy makes one, and nothing takes one away.
  const locked = (inputs.retentionPolicy as { isLocked?: boolean } | undefined)?.isLocked;
  const patched: Props = Object.fromEntries([...kept, ...given]);
  if (locked && patched.retentionPolicy) patched.retentionPolicy = { ...patched.retentionPolicy, isLocked: true };
  return patched;
}
