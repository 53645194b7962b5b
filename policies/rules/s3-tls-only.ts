import { awsTypes, type DeclaredStatement, isEverybody, ofBucket, ofType, statementsOf } from "../lib/aws";
import { judge } from "../lib/judge";
import type { Declared, StackRule } from "../lib/rule";
import { at, object, objects, shown } from "../lib/values";

/** What is in a bucket on AWS is read and written over TLS, and lies encrypted. */
export const s3TlsOnly: StackRule = {
  name: "s3-tls-only",
  description: "Every bucket on AWS refuses requests in clear and encrypts what it holds",
  plan: ["S7", "D5"],
  checkStack: (resources) =>
    judge(ofType(resources, awsTypes.bucket), ({ props }) =>
      [...policyProblems(props.bucket, resources), ...encryptionProblems(props.bucket, resources)].map(
        (problem) => `bucket ${props.bucket}: ${problem}`,
      ),
    ),
};

function policyProblems(bucket: unknown, resources: Declared[]): string[] {
  const policies = ofBucket(resources, awsTypes.bucketPolicy, bucket);
  if (policies.length !== 1)
    return [`it has ${policies.length} policies; declare one that refuses requests without TLS`];
  const statements = statementsOf(policies[0]!.props.policy, `policy of ${policies[0]!.name}`);
  return statements.some((each) => refusesClear(each, String(bucket)))
    ? []
    : ['its policy does not refuse requests without TLS; deny s3:* when aws:SecureTransport is "false"'];
}

/** Refuses every request in clear, to the bucket and to all that is in it, by whomever. */
function refusesClear(
  { effect, principal, actions, resources, condition }: DeclaredStatement,
  bucket: string,
): boolean {
  const arn = `arn:aws:s3:::${bucket}`;
  return (
    effect === "Deny" &&
    isEverybody(principal) &&
    actions.includes("s3:*") &&
    resources.includes(arn) &&
    resources.includes(`${arn}/*`) &&
    Object.keys(condition).length === 1 &&
    String(object(condition.Bool)["aws:SecureTransport"]) === "false"
  );
}

function encryptionProblems(bucket: unknown, resources: Declared[]): string[] {
  const [settings] = ofBucket(resources, awsTypes.encryption, bucket);
  const [rule] = objects(settings?.props.rules);
  const algorithm = at(rule, "applyServerSideEncryptionByDefault", "sseAlgorithm");
  return algorithm === "AES256" || algorithm === "aws:kms"
    ? []
    : [`its encryption is ${shown(algorithm)}; set "AES256"`];
}
