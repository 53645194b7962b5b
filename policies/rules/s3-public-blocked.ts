import { publicAccessBlocked } from "../../plan/s3-permissions";
import { awsTypes, isEverybody, isStandby, ofBucket, ofType, statementsOf } from "../lib/aws";
import { judge } from "../lib/judge";
import type { Declared, StackRule } from "../lib/rule";
import { at, object, shown } from "../lib/values";

const LOOSE = /^aws:s3\/(bucketAcl|bucketAclV2|bucketWebsiteConfiguration|bucketWebsiteConfigurationV2|accessPoint):/;

/** Narrowest range that S3 calls somebody's in particular. */
const NARROWEST = 8;

/** No bucket on AWS is for everybody, by its own settings, by its policy and by the account's. */
export const s3PublicBlocked: StackRule = {
  name: "s3-public-blocked",
  description: "Buckets on AWS block public access, have no ACLs and let nobody in whom nobody named",
  plan: ["S7", "D5"],
  checkStack: (resources) => [
    ...judge(ofType(resources, awsTypes.bucket), ({ props }) =>
      bucketProblems(props.bucket, resources).map((problem) => `bucket ${props.bucket}: ${problem}`),
    ),
    ...judge(ofType(resources, awsTypes.bucketPolicy), policyProblems),
    ...resources
      .filter(({ type }) => LOOSE.test(type))
      .map(({ name, type }) => `${name} is ${type}, by which objects can be public; remove it`),
    ...(isStandby(resources) && ofType(resources, awsTypes.accountPublicAccess).length === 0
      ? ["the account's own public access block is not declared; declare it"]
      : []),
    ...judge(ofType(resources, awsTypes.accountPublicAccess), (each) => blockProblems(each, "the account's block")),
  ],
};

function bucketProblems(bucket: unknown, resources: Declared[]): string[] {
  const blocks = ofBucket(resources, awsTypes.publicAccess, bucket);
  const ownership = ofBucket(resources, awsTypes.ownership, bucket)[0];
  const owner = at(ownership?.props, "rule", "objectOwnership");
  return [
    ...(blocks.length === 1 ? blockProblems(blocks[0]!, "its block") : ["it has no public access block; declare one"]),
    ...(owner === "BucketOwnerEnforced" ? [] : [`object ownership is ${shown(owner)}; set "BucketOwnerEnforced"`]),
  ];
}

function blockProblems({ props }: Declared, what: string): string[] {
  return Object.keys(publicAccessBlocked)
    .filter((key) => props[key] !== true)
    .map((key) => `${what} has ${key} ${shown(props[key])}; set true`);
}

/** Everybody may be let in only from fixed addresses that are not half the world. */
function policyProblems({ name, props }: Declared): string[] {
  return statementsOf(props.policy, `policy of ${name}`)
    .filter(({ effect, principal }) => effect === "Allow" && isEverybody(principal))
    .flatMap(({ condition }) => {
      const ranges = [object(condition.IpAddress)["aws:SourceIp"] ?? []].flat().map(String);
      const open = ranges.filter((range) => !(Number(range.split("/")[1] ?? 32) >= NARROWEST));
      if (ranges.length === 0) return [`policy ${name} lets everybody in; name who may`];
      return open.map((range) => `policy ${name} lets ${range} in, which is half the world; name who may`);
    });
}
