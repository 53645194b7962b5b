import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CloudError, type Props } from "../../lib/types";
import { connect, type EngineSide, fakeControl, urn } from "../testing";
import { UNKNOWN } from "../values";
import { tableOf } from "./generate";
import { awsProvider } from "./provider";
import { replacements } from "./replacements";
import schema from "./schema.json";

const asked: { path: string; body: Props }[] = [];
let control: Awaited<ReturnType<typeof fakeControl>>;
let engine: EngineSide;
before(async () => {
  control = await fakeControl((path, body) => {
    asked.push({ path, body });
    if (path === "/resources/create" && (body.inputs as Props).bucket === "taken")
      throw new CloudError(409, "BucketAlreadyExists", "not available");
    if (path === "/resources/create")
      return { id: "id", outputs: { ...(body.inputs as Props), arn: "arn:aws:s3:::b", __owner: "hidden" } };
    return {};
  });
  engine = await connect(awsProvider(control.client, {}));
  await engine.configure({
    region: "eu-central-1",
    defaultTags: JSON.stringify({ tags: { stack: "it" } }),
    allowedAccountIds: JSON.stringify(["111122223333"]),
  });
});
after(() => {
  engine.close();
  control.close();
});

const bucket = urn("aws:s3/bucket:Bucket", "my-bucket");

test("the table in git is what the installed package says", () => {
  assert.deepEqual(JSON.parse(JSON.stringify(tableOf(replacements))), schema);
});

test("a check fills in name and region, and refuses what the provider would", async () => {
  const { inputs, failures } = await engine.check(bucket, {});
  assert.deepEqual(failures, []);
  assert.match(String(inputs.bucket), /^my-bucket-[0-9a-f]{7}$/);
  assert.equal(inputs.region, "eu-central-1");
  const wrong: [string, Props, RegExp][] = [
    ["s3/bucket:Bucket", { buckt: "b" }, /did you mean "bucket"/],
    ["s3/bucket:Bucket", { bucket: "b", bucketPrefix: "b" }, /at most one of bucket, bucketPrefix/],
    ["s3/bucket:Bucket", { region: "europe-west1" }, /is not a region of AWS/],
    ["s3/bucketPolicy:BucketPolicy", { bucket: "b", policy: "{" }, /contains an invalid JSON policy/],
    ["s3/bucketPolicy:BucketPolicy", { policy: "{}" }, /Missing required argument: set bucket/],
    ["ec2/vpc:Vpc", { cidrBlock: "10.0.0.1/16" }, /bits set behind its prefix/],
    ["ec2/vpc:Vpc", { cidrBlock: "10.0.0.0/8" }, /prefix from \/16 to \/28/],
    ["eks/cluster:Cluster", { roleArn: "role", vpcConfig: { subnetIds: [] } }, /an ARN is written/],
    [
      "eks/accessPolicyAssociation:AccessPolicyAssociation",
      {
        clusterName: "c",
        policyArn: "arn:aws:iam::aws:policy/X",
        principalArn: "arn:aws:iam::111122223333:role/x",
        accessScope: { type: "all" },
      },
      /cluster-access-policy/,
    ],
    ["route53/record:Record", { zoneId: "Z", name: "a", type: "A", records: ["192.0.2.1"] }, /records need a ttl/],
    [
      "route53/record:Record",
      {
        zoneId: "Z",
        name: "a",
        type: "A",
        ttl: 60,
        records: ["192.0.2.1"],
        failoverRoutingPolicies: [{ type: "FIRST" }],
      },
      /PRIMARY, SECONDARY/,
    ],
    [
      "route53/healthCheck:HealthCheck",
      { type: "HTTPS", fqdn: "a.example.com", requestInterval: 15 },
      /expected 10 or 30/,
    ],
    ["iam/role:Role", { assumeRolePolicy: "{}", tags: { "aws:x": "1" } }, /reserved/],
    ["kms/key:Key", { deletionWindowInDays: 3 }, /from 7 to 30/],
    ["lb/targetGroup:TargetGroup", { port: "80" }, /must be a whole number/],
  ];
  for (const [type, inputs, words] of wrong) {
    const { failures } = await engine.check(urn(`aws:${type}`, "x"), inputs);
    assert.match(failures.join("\n"), words, type);
  }
});

test("what cannot change in place replaces; a policy written otherwise is no change", async () => {
  const diff = async (type: string, olds: Props, news: Props) => engine.diff(urn(`aws:${type}`, "x"), olds, news);
  const renamed = await diff("s3/bucket:Bucket", { bucket: "a" }, { bucket: "b" });
  assert.deepEqual(renamed.replacesList, ["bucket"]);
  const locked = await diff("s3/bucket:Bucket", { bucket: "a" }, { bucket: "a", objectLockEnabled: true });
  assert.deepEqual([locked.replacesList, locked.deletebeforereplace], [["objectLockEnabled"], true]);
  const moved = await diff("sns/topic:Topic", { region: "eu-west-1" }, { region: "eu-central-1" });
  assert.deepEqual(moved.replacesList, ["region"]);
  const policy = { Version: "2012-10-17", Statement: [] };
  const same = await diff(
    "s3/bucketPolicy:BucketPolicy",
    { bucket: "a", policy: JSON.stringify(policy) },
    { bucket: "a", policy: JSON.stringify(policy, null, 2) },
  );
  assert.deepEqual(same.diffsList, []);
  const access = {
    roleArn: "r",
    accessConfig: { authenticationMode: "API", bootstrapClusterCreatorAdminPermissions: false },
  };
  const changed = await diff("eks/cluster:Cluster", access, {
    ...access,
    accessConfig: { ...access.accessConfig, bootstrapClusterCreatorAdminPermissions: true },
  });
  assert.deepEqual(changed.replacesList, ["accessConfig.bootstrapClusterCreatorAdminPermissions"]);
});

test("what the cloud computes within an input is not known before it is there, and stays afterwards", async () => {
  const cluster = urn("aws:eks/cluster:Cluster", "c");
  const inputs = { name: "c", roleArn: "arn:aws:iam::111122223333:role/x", vpcConfig: { subnetIds: ["a"] } };
  const before = await engine.create(cluster, inputs, true);
  assert.equal((before.outputs.vpcConfig as Props).clusterSecurityGroupId, UNKNOWN);
  const outputs = { ...inputs, vpcConfig: { subnetIds: ["a"], clusterSecurityGroupId: "sg-1", vpcId: "vpc-1" } };
  const after = await engine.update(cluster, "c", { inputs, outputs }, { ...inputs, version: "1.35" }, true);
  assert.deepEqual(after.vpcConfig, { clusterSecurityGroupId: "sg-1", vpcId: "vpc-1", subnetIds: ["a"] });
});

test("resources are made as the account's deployer, with the default tags, and refusals are worded", async () => {
  const { id, outputs } = await engine.create(bucket, { bucket: "b", region: "eu-central-1", tags: { a: "1" } });
  assert.equal(id, "id");
  assert.deepEqual(outputs.tagsAll, { stack: "it", a: "1" });
  assert.equal("__owner" in outputs, false);
  assert.equal(asked.at(-1)?.body.caller, "arn:aws:iam::111122223333:role/deployer");
  await assert.rejects(
    engine.create(bucket, { bucket: "taken" }),
    /creating my-bucket: .*StatusCode: 409, api error BucketAlreadyExists: not available/,
  );
  await assert.rejects(
    engine.create(urn("aws:rds/instance:Instance", "x"), {}),
    /the sandbox does not know aws:rds\/instance:Instance; add it to sandbox\/providers\/aws\/replacements.ts/,
  );
  const cluster = urn("aws:eks/cluster:Cluster", "c");
  await assert.rejects(engine.delete(cluster, "c", { deletionProtection: true }), /deletionProtection is on/);
});
