import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { SignJWT } from "jose";
import type { Props } from "../../lib/types";
import { refused } from "../testing";
import { ACCOUNT, awsControl, DEPLOYER, policy, REGION, roleArn, TRUST } from "./testing";

let aws: ReturnType<typeof awsControl>;
beforeEach(() => {
  aws = awsControl();
});
afterEach(() => aws.end());

const make = (type: string, inputs: Props, caller = DEPLOYER) =>
  aws.control.create(`aws:${type}`, "it", { region: REGION, ...inputs }, caller);
const drop = (type: string, id: string) => aws.control.delete(`aws:${type}`, id, DEPLOYER);
const trust = (service: string) =>
  policy({ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" });
const role = (name: string, assumeRolePolicy = TRUST) => make("iam/role:Role", { name, assumeRolePolicy });

test("roles and policies are refused as IAM refuses them", async () => {
  await role("one");
  await refused(role("one"), 409, /Role with name one already exists/);
  await refused(
    role("two", policy({ Effect: "Allow", Principal: { AWS: roleArn("nobody") }, Action: "sts:AssumeRole" })),
    400,
    /Invalid principal in policy: "AWS":".*role\/nobody"/,
  );
  await refused(
    make("iam/rolePolicy:RolePolicy", {
      name: "p",
      role: "none",
      policy: policy({ Effect: "Allow", Action: "s3:*", Resource: "*" }),
    }),
    404,
    /role with name none cannot be found/,
  );
  await refused(
    make("iam/rolePolicyAttachment:RolePolicyAttachment", {
      role: "one",
      policyArn: "arn:aws:iam::aws:policy/AmazonEverything",
    }),
    404,
    /does not exist or is not attachable/,
  );
  const attached = await make("iam/rolePolicyAttachment:RolePolicyAttachment", {
    role: "one",
    policyArn: "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy",
  });
  await refused(drop("iam/role:Role", "one"), 409, /must detach all policies first/);
  await drop("iam/rolePolicyAttachment:RolePolicyAttachment", attached.id);
  await drop("iam/role:Role", "one");
});

test("buckets have one name in the world, and settings that go together", async () => {
  await make("s3/bucket:Bucket", { bucket: "mine" });
  await refused(make("s3/bucket:Bucket", { bucket: "mine" }), 409, /you already own it/);
  await refused(
    make("s3/bucket:Bucket", { bucket: "mine" }, "arn:aws:iam::999999999999:role/deployer"),
    409,
    /not available/,
  );
  for (const name of ["A", "ab", "192.168.0.1", "a..b", "xn--a", "a-s3alias"])
    await refused(make("s3/bucket:Bucket", { bucket: name }), 400, /not valid/);
  const lock = { bucket: "mine", rule: { defaultRetention: { mode: "COMPLIANCE", days: 1 } } };
  await refused(
    make("s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration", lock),
    409,
    /Versioning must be 'Enabled'/,
  );
  const versioning = (bucket: string, status: string) =>
    make("s3/bucketVersioning:BucketVersioning", { bucket, versioningConfiguration: { status } });
  await versioning("mine", "Enabled");
  await make("s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration", lock);
  await refused(versioning("mine", "Suspended"), 409, /Object Lock configuration is present/);
  await refused(versioning("none", "Enabled"), 404, /bucket does not exist/);
  const wanted = (Resource: string, more: object = {}) =>
    make("s3/bucketPolicy:BucketPolicy", {
      bucket: "mine",
      policy: policy({ Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource, ...more }),
    });
  await refused(wanted("arn:aws:s3:::other/*"), 400, /invalid resource/);
  await make("s3/bucketPublicAccessBlock:BucketPublicAccessBlock", { bucket: "mine", blockPublicPolicy: true });
  await refused(wanted("arn:aws:s3:::mine/*"), 403, /BlockPublicPolicy/);
  await wanted("arn:aws:s3:::mine/*", { Condition: { IpAddress: { "aws:SourceIp": "203.0.113.0/24" } } });
});

test("a key keeps a policy under which it can be administered", async () => {
  const only = {
    Effect: "Allow",
    Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
    Action: "kms:Decrypt",
    Resource: "*",
  };
  await refused(make("kms/key:Key", { policy: policy(only) }), 400, /will not allow you to update the key policy/);
  const key = await make("kms/key:Key", { policy: policy({ ...only, Action: "kms:*" }) });
  await make("kms/alias:Alias", { name: "alias/one", targetKeyId: key.id });
  await refused(make("kms/alias:Alias", { name: "alias/two", targetKeyId: "none" }), 404, /does not exist/);
});

async function network() {
  const vpc = await make("ec2/vpc:Vpc", { cidrBlock: "10.0.0.0/16", enableDnsHostnames: true });
  const subnet = (cidrBlock: string, availabilityZone: string) =>
    make("ec2/subnet:Subnet", { vpcId: vpc.id, cidrBlock, availabilityZone });
  const [a, b] = [await subnet("10.0.0.0/24", `${REGION}a`), await subnet("10.0.1.0/24", `${REGION}b`)];
  return { vpc, subnet, subnetIds: [a.id, b.id] };
}

test("subnets lie in their network, apart from each other, in zones of its region; what is used stays", async () => {
  const { vpc, subnet, subnetIds } = await network();
  await refused(subnet("10.0.1.0/25", `${REGION}a`), 400, /conflicts with another subnet/);
  await refused(subnet("10.1.0.0/24", `${REGION}a`), 400, /CIDR '10.1.0.0\/24' is invalid/);
  await refused(subnet("10.0.2.0/24", "us-east-1a"), 400, /no zone of eu-west-1/);
  await refused(drop("ec2/vpc:Vpc", vpc.id), 400, /has dependencies/);
  const address = await make("ec2/eip:Eip", { domain: "vpc" });
  const nat = { subnetId: subnetIds[0], allocationId: address.id };
  await refused(make("ec2/natGateway:NatGateway", nat), 400, /no Internet gateway attached/);
  await make("ec2/internetGateway:InternetGateway", { vpcId: vpc.id });
  await make("ec2/natGateway:NatGateway", nat);
  await refused(make("ec2/natGateway:NatGateway", nat), 400, /already associated/);
  await refused(drop("ec2/subnet:Subnet", subnetIds[0] ?? ""), 400, /has dependencies/);
});

async function cluster(more: Props = {}) {
  const { subnetIds } = await network();
  await role("control", trust("eks.amazonaws.com"));
  const made = await make("eks/cluster:Cluster", {
    name: "c",
    roleArn: roleArn("control"),
    vpcConfig: { subnetIds },
    accessConfig: { authenticationMode: "API" },
    ...more,
  });
  return { ...made, subnetIds };
}

test("a cluster needs two zones, a role that EKS may take, a version that there is and ranges apart", async () => {
  const { subnetIds } = await network();
  const wanted = (change: Props) =>
    make("eks/cluster:Cluster", { name: "c", roleArn: roleArn("control"), vpcConfig: { subnetIds }, ...change });
  await refused(wanted({}), 400, /could not be found/);
  await role("machines", trust("ec2.amazonaws.com"));
  await refused(wanted({ roleArn: roleArn("machines") }), 400, /does not have a trust relationship with eks/);
  await role("control", trust("eks.amazonaws.com"));
  await refused(wanted({ vpcConfig: { subnetIds: subnetIds.slice(0, 1) } }), 400, /at least 2 different AZs/);
  await refused(wanted({ version: "1.12" }), 400, /unsupported Kubernetes version 1.12/);
  await refused(wanted({ kubernetesNetworkConfig: { serviceIpv4Cidr: "10.0.0.0/20" } }), 400, /overlaps the VPC/);
  const { outputs } = await wanted({ version: "1.34" });
  assert.match(JSON.stringify(outputs.identities), /https:\/\/oidc\.eks\.eu-west-1\.amazonaws\.com\/id\/[0-9A-F]{32}/);
  assert.equal(outputs.endpoint, "https://127.0.0.1:6443");
});

test("machines are spread over the zones of their subnets, and none are none", async () => {
  const { subnetIds } = await cluster();
  await role("machines", trust("ec2.amazonaws.com"));
  const group = (nodeGroupName: string, desiredSize: number, type = "m7i.xlarge") =>
    make("eks/nodeGroup:NodeGroup", {
      clusterName: "c",
      nodeGroupName,
      nodeRoleArn: roleArn("machines"),
      subnetIds,
      instanceTypes: [type],
      scalingConfig: { minSize: 0, maxSize: 3, desiredSize },
    });
  await group("three", 3);
  await group("none", 0);
  const arn = `arn:aws:eks:${REGION}:${ACCOUNT}:cluster/c`;
  const pool = aws.clusters.pools.get(`${arn}/three`);
  assert.deepEqual(
    [pool?.nodes, pool?.zones, pool?.cpu, pool?.memoryBytes],
    [3, [`${REGION}a`, `${REGION}b`], 4, 16 * 2 ** 30],
  );
  assert.equal(aws.clusters.pools.get(`${arn}/none`)?.nodes, 0);
  await refused(group("wrong", 1, "z9.huge"), 400, /do not exist: \[z9.huge\]/);
  await refused(drop("eks/cluster:Cluster", "c"), 409, /nodegroups attached/);
});

test("machines start when the key of their disks lets the scaling group's role in by itself", async () => {
  const { subnetIds } = await cluster();
  await role("machines", trust("ec2.amazonaws.com"));
  const root = { Effect: "Allow", Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: "kms:*", Resource: "*" };
  const scaling = {
    "aws:PrincipalArn": roleArn("aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"),
  };
  const group = async (name: string, desiredSize: number, ...statements: Props[]) => {
    const key = await make("kms/key:Key", { policy: policy(root, ...statements) });
    const template = await make("ec2/launchTemplate:LaunchTemplate", {
      name,
      blockDeviceMappings: [{ deviceName: "/dev/xvda", ebs: { encrypted: "true", kmsKeyId: key.outputs.arn } }],
    });
    return make("eks/nodeGroup:NodeGroup", {
      clusterName: "c",
      nodeGroupName: name,
      nodeRoleArn: roleArn("machines"),
      subnetIds,
      instanceTypes: ["m7i.xlarge"],
      scalingConfig: { minSize: 0, maxSize: 3, desiredSize },
      launchTemplate: { id: template.id, version: "1" },
    });
  };
  const byRoot = { ...root, Sid: "Machines", Condition: { ArnEquals: scaling } };
  const byItself = {
    ...byRoot,
    Principal: { AWS: "*" },
    Condition: { ArnEquals: scaling, StringEquals: { "kms:CallerAccount": ACCOUNT } },
  };
  const launch = /AWSServiceRoleForAutoScaling.* is not authorized to perform: kms:GenerateDataKeyWithoutPlaintext/;
  await refused(group("nobody", 1), 400, launch);
  await refused(group("root", 1, byRoot), 400, launch);
  await refused(
    group("no-grants", 1, { ...byItself, NotAction: "kms:CreateGrant", Action: undefined }),
    400,
    /CreateGrant/,
  );
  await group("none", 0);
  await group("itself", 1, byItself);
});

test("a pod takes the role that its account is associated with, as far as the role trusts it", async () => {
  const { outputs } = await cluster();
  const arn = String(outputs.arn);
  const issuer = (outputs.identities as { oidcs: { issuer: string }[] }[])[0]?.oidcs[0]?.issuer ?? "";
  const trusts = (account: string) =>
    policy({
      Effect: "Allow",
      Principal: { Service: "pods.eks.amazonaws.com" },
      Action: ["sts:AssumeRole", "sts:TagSession"],
      Condition: { StringEquals: { "aws:RequestTag/kubernetes-service-account": account } },
    });
  await role("copier", trusts("copier"));
  const of = { clusterName: "c", namespace: "ns", roleArn: roleArn("copier") };
  await make("eks/podIdentityAssociation:PodIdentityAssociation", { ...of, serviceAccount: "copier" });
  await refused(
    make("eks/podIdentityAssociation:PodIdentityAssociation", { ...of, serviceAccount: "copier" }),
    409,
    /already exists/,
  );
  await make("eks/podIdentityAssociation:PodIdentityAssociation", { ...of, serviceAccount: "other" });
  const token = (account: string, change: { issuer?: string; audience?: string } = {}) =>
    new SignJWT({ "kubernetes.io": { pod: { name: "p", uid: "u" } } })
      .setProtectedHeader({ alg: "RS256" })
      .setIssuer(change.issuer ?? issuer)
      .setAudience(change.audience ?? "pods.eks.amazonaws.com")
      .setSubject(`system:serviceaccount:ns:${account}`)
      .setExpirationTime("1h")
      .sign(aws.clusters.keys.privateKey);
  const take = async (account: string, change = {}) => aws.control.identities.ofPod(arn, await token(account, change));
  await refused(take("copier"), 503, /no add-on eks-pod-identity-agent/);
  await make("eks/addon:Addon", { clusterName: "c", addonName: "eks-pod-identity-agent" });
  const { caller } = await take("copier");
  assert.equal(caller.roleArn, roleArn("copier"));
  assert.equal(caller.tags["kubernetes-namespace"], "ns");
  await refused(take("other"), 403, /not authorized to perform: sts:AssumeRole/);
  await refused(take("nobody"), 404, /no association/);
  await refused(take("copier", { issuer: "https://oidc.example" }), 400, /cannot be used/);
  await refused(take("copier", { audience: "sts.amazonaws.com" }), 400, /cannot be used/);
});

test("a cluster's token takes a role by itself where the account trusts the issuer, for that subject and audience", async () => {
  const { outputs } = await cluster();
  const issuer = (outputs.identities as { oidcs: { issuer: string }[] }[])[0]?.oidcs[0]?.issuer ?? "";
  const provider = await make("iam/openIdConnectProvider:OpenIdConnectProvider", {
    url: issuer,
    clientIdLists: ["sts.amazonaws.com"],
  });
  const host = issuer.replace("https://", "");
  await role(
    "search",
    policy({
      Effect: "Allow",
      Principal: { Federated: provider.id },
      Action: "sts:AssumeRoleWithWebIdentity",
      Condition: {
        StringEquals: { [`${host}:sub`]: "system:serviceaccount:ns:search", [`${host}:aud`]: "sts.amazonaws.com" },
      },
    }),
  );
  const take = async (account: string, audience = "sts.amazonaws.com") => {
    const token = await new SignJWT({})
      .setProtectedHeader({ alg: "RS256" })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject(`system:serviceaccount:ns:${account}`)
      .setExpirationTime("1h")
      .sign(aws.clusters.keys.privateKey);
    return aws.control.identities.withToken(roleArn("search"), "s", token, 3600);
  };
  assert.equal((await take("search")).caller.roleArn, roleArn("search"));
  await refused(take("other"), 403, /Not authorized to perform sts:AssumeRoleWithWebIdentity/);
  await refused(take("search", "elsewhere"), 400, /Incorrect token audience/);
});

test("a role takes another one that trusts it by name, and no other", async () => {
  await role("first");
  await role("second", policy({ Effect: "Allow", Principal: { AWS: roleArn("first") }, Action: "sts:AssumeRole" }));
  await role(
    "third",
    policy({ Effect: "Allow", Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: "sts:AssumeRole" }),
  );
  const me = aws.control.caller(roleArn("first"), "s");
  assert.equal(aws.control.identities.assume(me, roleArn("second"), "s", 3600).caller.roleArn, roleArn("second"));
  assert.throws(
    () => aws.control.identities.assume(me, roleArn("third"), "s", 3600),
    /not authorized to perform: sts:AssumeRole/,
  );
  await make("iam/rolePolicy:RolePolicy", {
    name: "p",
    role: "first",
    policy: policy({ Effect: "Allow", Action: "sts:AssumeRole", Resource: roleArn("third") }),
  });
  assert.equal(aws.control.identities.assume(me, roleArn("third"), "s", 3600).caller.roleArn, roleArn("third"));
});

test("a role that asks for an external id is taken with that one only", async () => {
  await role("asking");
  await role(
    "asked",
    policy({
      Effect: "Allow",
      Principal: { AWS: roleArn("asking") },
      Action: "sts:AssumeRole",
      Condition: { StringEquals: { "sts:ExternalId": "4711" } },
    }),
  );
  const me = aws.control.caller(roleArn("asking"), "s");
  const take = (id?: string) => aws.control.identities.assume(me, roleArn("asked"), "s", 3600, id).caller.roleArn;
  assert.equal(take("4711"), roleArn("asked"));
  for (const id of [undefined, "", "4712"]) assert.throws(() => take(id), /not authorized to perform: sts:AssumeRole/);
});

test("a role of another account is taken by whom its trust and their own policy name", async () => {
  const theirs = "arn:aws:iam::444455556666:role/theirs";
  const owner = "arn:aws:iam::444455556666:role/deployer";
  const trust = policy({
    Effect: "Allow",
    Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
    Action: ["sts:AssumeRole", "sts:TagSession"],
    Condition: { ArnEquals: { "aws:PrincipalArn": roleArn("abroad") } },
  });
  await aws.control.create("aws:iam/role:Role", "t", { name: "theirs", assumeRolePolicy: trust }, owner);
  const take = (name: string) => {
    const tags = { "kubernetes-namespace": "services" };
    const caller = { ...aws.control.caller(roleArn(name), "s"), tags };
    return aws.control.identities.assume(caller, theirs, "s", 3600).caller;
  };
  const actions = ["sts:AssumeRole", "sts:TagSession"];
  const grant = (name: string, Action: string[]) =>
    make("iam/rolePolicy:RolePolicy", {
      name: "p",
      role: name,
      policy: policy({ Effect: "Allow", Action, Resource: theirs }),
    });
  for (const name of ["abroad", "stranger"]) await role(name);
  assert.throws(() => take("abroad"), /not authorized to perform: sts:AssumeRole/, "without a policy of its own");
  await grant("stranger", actions);
  assert.throws(() => take("stranger"), /not authorized to perform: sts:AssumeRole/, "whom the trust does not name");
  await grant("abroad", actions);
  assert.equal(take("abroad").account, "444455556666");
});

test("a session with tags takes a role that lets both sides tag it, as a pod's does", async () => {
  const principal = { Effect: "Allow", Principal: { AWS: roleArn("tagged") } };
  await role("tagged");
  const tagged = { ...aws.control.caller(roleArn("tagged"), "s"), tags: { "kubernetes-namespace": "services" } };
  await role("untagging", policy({ ...principal, Action: "sts:AssumeRole" }));
  await role("tagging", policy({ ...principal, Action: ["sts:AssumeRole", "sts:TagSession"] }));
  const take = (name: string) => aws.control.identities.assume(tagged, roleArn(name), "s", 3600).caller;
  assert.throws(() => take("untagging"), /not authorized to perform: sts:TagSession/);
  assert.equal(take("tagging").tags["kubernetes-namespace"], "services");
});

test("a cluster's token is for whom an entry names, and for that cluster", async () => {
  await cluster({ accessConfig: { authenticationMode: "API", bootstrapClusterCreatorAdminPermissions: false } });
  const arn = `arn:aws:eks:${REGION}:${ACCOUNT}:cluster/c`;
  await role("admin");
  const enter = async (name = "c") =>
    aws.control.identities.inCluster(arn, await aws.control.clusterToken(name, REGION, roleArn("admin")));
  await refused(enter(), 401, /nobody who has access/);
  await make("eks/accessEntry:AccessEntry", {
    clusterName: "c",
    principalArn: roleArn("admin"),
    kubernetesGroups: ["people"],
  });
  const entered = await enter();
  assert.match(entered.username, /assumed-role\/admin/);
  assert.deepEqual(entered.groups, ["people", "system:authenticated"]);
  await assert.rejects(enter("other"), /signature/);
  await refused(
    make("eks/accessEntry:AccessEntry", { clusterName: "c", principalArn: roleArn("ghost") }),
    400,
    /invalid principal/,
  );
});

test("records: one routing policy for a name, checks that there are, no CNAME beside others", async () => {
  const { id: zoneId } = await make("route53/zone:Zone", { name: "app.example.com" });
  const record = (inputs: Props) =>
    make("route53/record:Record", {
      zoneId,
      name: "app.example.com",
      type: "A",
      ttl: 60,
      records: ["192.0.2.1"],
      ...inputs,
    });
  await refused(
    record({ failoverRoutingPolicies: [{ type: "PRIMARY" }], setIdentifier: "p" }),
    400,
    /needs a health check/,
  );
  await refused(
    record({ failoverRoutingPolicies: [{ type: "PRIMARY" }], setIdentifier: "p", healthCheckId: "none" }),
    404,
    /No health check exists/,
  );
  const check = await make("route53/healthCheck:HealthCheck", { type: "TCP", ipAddress: "192.0.2.1", port: 443 });
  await record({ failoverRoutingPolicies: [{ type: "PRIMARY" }], setIdentifier: "p", healthCheckId: check.id });
  await refused(record({}), 400, /another routing policy exists/);
  await refused(record({ type: "CNAME", records: ["other.example.com"] }), 400, /CNAME/);
  await refused(record({ name: "x", records: ["not-an-address"] }), 400, /IllegalIPv4Address/);
  await make("route53/healthCheck:HealthCheck", {
    type: "CALCULATED",
    childHealthchecks: [check.id],
    childHealthThreshold: 1,
  });
  await refused(drop("route53/healthCheck:HealthCheck", check.id), 400, /in use by a calculated/);
  await refused(drop("route53/zone:Zone", zoneId), 400, /non-required resource record sets/);
  const zone = aws.control.zones((id) => id !== check.id)[0];
  assert.deepEqual(
    zone?.answer("app.example.com", "A")?.map(({ value }) => value),
    ["192.0.2.1"],
  );
  assert.equal(zone?.answer("none.app.example.com", "A"), undefined);
});

test("a certificate is issued once its records are in a zone, and a listener takes no other", async () => {
  const { id: zoneId } = await make("route53/zone:Zone", { name: "app.example.com" });
  const { id, outputs } = await make("acm/certificate:Certificate", {
    domainName: "app.example.com",
    validationMethod: "DNS",
  });
  const validate = () => make("acm/certificateValidation:CertificateValidation", { certificateArn: id });
  await refused(validate(), 400, /timeout while waiting/);
  const [option] = outputs.domainValidationOptions as { resourceRecordName: string; resourceRecordValue: string }[];
  await make("route53/record:Record", {
    zoneId,
    name: option?.resourceRecordName,
    type: "CNAME",
    ttl: 300,
    records: [option?.resourceRecordValue],
  });
  await validate();
  assert.equal((await aws.control.read("aws:acm/certificate:Certificate", id))?.outputs.status, "ISSUED");
});

test("functions: who calls, zones, policies and objects", async () => {
  const call = (token: string, args: Props = {}) =>
    aws.control.invoke(`aws:${token}`, { region: REGION, ...args }, DEPLOYER);
  assert.equal((await call("index/getCallerIdentity:getCallerIdentity")).accountId, ACCOUNT);
  assert.deepEqual(
    (await call("index/getAvailabilityZones:getAvailabilityZones")).names,
    ["a", "b", "c"].map((each) => REGION + each),
  );
  const { json } = await call("iam/getPolicyDocument:getPolicyDocument", {
    statements: [{ actions: ["s3:GetObject"], resources: ["*"], principals: [{ type: "*", identifiers: ["*"] }] }],
  });
  assert.deepEqual(JSON.parse(String(json)).Statement, [
    { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: "*" },
  ]);
  await refused(call("s3/getObject:getObject", { bucket: "none", key: "a" }), 404, /bucket does not exist/);
  await refused(call("ec2/getAmi:getAmi"), 400, /does not know the function aws:ec2\/getAmi:getAmi/);
});
