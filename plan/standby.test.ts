/** The standby's facts, and what its identities and buckets let anybody do. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { firstAddress, rangesOf, regionCapacity } from "./addresses";
import {
  dnsDetectionSeconds,
  dnsFailoverLimit,
  dnsFailoverSeconds,
  healthCheckers,
  searchString,
  servers,
  trafficContent,
} from "./failover";
import { allowed, identities } from "./identities";
import { isDrillProject } from "./names";
import { objectives } from "./objectives";
import { retention } from "./retention";
import {
  bucketPolicy,
  identityPolicy,
  identityRoleArn,
  lockedStores,
  neverAllowed,
  objectActions,
  type PolicyDocument,
  rolesAllowed,
  type S3Store,
  type Statement,
  s3Stores,
} from "./s3-permissions";
import { schedules } from "./schedules";
import {
  maxActivations,
  standbyBackups,
  standbyBuckets,
  standbyLateSeconds,
  standbyRanges,
  standbySchedules,
  standbyZones,
} from "./standby";

const ACCOUNT = "123456789012";
const DEPLOYER = `arn:aws:iam::${ACCOUNT}:role/deployer`;
const PREVIEWER = `arn:aws:iam::${ACCOUNT}:role/previewer`;

/** First and last address of a range. */
function span(cidr: string): [number, number] {
  const [address, bits] = cidr.split("/") as [string, string];
  const first = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  return [first, first + 2 ** (32 - Number(bits)) - 1];
}

test("no range of the standby meets another of its own or of any region", () => {
  const { network, services } = standbyRanges;
  const subnets = [...standbyRanges.private, ...standbyRanges.public];
  const google = Array.from({ length: regionCapacity }, (_, index) => Object.values(rangesOf(index))).flat();
  for (const all of [[network, services, ...google], subnets]) {
    const spans = all.map(span).sort((a, b) => a[0] - b[0]);
    for (const [index, [first, last]] of spans.entries()) {
      assert.equal(first % (last - first + 1), 0);
      assert.ok(index === 0 || first > spans[index - 1]![1]);
    }
  }
  const [first, last] = span(network);
  for (const [from, to] of subnets.map(span)) assert.ok(from >= first && to <= last);
  for (const list of [standbyRanges.private, standbyRanges.public]) assert.equal(list.length, standbyZones.length);
});

test("the API server's Service has the first address of the Services", () => {
  assert.equal(firstAddress(standbyRanges.services), "10.161.0.1");
  assert.equal(firstAddress("10.4.16.0/20"), "10.4.16.1");
});

test("buckets have names of their own; a drill's are a drill's", () => {
  for (const buckets of [standbyBuckets(), standbyBuckets("iconik-drill-standby-", "iconik-drill-")]) {
    const names = [
      ...Object.values(buckets).flatMap((each) => (typeof each === "string" ? [each] : [])),
      ...buckets.media.flatMap(({ copies, live }) => [copies, live]),
    ];
    assert.equal(new Set(names).size, 11);
    for (const name of names) assert.match(name, /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/);
  }
  assert.deepEqual(
    standbyBuckets().media.map(({ name, secondary, copies }) => [name, secondary, copies]),
    ["files", "keyframes", "proxies"].map((kind) => [
      `iconik-${kind}`,
      `iconik-${kind}-secondary`,
      `iconik-standby-${kind}-copies`,
    ]),
  );
  assert.ok(standbyBuckets("iconik-drill-standby-", "iconik-drill-").media.every(({ live }) => isDrillProject(live)));
});

test("an activation has a bucket of its own, and the first one's name is what it was", () => {
  assert.deepEqual(standbyBackups(1), ["iconik-standby-backups"]);
  assert.deepEqual(standbyBackups(3), [
    "iconik-standby-backups",
    "iconik-standby-backups-2",
    "iconik-standby-backups-3",
  ]);
  const drill = ["iconik-drill-standby-", "iconik-drill-"] as const;
  assert.equal(standbyBuckets(...drill, 2).backups, "iconik-drill-standby-backups-2");
  assert.deepEqual(standbyBuckets(...drill, 1), standbyBuckets(...drill));
  const { backups, ...others } = standbyBuckets();
  const { backups: next, ...same } = standbyBuckets(undefined, undefined, 2);
  assert.deepEqual([backups, next], standbyBackups(2));
  assert.deepEqual(same, others);
});

/** Minutes after midnight at which a nightly schedule starts. */
const start = (cron: string) => {
  const [minute, hour] = cron.split(" ").map(Number);
  return hour! * 60 + minute!;
};

test("the standby pulls when replication has ended, and a late copy is noticed before D4's bound is passed", () => {
  const replicated = start(schedules.replication.cron) + schedules.replication.activeDeadlineSeconds / 60;
  assert.ok(start(standbySchedules.copies.cron) >= replicated);
  // The oldest data that the newest copy can have when the alarm fires: its backup began that much before the copy.
  const before = (start(standbySchedules.copies.cron) - start(schedules.cassandraSnapshot.cron)) * 60;
  assert.ok(standbyLateSeconds + before <= objectives.D4.rpoSeconds);
});

test("DNS turns within its bound, which is a small part of D4's time", () => {
  assert.equal(dnsDetectionSeconds(), 44);
  assert.ok(dnsFailoverSeconds() <= dnsFailoverLimit);
  assert.ok(dnsFailoverLimit * 20 <= objectives.D4.rtoSeconds);
});

test("the object that says who serves means one of them", () => {
  for (const serves of servers)
    for (const other of servers)
      assert.equal(trafficContent(serves).includes(searchString(other)), serves === other, `${serves} ${other}`);
  // S3 calls a policy public that names a range wider than /8.
  for (const range of healthCheckers) assert.ok(Number(range.split("/")[1]) >= 18, range);
});

const buckets: Record<S3Store, string[]> = {
  s3Copies: ["copies"],
  s3MediaCopies: ["files-copies", "proxies-copies"],
  s3Backups: ["backups", "backups-2"],
  s3Media: ["files"],
  s3States: ["states"],
};
const rolesOnAws = identities.filter(({ home }) => home === "aws").map(({ id }) => id);
const list = (value: Statement["Action"] | Statement["Resource"]) => [value ?? []].flat() as string[];
const grants = (policy: PolicyDocument | undefined) =>
  (policy?.Statement ?? []).flatMap(({ Action, Resource }) =>
    list(Action).flatMap((action) => list(Resource).map((resource) => `${action} ${resource}`)),
  );

test("a role has its cells and nothing else, and never what ends a version", () => {
  for (const id of rolesOnAws) {
    const expected = s3Stores.flatMap((store) =>
      buckets[store].flatMap((bucket) =>
        allowed(id, store).flatMap((action) =>
          action === "list"
            ? [`s3:ListBucket arn:aws:s3:::${bucket}`]
            : objectActions[action].map((each) => `${each} arn:aws:s3:::${bucket}/*`),
        ),
      ),
    );
    const found = grants(identityPolicy(id, buckets));
    assert.deepEqual(found.sort(), expected.sort(), id);
    for (const each of found) {
      assert.doesNotMatch(each, /\*(?!$)|s3:\*/);
      assert.ok(!neverAllowed.some((action) => each.startsWith(`${action} `)), each);
    }
  }
  assert.equal(identityPolicy("cassandra-backup", buckets), undefined);
});

test("a row has the same cells on the buckets of every activation", () => {
  for (const id of rolesOnAws) {
    const of = (bucket: string) =>
      grants(identityPolicy(id, buckets)).filter((each) => new RegExp(`:::${bucket}(/|$)`).test(each));
    assert.deepEqual(
      of("backups-2").map((each) => each.replace("backups-2", "backups")),
      of("backups"),
      id,
    );
  }
  const restorer = grants(identityPolicy("standby-restorer", buckets));
  assert.ok(restorer.includes("s3:PutObject arn:aws:s3:::backups-2/*"));
});

test("the copier adds to the copies and marks media as removed; the restorer reads the copies alone", () => {
  const copier = grants(identityPolicy("standby-copier", buckets));
  assert.ok(copier.includes("s3:DeleteObject arn:aws:s3:::files-copies/*"));
  assert.ok(!copier.some((each) => /Delete.*:::copies|backups|states|:::files\//.test(each)));
  assert.ok(!grants(identityPolicy("standby-restorer", buckets)).some((each) => /Put.*:::copies|Delete/.test(each)));
  assert.throws(() => identityRoleArn(ACCOUNT, "backup-replicator"), /lives in vault: it has no role on AWS/);
});

/** Does a bucket's policy refuse this? Knows what the generated documents use. */
function refused(
  { Statement: statements }: PolicyDocument,
  action: string,
  resource: string,
  who: { arn: string; service?: boolean; tls?: boolean },
): boolean {
  return statements.some((statement) => {
    const { Effect, Action, Resource, NotResource, Condition = {} } = statement;
    const matches = (pattern: string, value: string) =>
      pattern.endsWith("*") ? value.startsWith(pattern.slice(0, -1)) : pattern === value;
    const about =
      Effect === "Deny" &&
      list(Action).some((pattern) => matches(pattern, action)) &&
      (NotResource === undefined
        ? list(Resource).some((pattern) => matches(pattern, resource))
        : !matches(NotResource, resource));
    const { ArnNotEquals, Bool, NumericLessThan } = Condition;
    const roles = ArnNotEquals?.["aws:PrincipalArn"];
    return (
      about &&
      !NumericLessThan &&
      (roles === undefined || !roles.includes(who.arn)) &&
      (Bool?.["aws:SecureTransport"] === undefined || who.tls === false) &&
      (Bool?.["aws:PrincipalIsAWSService"] === undefined || !who.service)
    );
  });
}

test("a bucket refuses whatever the matrix does not say, whoever asks", () => {
  const somebody = fc.constantFrom(
    ...rolesOnAws.map((id) => identityRoleArn(ACCOUNT, id)),
    DEPLOYER,
    PREVIEWER,
    "arn:admin",
  );
  const store = fc.constantFrom(...s3Stores);
  const action = fc.constantFrom("create", "get", "list", "delete" as const);
  fc.assert(
    fc.property(store, action, somebody, (of, does, arn) => {
      const policy = bucketPolicy({
        account: ACCOUNT,
        bucket: "b",
        store: of,
        deployer: DEPLOYER,
        previewers: [PREVIEWER],
        site: "prod",
        emptiable: false,
      });
      const called = does === "list" ? "s3:ListBucket" : objectActions[does][0]!;
      const resource = does === "list" ? "arn:aws:s3:::b" : "arn:aws:s3:::b/x";
      const may = rolesAllowed(of, does).some((id) => identityRoleArn(ACCOUNT, id) === arn);
      // The provider reads a bucket by HeadBucket, which needs the right to list it.
      const looksUp = does === "list" && [DEPLOYER, PREVIEWER].includes(arn);
      assert.equal(refused(policy, called, resource, { arn }), !(may || looksUp), `${of} ${does} ${arn}`);
      for (const never of neverAllowed) assert.ok(refused(policy, never, "arn:aws:s3:::b/x", { arn }), never);
      assert.ok(refused(policy, called, resource, { arn, tls: false }));
    }),
  );
});

test("deployers read markers of the site alone; S3's own lifecycle is nobody's request; a drill's bucket can be emptied", () => {
  const args = {
    account: ACCOUNT,
    bucket: "b",
    store: "s3Copies" as const,
    deployer: DEPLOYER,
    previewers: [PREVIEWER],
    site: "prod",
  };
  const policy = bucketPolicy({ ...args, emptiable: false });
  const get = (key: string, arn = DEPLOYER) => refused(policy, "s3:GetObject", `arn:aws:s3:::b/${key}`, { arn });
  assert.ok(!get("markers/prod/copy-20260101t000000z.json"));
  assert.ok(!get("markers/prod/copy-20260101t000000z.json", PREVIEWER));
  const sets = (arn: string) => !refused(policy, "s3:PutBucketPolicy", "arn:aws:s3:::b", { arn });
  assert.deepEqual([DEPLOYER, PREVIEWER, "arn:admin"].map(sets), [true, false, false]);
  assert.ok(get("markers/other/x") && get("prod/cassandra/x") && get("markers/prod/x", "arn:admin"));
  assert.ok(!refused(policy, "s3:DeleteObject", "arn:aws:s3:::b/x", { arn: "s3", service: true }));
  assert.ok(refused(policy, "s3:DeleteObject", "arn:aws:s3:::b/x", { arn: DEPLOYER }));
  const drill = bucketPolicy({ ...args, emptiable: true });
  assert.ok(!refused(drill, "s3:DeleteObjectVersion", "arn:aws:s3:::b/x", { arn: DEPLOYER }));
  assert.ok(refused(drill, "s3:DeleteObjectVersion", "arn:aws:s3:::b/x", { arn: "arn:admin" }));
});

test("a policy fits into S3's 20 KB and a role's into IAM's 10 KB, with the plan's own names and every activation's", () => {
  const names = standbyBuckets();
  const all: Record<S3Store, string[]> = {
    s3Copies: [names.copies],
    s3MediaCopies: names.media.map(({ copies }) => copies),
    s3Backups: standbyBackups(maxActivations),
    s3Media: names.media.map(({ live }) => live),
    s3States: [names.states],
  };
  for (const id of rolesOnAws) assert.ok(JSON.stringify(identityPolicy(id, all)).length < 10_240);
  for (const store of s3Stores) {
    const args = {
      account: ACCOUNT,
      bucket: all[store][0]!,
      store,
      deployer: DEPLOYER,
      previewers: [PREVIEWER],
      site: "prod",
    };
    assert.ok(JSON.stringify(bucketPolicy({ ...args, emptiable: false })).length < 20_480);
  }
  assert.deepEqual(lockedStores, ["s3Copies", "s3MediaCopies"]);
  assert.ok(retention.s3CopiesDays >= retention.copiesDays && retention.s3MediaDays >= retention.mediaAfterRemovalDays);
});
