import { identityOfAccount } from "../../plan/identities";
import { grantsOf } from "../lib/iam";
import { judge } from "../lib/judge";
import type { Declared, StackRule } from "../lib/rule";
import { bucketsByName, bucketsOf, storeOf } from "../lib/stores";
import { types } from "../lib/types";

const READ = ["storage.objects.get", "storage.objects.list"];

/**
 * The plan's own sentence, held against what is declared and not against the matrix, which could be changed with it: what
 * copies only reads the primary, what writes the primary has nothing on the copy, and nobody deploys both.
 */
export const secondCopyApart: StackRule = {
  name: "second-copy-apart",
  description: "The replicator only reads primaries, no site reaches a second copy, no stack declares both",
  plan: ["S2", "S6", "D5"],
  checkStack: (resources) => {
    const primaries = [...bucketsOf("primaryBackups", resources), ...bucketsOf("media", resources)];
    const copies = [...bucketsOf("secondCopy", resources), ...bucketsOf("secondMedia", resources)];
    const buckets = bucketsByName(resources);
    return [
      ...(primaries.length > 0 && copies.length > 0
        ? [
            `bucket ${primaries[0]!.props.name} and its second copy ${copies[0]!.props.name} are in one stack, whose deployer reaches both; declare the copy in the vault`,
          ]
        : []),
      ...judge(
        resources.filter(({ type }) => type === types.bucketPolicy),
        (policy) => {
          const bucket = buckets.get(String(policy.props.bucket));
          return bucket ? reaches(policy, bucket, resources) : [];
        },
      ),
    ];
  },
};

function reaches(policy: Declared, bucket: Declared, resources: Declared[]): string[] {
  const store = storeOf(bucket);
  const primary = store === "primaryBackups" || store === "media";
  const copy = store === "secondCopy" || store === "secondMedia";
  return grantsOf(policy, resources).flatMap(({ member, permissions = [] }) => {
    const row = identityOfAccount(/^serviceAccount:([^@]+)@/.exec(member)?.[1] ?? "");
    const more = permissions.filter((permission) => !READ.includes(permission));
    if (primary && row?.home === "vault" && !row.granted && more.length > 0)
      return [`bucket ${bucket.props.name}: ${member} copies it and gets ${more.join(", ")}; it may only read`];
    if (copy && row?.home === "site")
      return [`bucket ${bucket.props.name}: ${member} is a site's identity; none has access to a second copy`];
    if (store === "secondCopy" && row?.id !== "pruner" && more.includes("storage.objects.delete"))
      return [`bucket ${bucket.props.name}: ${member} can delete second copies; the pruner alone may`];
    return [];
  });
}
