import { document, tlsOnly } from "../../plan/s3-permissions";
import { awsTypes } from "../lib/aws";
import { type Props, resource, specify } from "../testing";
import { s3TlsOnly } from "./s3-tls-only";

const bucket = resource(awsTypes.bucket, { bucket: "b" });
const policy = (statements: unknown[]) =>
  resource(awsTypes.bucketPolicy, { bucket: "b", policy: JSON.stringify({ Statement: statements }) });
const encrypted = (sseAlgorithm = "AES256") =>
  resource(awsTypes.encryption, { bucket: "b", rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm } }] });
const [clear] = document(tlsOnly("b")).Statement as unknown as [Props];

specify(s3TlsOnly, {
  holds: [
    [bucket, policy([clear]), encrypted()],
    [bucket, policy([{ Effect: "Deny", Principal: "*", Action: "s3:PutObject" }, clear]), encrypted("aws:kms")],
  ],
  violated: [
    [[bucket, encrypted()], /S7, D5: bucket b: it has 0 policies/],
    [[bucket, policy([clear]), policy([]), encrypted()], /it has 2 policies/],
    [[bucket, policy([]), encrypted()], /does not refuse requests without TLS/],
    [[bucket, policy([{ ...clear, Effect: "Allow" }]), encrypted()], /does not refuse/],
    [[bucket, policy([{ ...clear, Resource: ["arn:aws:s3:::b"] }]), encrypted()], /does not refuse/],
    [[bucket, policy([{ ...clear, Action: "s3:GetObject" }]), encrypted()], /does not refuse/],
    [[bucket, policy([{ ...clear, Principal: { AWS: "arn:aws:iam::1:role/x" } }]), encrypted()], /does not refuse/],
    [
      [
        bucket,
        policy([{ ...clear, Condition: { ...(clear.Condition as Props), StringEquals: { "aws:a": "b" } } }]),
        encrypted(),
      ],
      /does not refuse/,
    ],
    [[bucket, policy([clear])], /its encryption is not set/],
  ],
});
