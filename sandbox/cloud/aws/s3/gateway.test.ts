import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { bucketPolicy } from "../../../../plan/s3-permissions";
import { folderOf } from "../../../toolchain/cache";
import { python } from "../../../toolchain/python";
import type { Credentials } from "../sessions";
import { ACCOUNT, client, policy, rcloneEnv, roleArn, startAws } from "../testing";

const rclone = join(folderOf(python), "bin/rclone");
const run = promisify(execFile);

let aws: Awaited<ReturnType<typeof startAws>>;
before(async () => {
  aws = await startAws();
});
after(() => aws.end());

const on = (bucket: string, ...actions: string[]) => ({
  Effect: "Allow",
  Action: actions.map((action) => `s3:${action}`),
  Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`],
});

async function ask(credentials: Credentials, method: string, path: string, init: RequestInit = {}) {
  const response = await client(credentials).fetch(`${aws.gateway.plainEndpoint}${path}`, { method, ...init });
  const body = await response.text();
  return { status: response.status, body, headers: response.headers, code: /<Code>(\w+)<\/Code>/.exec(body)?.[1] };
}

/** A body with its MD5, which S3 wants of what gets a lock. */
const summed = (body: string, headers = {}) => ({
  body,
  headers: { ...headers, "content-md5": createHash("md5").update(body).digest("base64") },
});

test("rclone copies to a bucket and back with a role's credentials, in one part and in several", async () => {
  await aws.create("aws:s3/bucket:Bucket", { bucket: "copies" });
  const writer = await aws.role("writer", on("copies", "PutObject", "GetObject", "ListBucket", "AbortMultipartUpload"));
  const folder = mkdtempSync(join(tmpdir(), "s3-"));
  mkdirSync(join(folder, "a b"));
  writeFileSync(join(folder, "a b", "small+1%.txt"), "small");
  writeFileSync(join(folder, "large"), Buffer.alloc(12 << 20, 7));
  const env = rcloneEnv(aws.gateway.endpoint, aws.caFile, writer);
  const parts = ["--s3-upload-cutoff", "6M", "--s3-chunk-size", "5M"];
  await run(rclone, ["copy", folder, ":s3:copies/night", "--checksum", ...parts], { env });
  await run(rclone, ["check", folder, ":s3:copies/night", "--download"], { env });
  await run(rclone, ["copy", ":s3:copies/night", `${folder}/back`], { env });
  assert.equal(readFileSync(join(folder, "back", "a b", "small+1%.txt"), "utf8"), "small");
  await assert.rejects(run(rclone, ["deletefile", ":s3:copies/night/large"], { env }), /AccessDenied|Forbidden|403/);
  rmSync(folder, { recursive: true });
});

test("a signature that is wrong, old or of nobody is refused", async () => {
  await aws.create("aws:s3/bucket:Bucket", { bucket: "signed" });
  const reader = await aws.role("signer", on("signed", "ListBucket"));
  assert.equal((await ask(reader, "GET", "/signed?list-type=2")).status, 200);
  assert.equal((await ask({ ...reader, secretAccessKey: "other" }, "GET", "/signed")).code, "SignatureDoesNotMatch");
  assert.equal((await ask({ ...reader, accessKeyId: "AKIANOBODY" }, "GET", "/signed")).code, "InvalidAccessKeyId");
  assert.equal((await ask({ ...reader, sessionToken: "other" }, "GET", "/signed")).code, "InvalidToken");
  assert.equal((await fetch(`${aws.gateway.plainEndpoint}/signed`)).status, 403);
  const elsewhere = await client(reader, "us-east-1").fetch(`${aws.gateway.plainEndpoint}/signed`);
  assert.match(await elsewhere.text(), /AuthorizationHeaderMalformed.*expecting &apos;eu-west-1/s);
  const datetime = new Date(Date.now() - 20 * 60_000).toISOString().replace(/[:-]|\.\d{3}/g, "");
  const old = await client(reader).fetch(`${aws.gateway.plainEndpoint}/signed`, { aws: { datetime } });
  assert.match(await old.text(), /RequestTimeTooSkewed/);
  const caller = aws.control.caller(roleArn("signer"), "test");
  assert.equal((await ask(aws.control.sessions.issue(caller, -1), "GET", "/signed")).code, "InvalidAccessKeyId");
});

test("what no policy allows is refused, and what one denies whatever allows it", async () => {
  await aws.create("aws:s3/bucket:Bucket", { bucket: "own" });
  const [writer, reader, nobody] = [
    await aws.role("own-writer", on("own", "PutObject")),
    await aws.role("own-reader", on("own", "GetObject")),
    await aws.role("own-nobody"),
  ];
  const put = (who: Credentials, key: string) => ask(who, "PUT", `/own/${key}`, { body: "1" });
  assert.equal((await put(writer, "kept/a")).status, 200);
  assert.equal((await put(reader, "kept/b")).code, "AccessDenied");
  assert.match(
    (await put(nobody, "kept/b")).body,
    /assumed-role\/own-nobody\/test is not authorized to perform: s3:PutObject on resource: .*own\/kept\/b/,
  );
  assert.equal((await ask(reader, "GET", "/own/kept/a")).body, "1");
  assert.equal((await ask(writer, "GET", "/own/kept/a")).code, "AccessDenied");
  // Whoever may not list is not told that a key is absent.
  assert.equal((await ask(reader, "GET", "/own/absent")).code, "AccessDenied");
  assert.equal((await ask(reader, "GET", "/elsewhere/a")).code, "NoSuchBucket");
  await aws.create("aws:s3/bucketPolicy:BucketPolicy", {
    bucket: "own",
    policy: policy(
      { Effect: "Deny", Principal: "*", Action: "s3:PutObject", Resource: "arn:aws:s3:::own/kept/*" },
      {
        Effect: "Allow",
        Principal: { AWS: roleArn("own-nobody") },
        Action: "s3:GetObject",
        Resource: "arn:aws:s3:::own/*",
      },
    ),
  });
  assert.match((await put(writer, "kept/c")).body, /explicit deny in a resource-based policy/);
  assert.equal((await put(writer, "new/c")).status, 200);
  assert.equal((await ask(nobody, "GET", "/own/kept/a")).body, "1");
  // A role that is made again under the same name is another one.
  await aws.control.delete("aws:iam/role:Role", "own-nobody", "deployer");
  const again = await aws.role("own-nobody");
  assert.equal((await ask(again, "GET", "/own/kept/a")).code, "AccessDenied");
});

test("versions stay until somebody may delete them; locks bind by the sandbox's clock, administrators too", async () => {
  await aws.create("aws:s3/bucket:Bucket", { bucket: "locked", objectLockEnabled: true });
  await aws.create("aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration", {
    bucket: "locked",
    rule: { defaultRetention: { mode: "COMPLIANCE", days: 30 } },
  });
  const all = await aws.role("locked-all", on("locked", "*"));
  const copier = await aws.role("locked-copier", on("locked", "PutObject", "GetObject", "ListBucket", "DeleteObject"));
  const first = await ask(copier, "PUT", "/locked/a", summed("first"));
  const version = first.headers.get("x-amz-version-id") ?? "";
  await ask(copier, "PUT", "/locked/a", summed("second"));
  assert.equal((await ask(copier, "DELETE", "/locked/a")).status, 204);
  assert.equal((await ask(copier, "GET", "/locked/a")).code, "NoSuchKey");
  const old = `/locked/a?versionId=${version}`;
  assert.equal((await ask(all, "GET", old)).body, "first");
  assert.match((await ask(copier, "DELETE", old)).body, /s3:DeleteObjectVersion/);
  const bypass = { headers: { "x-amz-bypass-governance-retention": "true" } };
  assert.match((await ask(all, "DELETE", old, bypass)).body, /protected by object lock/);
  const head = await ask(all, "HEAD", old);
  assert.equal(head.headers.get("x-amz-object-lock-mode"), "COMPLIANCE");
  const retention = await ask(all, "GET", `${old}&retention`);
  assert.match(retention.body, /<Mode>COMPLIANCE<\/Mode>/);
  const shorter = `<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>${new Date(Date.now() + 60_000).toISOString()}</RetainUntilDate></Retention>`;
  assert.equal((await ask(all, "PUT", `${old}&retention`, { body: shorter })).code, "AccessDenied");
  assert.equal((await ask(copier, "PUT", `${old}&retention`, { body: shorter })).code, "AccessDenied");
  const many = `<Delete><Object><Key>a</Key><VersionId>${version}</VersionId></Object><Object><Key>b</Key></Object></Delete>`;
  const answer = await ask(all, "POST", "/locked?delete", { body: many });
  assert.match(answer.body, /<Deleted><Key>b<\/Key>.*<Error><Key>a<\/Key>.*<Code>AccessDenied<\/Code>/s);
  assert.match((await ask(all, "GET", "/locked?object-lock")).body, /COMPLIANCE<\/Mode><Days>30/);
  await assert.rejects(aws.control.delete("aws:s3/bucket:Bucket", "locked", "deployer"), /not empty/);
  aws.control.ahead = 31 * 86_400_000;
  assert.equal((await ask(all, "DELETE", old)).status, 204);
  aws.control.ahead = 0;
  assert.equal((await ask(all, "GET", old)).status, 404);
});

test("a lock of mode GOVERNANCE is lifted by whoever may, and only when asked to", async () => {
  await aws.create("aws:s3/bucket:Bucket", { bucket: "governed", objectLockEnabled: true });
  const all = await aws.role("governed-all", on("governed", "*"));
  const most = await aws.role(
    "governed-most",
    on("governed", "PutObject", "PutObjectRetention", "DeleteObjectVersion", "GetObject*"),
  );
  const lock = {
    "x-amz-object-lock-mode": "GOVERNANCE",
    "x-amz-object-lock-retain-until-date": new Date(Date.now() + 3600_000).toISOString(),
  };
  const made = await ask(most, "PUT", "/governed/a", summed("1", lock));
  const path = `/governed/a?versionId=${made.headers.get("x-amz-version-id")}`;
  const bypass = { headers: { "x-amz-bypass-governance-retention": "true" } };
  assert.equal((await ask(most, "DELETE", path, bypass)).code, "AccessDenied");
  assert.equal((await ask(all, "DELETE", path)).code, "AccessDenied");
  assert.equal((await ask(all, "DELETE", path, bypass)).status, 204);
  assert.equal((await ask(most, "PUT", "/own/a", { body: "1", headers: lock })).code, "AccessDenied");
});

test("objects under a key need the key as well, which its own policy gives", async () => {
  const key = await aws.create("aws:kms/key:Key", {
    policy: policy(
      { Effect: "Allow", Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: "kms:*", Resource: "*" },
      {
        Effect: "Deny",
        Principal: "*",
        Action: "kms:Decrypt",
        Resource: "*",
        Condition: { StringNotEquals: { "kms:ViaService": "s3.eu-west-1.amazonaws.com" } },
      },
    ),
  });
  await aws.create("aws:s3/bucket:Bucket", { bucket: "keyed" });
  await aws.create("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration", {
    bucket: "keyed",
    rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: key.outputs.arn } }],
  });
  const without = await aws.role("keyed-without", on("keyed", "*"));
  const within = await aws.role("keyed-with", on("keyed", "*"), {
    Effect: "Allow",
    Action: ["kms:GenerateDataKey", "kms:Decrypt"],
    Resource: key.outputs.arn,
  });
  assert.match((await ask(without, "PUT", "/keyed/a", { body: "1" })).body, /kms:GenerateDataKey/);
  const written = await ask(within, "PUT", "/keyed/a", { body: "1" });
  assert.equal(written.headers.get("x-amz-server-side-encryption-aws-kms-key-id"), key.outputs.arn);
  assert.equal((await ask(within, "GET", "/keyed/a")).body, "1");
  assert.match((await ask(without, "GET", "/keyed/a")).body, /kms:Decrypt/);
});

test("a bucket that wants TLS refuses whoever comes without", async () => {
  await aws.create("aws:s3/bucket:Bucket", { bucket: "encrypted" });
  const all = await aws.role("encrypted-all", on("encrypted", "*"));
  const insecure = { Bool: { "aws:SecureTransport": "false" } };
  const resources = ["arn:aws:s3:::encrypted", "arn:aws:s3:::encrypted/*"];
  await aws.create("aws:s3/bucketPolicy:BucketPolicy", {
    bucket: "encrypted",
    policy: policy({ Effect: "Deny", Principal: "*", Action: "s3:*", Resource: resources, Condition: insecure }),
  });
  assert.match((await ask(all, "PUT", "/encrypted/a", { body: "1" })).body, /explicit deny/);
  const env = rcloneEnv(aws.gateway.endpoint, aws.caFile, all);
  await run(rclone, ["touch", ":s3:encrypted/a"], { env });
  assert.match((await run(rclone, ["lsf", ":s3:encrypted"], { env })).stdout, /^a$/m);
});

test("a body in signed chunks arrives without its frames", async () => {
  await aws.create("aws:s3/bucket:Bucket", { bucket: "chunks" });
  const writer = await aws.role("chunks-writer", on("chunks", "*"));
  const put = (key: string, ...chunks: string[]) =>
    ask(writer, "PUT", `/chunks/${key}`, {
      body: [...chunks, ""]
        .map((each) => `${each.length.toString(16)};chunk-signature=${"0".repeat(64)}\r\n${each}\r\n`)
        .join(""),
      headers: {
        "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "x-amz-decoded-content-length": String(chunks.join("").length),
        "content-encoding": "aws-chunked",
      },
    });
  const full = "x".repeat(8192);
  for (const [key, chunks] of Object.entries({ empty: [], a: ["hello"], b: [full, full, "the rest"] })) {
    assert.equal((await put(key, ...chunks)).status, 200, key);
    const read = await ask(writer, "GET", `/chunks/${key}`);
    assert.equal(read.body, chunks.join(""), key);
    assert.equal(read.headers.get("content-encoding"), null);
  }
  const refused = await put("c", full, "too little", "the rest");
  assert.equal(refused.status, 403);
  assert.match(refused.body, /<Code>InvalidChunkSizeError<\/Code>.*8192 bytes/s);
  assert.equal((await ask(writer, "GET", "/chunks/c")).status, 404);
});

test("what gets a lock comes with a checksum, as rclone sends it when it is told to, in one part and in several", async () => {
  await aws.create("aws:s3/bucket:Bucket", { bucket: "sums", objectLockEnabled: true });
  await aws.create("aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration", {
    bucket: "sums",
    rule: { defaultRetention: { mode: "COMPLIANCE", days: 30 } },
  });
  const writer = await aws.role("sums-writer", on("sums", "PutObject", "GetObject", "ListBucket"));
  const bare = await ask(writer, "PUT", "/sums/a", { body: "1" });
  assert.equal(bare.code, "InvalidRequest");
  assert.match(bare.body, /Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests/);
  assert.equal((await ask(writer, "PUT", "/sums/a", summed("1"))).status, 200);
  // An HTTP server of files has no MD5 of them, like Cloud Storage of what it composed.
  const content = { "small.mov": Buffer.from("small"), "large.mov": Buffer.alloc(12 << 20, 7) };
  const source = createServer((request, response) => {
    const body = content[basename(request.url ?? "") as keyof typeof content];
    if (!body) return void response.writeHead(404).end();
    response.writeHead(200, { "content-length": body.length }).end(request.method === "HEAD" ? undefined : body);
  });
  await new Promise<void>((resolve) => source.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(source.address() as AddressInfo).port}`;
  const once = { RCLONE_RETRIES: "1", RCLONE_LOW_LEVEL_RETRIES: "1" };
  const env = { ...rcloneEnv(aws.gateway.endpoint, aws.caFile, writer), ...once };
  const copy = (name: string, to: string, settings: Record<string, string>) =>
    run(rclone, ["copyto", `:http:${name}`, `:s3:sums/${to}`, "--http-url", url], { env: { ...env, ...settings } });
  const told = { RCLONE_S3_USE_DATA_INTEGRITY_PROTECTIONS: "true" };
  try {
    await assert.rejects(
      copy("small.mov", "untold", { RCLONE_S3_USE_DATA_INTEGRITY_PROTECTIONS: "false" }),
      /Content-MD5 OR x-amz-checksum-/,
    );
    await copy("small.mov", "small", told);
    await copy("large.mov", "whole", told);
    await copy("large.mov", "parts", { ...told, RCLONE_S3_UPLOAD_CUTOFF: "6M", RCLONE_S3_CHUNK_SIZE: "5M" });
  } finally {
    source.close();
  }
  const listed = await run(rclone, ["lsjson", ":s3:sums", "--hash", "--hash-type", "md5"], { env });
  const md5 = new Map(
    (JSON.parse(listed.stdout) as { Path: string; Hashes?: { md5: string } }[]).map((o) => [o.Path, o.Hashes?.md5]),
  );
  const sum = (name: keyof typeof content) => createHash("md5").update(content[name]).digest("hex");
  assert.equal(md5.get("small"), sum("small.mov"));
  assert.equal(md5.get("whole"), sum("large.mov"));
  assert.ok(md5.has("parts") && !md5.has("untold"));
});

test("a record of a restore is written once: of two starts that meet, one is refused", async () => {
  await aws.create("aws:s3/bucket:Bucket", { bucket: "records" });
  const roles = ["records-first", "records-second"];
  const starters = await Promise.all(roles.map((name) => aws.role(name, on("records", "PutObject", "GetObject"))));
  const { Statement } = bucketPolicy({
    account: ACCOUNT,
    bucket: "records",
    store: "s3Backups",
    deployer: roleArn("deployer"),
    previewers: [],
    site: "prod",
    emptiable: false,
  });
  const own = Statement.filter(({ Sid }) => Sid === "RecordsOfARestoreAreWrittenOnce");
  await aws.create("aws:s3/bucketPolicy:BucketPolicy", {
    bucket: "records",
    policy: policy(...own.map((s) => ({ ...s }))),
  });
  const path = "/records/restores/started.json";
  const headers = { "if-none-match": "*" };
  const met = await Promise.all(starters.map((who, i) => ask(who, "PUT", path, { body: `start ${i}`, headers })));
  assert.equal(met.filter(({ status }) => status === 200).length, 1, JSON.stringify(met.map(({ status }) => status)));
  const winner = met.findIndex(({ status }) => status === 200);
  assert.ok([409, 412].includes(met[1 - winner]!.status));
  const again = await ask(starters[0]!, "PUT", path, { body: "again" });
  assert.match(again.body, /explicit deny in a resource-based policy/);
  assert.equal((await ask(starters[0]!, "GET", path)).body, `start ${winner}`);
  assert.equal((await ask(starters[0]!, "PUT", "/records/cassandra/x", { body: "1" })).status, 200);
});
