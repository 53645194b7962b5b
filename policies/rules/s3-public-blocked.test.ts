import { publicAccessBlocked } from "../../plan/s3-permissions";
import { awsTypes } from "../lib/aws";
import { type Props, resource, specify } from "../testing";
import { s3PublicBlocked } from "./s3-public-blocked";

const bucket = resource(awsTypes.bucket, { bucket: "b" });
const block = (props: Props = {}) => resource(awsTypes.publicAccess, { bucket: "b", ...publicAccessBlocked, ...props });
const owned = (objectOwnership = "BucketOwnerEnforced") =>
  resource(awsTypes.ownership, { bucket: "b", rule: { objectOwnership } });
const policy = (statement: Props) =>
  resource(awsTypes.bucketPolicy, { bucket: "b", policy: JSON.stringify({ Statement: [statement] }) });
const from = (...ranges: string[]) =>
  policy({ Effect: "Allow", Principal: "*", Condition: { IpAddress: { "aws:SourceIp": ranges } } });
const closed = [bucket, block(), owned()];
const standby = resource(awsTypes.alarm, { tags: { "iconik-role": "standby" } });
const account = (props: Props = {}) => resource(awsTypes.accountPublicAccess, { ...publicAccessBlocked, ...props });

specify(s3PublicBlocked, {
  holds: [
    closed,
    [...closed, policy({ Effect: "Deny", Principal: "*" })],
    [...closed, policy({ Effect: "Allow", Principal: { Service: "logging.s3.amazonaws.com" } })],
    [...closed, from("15.177.0.0/18", "192.0.2.1")],
    [standby, account()],
  ],
  violated: [
    [[bucket, owned()], /S7, D5: bucket b: it has no public access block/],
    [[bucket, block({ blockPublicPolicy: false }), owned()], /its block has blockPublicPolicy false; set true/],
    [[bucket, block({ ignorePublicAcls: undefined }), owned()], /ignorePublicAcls not set/],
    [[bucket, block()], /object ownership is not set/],
    [[bucket, block(), owned("ObjectWriter")], /object ownership is "ObjectWriter"/],
    [[...closed, policy({ Effect: "Allow", Principal: "*" })], /lets everybody in/],
    [[...closed, policy({ Effect: "Allow", Principal: { AWS: "*" } })], /lets everybody in/],
    [[...closed, from("0.0.0.0/0")], /lets 0\.0\.0\.0\/0 in, which is half the world/],
    [[...closed, from("15.177.0.0/18", "128.0.0.0/1")], /128\.0\.0\.0\/1/],
    [resource(awsTypes.bucketPolicy, { bucket: "b", policy: "x" }), /is no JSON object/],
    [resource("aws:s3/bucketAcl:BucketAcl", { bucket: "b" }), /by which objects can be public/],
    [standby, /the account's own public access block is not declared/],
    [[standby, account({ blockPublicAcls: false })], /the account's block has blockPublicAcls false/],
  ],
});
