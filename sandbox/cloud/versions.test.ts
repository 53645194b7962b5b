/** What the storage keeps of objects that were replaced or deleted, through its API and with real clients, as Google does it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { after, before, beforeEach, test } from "node:test";
import { type GatewayStage, Refused, startGatewayStage, type Version } from "../../faults/stage";

const PROJECT = "project-1";
const ME = "writer@project-1.iam.gserviceaccount.com";
const READER = "reader@project-1.iam.gserviceaccount.com";
const CREATOR = "creator@project-1.iam.gserviceaccount.com";
const DAY = 24 * 3600;

let stage: GatewayStage;
let count = 0;
let bucket: string;

before(async () => {
  stage = await startGatewayStage();
});
after(() => stage.stop());
beforeEach(() => {
  bucket = `bucket-${++count}`;
});

const PURGE = [{ action: { type: "Delete" }, condition: { daysSinceNoncurrentTime: 30, withState: "ARCHIVED" } }];
const VERSIONED = { versioning: { enabled: true }, softDeletePolicy: { retentionDurationSeconds: 7 * DAY } };

async function declare(inputs: Record<string, unknown>): Promise<void> {
  const binding = (role: string, email: string) => ({
    role: `roles/storage.${role}`,
    members: [`serviceAccount:${email}`],
  });
  const bindings = [binding("objectAdmin", ME), binding("objectViewer", READER), binding("objectCreator", CREATOR)];
  const settings = { name: bucket, project: PROJECT, location: "EU", uniformBucketLevelAccess: true };
  await stage.declare([
    { type: "gcp:storage/bucket:Bucket", name: bucket, inputs: { ...settings, ...inputs } },
    {
      type: "gcp:storage/bucketIAMPolicy:BucketIAMPolicy",
      name: bucket,
      inputs: { bucket, policyData: JSON.stringify({ bindings }) },
    },
  ]);
}

const put = (object: string, content: string) => stage.put(ME, bucket, object, content);
const get = (object: string, generation?: string) => stage.get(ME, bucket, object, generation);
const versions = () => stage.list(READER, bucket, "versions");
const soft = () => stage.list(READER, bucket, "softDeleted");
const path = (object: string, query = "") => `/storage/v1/b/${bucket}/o/${encodeURIComponent(object)}${query}`;
const refused = (work: Promise<unknown>, status: number) =>
  assert.rejects(work, (error: unknown) => error instanceof Refused && error.status === status);
const contents = (found: Version[]) => Promise.all(found.map(({ name, generation }) => get(name, generation)));

test("what is overwritten or deleted becomes a noncurrent version, each with a generation of its own", async () => {
  await declare(VERSIONED);
  const generations = [];
  for (const content of ["one", "two", "three"]) generations.push((await put("a/b", content)).generation);
  await stage.remove(ME, bucket, "a/b");
  assert.equal(await get("a/b"), undefined);
  assert.deepEqual(await stage.list(ME, bucket), []);
  const kept = await versions();
  assert.deepEqual(
    kept.map(({ generation }) => generation),
    generations,
  );
  assert.deepEqual(
    [...new Set(generations)].sort((a, b) => Number(a) - Number(b)),
    generations,
  );
  assert.ok(kept.every(({ timeDeleted }) => timeDeleted));
  assert.deepEqual(await contents(kept), ["one", "two", "three"]);
  assert.deepEqual(await soft(), []);
  await refused(stage.remove(ME, bucket, "a/b"), 404);
});

test("a generation that is named is read, described, copied and deleted; another is not there", async () => {
  await declare(VERSIONED);
  const first = await put("a", "one");
  const second = await put("a", "two");
  assert.equal(await get("a", first.generation), "one");
  assert.equal(await get("a", second.generation), "two");
  assert.equal(await get("a", "12345"), undefined);
  const described = JSON.parse(await stage.call(ME, "GET", path("a", `?generation=${first.generation}`))) as Version;
  assert.deepEqual([described.generation, described.size], [first.generation, "3"]);
  await refused(stage.call(ME, "GET", path("a", "?generation=x")), 400);

  const copy = `${path("a")}/rewriteTo/b/${bucket}/o/copy?sourceGeneration=`;
  await stage.call(ME, "POST", copy + first.generation);
  assert.equal(await get("copy"), "one");
  await stage.call(ME, "POST", copy + second.generation);
  assert.equal(await get("copy"), "two");
  await refused(stage.call(ME, "POST", `${copy}1`), 404);
  assert.equal(await get("copy"), "two", "a copy that failed changes nothing");

  await refused(stage.remove(READER, bucket, "a", first.generation), 403);
  await stage.remove(ME, bucket, "a", first.generation);
  assert.equal(await get("a", first.generation), undefined);
  await refused(stage.remove(ME, bucket, "a", first.generation), 404);
  assert.equal(await get("a"), "two");
  await stage.remove(ME, bucket, "a", second.generation);
  assert.deepEqual(
    (await versions()).map(({ name }) => name),
    ["copy", "copy"],
    "for good: no version is left",
  );
});

test("a noncurrent version copied onto its own name is live again", async () => {
  await declare(VERSIONED);
  const { generation } = await put("a", "one");
  await stage.remove(ME, bucket, "a");
  await stage.call(
    ME,
    "POST",
    `${path("a")}/rewriteTo/b/${bucket}/o/a?sourceGeneration=${generation}&ifGenerationMatch=0`,
  );
  assert.equal(await get("a"), "one");
  assert.equal((await versions()).length, 2);
});

test("preconditions hold for writes, copies and deletions", async () => {
  await declare(VERSIONED);
  const { generation } = await put("a", "one");
  const upload = (query: string) =>
    stage.call(ME, "POST", `/upload/storage/v1/b/${bucket}/o?uploadType=media&name=a&${query}`, "two");
  await refused(upload("ifGenerationMatch=0"), 412);
  await refused(upload("ifGenerationMatch=5"), 412);
  const copy = `${path("a")}/rewriteTo/b/${bucket}/o/a?`;
  await refused(stage.call(ME, "POST", `${copy}ifGenerationMatch=0`), 412);
  await refused(stage.call(ME, "POST", `${copy}ifSourceGenerationMatch=7`), 412);
  await refused(stage.call(ME, "DELETE", path("a", "?ifGenerationMatch=5")), 412);
  assert.equal((await versions()).length, 1, "what was refused leaves no version");
  await upload(`ifGenerationMatch=${generation}`);
  assert.equal(await get("a"), "two");
  await stage.call(ME, "DELETE", path("a", `?ifGenerationMatch=${(await versions()).at(-1)!.generation}`));
  assert.equal(await get("a"), undefined);
});

test("soft delete: what is really gone can be listed and restored, by whoever may, and purged by nobody", async () => {
  await declare({ softDeletePolicy: { retentionDurationSeconds: 10 * DAY } });
  const first = await put("a", "one");
  await put("a", "two");
  await stage.remove(ME, bucket, "a");
  assert.deepEqual(await versions(), []);
  const gone = await soft();
  assert.equal(gone.length, 2);
  assert.equal(await get("a", first.generation), undefined);
  await refused(stage.remove(ME, bucket, "a", first.generation), 404);
  const restore = (email: string, generation = "") =>
    stage.call(email, "POST", `${path("a")}/restore?generation=${generation}`);
  await refused(restore(READER, first.generation), 403);
  await refused(restore(CREATOR, first.generation), 403);
  await refused(restore(ME), 400);
  await refused(restore(ME, "77"), 404);
  await restore(ME, first.generation);
  assert.equal(await get("a"), "one");
  assert.equal((await soft()).length, 2, "the copy is live, the deleted one stays what it was");
  await stage.moveDays(9);
  assert.equal((await soft()).length, 2);
  await stage.moveDays(2);
  assert.deepEqual(await soft(), []);
  assert.equal(await get("a"), "one");
});

test("without a policy soft delete is a week, as a new bucket has it; at 0 nothing is left", async () => {
  await declare({});
  await put("a", "one");
  await stage.remove(ME, bucket, "a");
  assert.equal((await soft()).length, 1);
  bucket = `bucket-${++count}`;
  await declare({ softDeletePolicy: { retentionDurationSeconds: 0 } });
  await put("a", "one");
  await stage.remove(ME, bucket, "a");
  assert.deepEqual([await soft(), await versions()], [[], []]);
});

test("lifecycle: noncurrent for 30 days, then soft-deleted for a week, then gone; live objects stay", async () => {
  await declare({ ...VERSIONED, lifecycleRules: PURGE });
  await put("kept", "live");
  await put("a", "one");
  await stage.remove(ME, bucket, "a");
  await stage.moveDays(29);
  assert.deepEqual(
    (await versions()).map(({ name }) => name),
    ["a", "kept"],
  );
  await stage.moveDays(2);
  assert.deepEqual(
    (await versions()).map(({ name }) => name),
    ["kept"],
  );
  const [gone] = await soft();
  assert.equal(gone?.name, "a");
  await stage.moveDays(70);
  assert.deepEqual(await soft(), []);
  assert.equal(await get("kept"), "live");
});

test("lifecycle: age and the number of newer versions", async () => {
  const condition = { numNewerVersions: 2 };
  await declare({
    ...VERSIONED,
    lifecycleRules: [
      { action: { type: "Delete" }, condition },
      { action: { type: "Delete" }, condition: { age: 10, matchesPrefixes: ["tmp/"] } },
    ],
  });
  for (const content of ["one", "two", "three", "four"]) await put("a", content);
  await put("tmp/x", "x");
  await stage.moveDays(1);
  assert.deepEqual(await contents((await versions()).filter(({ name }) => name === "a")), ["three", "four"]);
  await stage.moveDays(10);
  assert.equal(await get("tmp/x"), undefined);
  assert.equal((await versions()).filter(({ name }) => name === "tmp/x").length, 0, "noncurrent for its age as well");
  assert.equal(await get("a"), "four");
});

test("retention binds who may delete, until the clock has passed it", async () => {
  await declare({ retentionPolicy: { retentionPeriod: String(30 * DAY), isLocked: true } });
  const { timeCreated } = await put("a", "one");
  await refused(stage.remove(ME, bucket, "a"), 403);
  await refused(put("a", "two"), 403);
  await stage.moveDays(29);
  await refused(stage.remove(ME, bucket, "a"), 403);
  const [object] = await stage.list(ME, bucket);
  assert.equal(object?.timeCreated, timeCreated, "a move changes no time that was");
  await stage.moveDays(1);
  await put("a", "two");
  const [second] = await stage.list(ME, bucket);
  assert.ok(Date.parse(second!.timeCreated) > Date.parse(timeCreated) + 30 * DAY * 1000);
  await refused(stage.remove(ME, bucket, "a"), 403);
});

test("pages of every size list the same, in the order of bytes, with folders and without", async () => {
  await declare(VERSIONED);
  for (const name of ["b-c", "b/c", "b/d/e", "b/d/f", "b.c", "ü", "😀", "\uffee", "z"]) {
    await put(name, "1");
    await put(name, "2");
  }
  await stage.remove(ME, bucket, "b/d/e");
  for (const query of [
    "versions=true",
    "versions=true&prefix=b",
    "delimiter=/",
    "versions=true&delimiter=/&prefix=b/",
    "",
  ]) {
    const all = await pages(query, 1000);
    for (const size of [1, 2, 3, 5]) assert.deepEqual(await pages(query, size), all, `${query} by ${size}`);
  }
  const names = (await pages("", 1000)).names;
  assert.deepEqual(
    names,
    [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
  );
  assert.deepEqual((await pages("delimiter=/", 3)).prefixes, ["b/"]);
  await refused(stage.call(ME, "GET", `/storage/v1/b/${bucket}/o?versions=true&softDeleted=true`), 400);
  await refused(stage.call(CREATOR, "GET", `/storage/v1/b/${bucket}/o?versions=true`), 403);
});

async function pages(query: string, size: number): Promise<{ names: string[]; prefixes: string[] }> {
  const found = { names: [] as string[], prefixes: [] as string[] };
  for (let token = ""; ; ) {
    const url = `/storage/v1/b/${bucket}/o?${query}&maxResults=${size}&pageToken=${token}`;
    const page = JSON.parse(await stage.call(ME, "GET", url)) as {
      items?: Version[];
      prefixes?: string[];
      nextPageToken?: string;
    };
    assert.ok((page.items?.length ?? 0) + (page.prefixes?.length ?? 0) <= size);
    found.names.push(
      ...(page.items ?? []).map(({ name, generation }) =>
        query.includes("versions") ? `${name}#${generation}` : name,
      ),
    );
    found.prefixes.push(...(page.prefixes ?? []));
    if (!page.nextPageToken) return found;
    token = page.nextPageToken;
  }
}

test("a killed storage server and a new gateway know every version", async () => {
  await declare({ ...VERSIONED, lifecycleRules: PURGE });
  await put("a", "one");
  await put("a", "two");
  await stage.remove(ME, bucket, "a");
  await put("b", "live");
  const known = async () =>
    (await versions()).map(({ name, generation, timeCreated, timeDeleted }) => [
      name,
      generation,
      timeCreated,
      timeDeleted,
    ]);
  const before = await known();
  const now = stage.now();
  await stage.restart();
  assert.ok(stage.now() >= now);
  assert.deepEqual(await known(), before);
  assert.deepEqual(await contents(await versions()), ["one", "two", "live"]);
});

test("rclone writes, overwrites, moves and deletes through it; resumable uploads keep what they replace", async () => {
  await declare(VERSIONED);
  const env = { ...process.env, ...(await stage.as(ME)), RCLONE_CONFIG: "", RCLONE_GCS_BUCKET_POLICY_ONLY: "true" };
  const rclone = async (args: string[], input = "") => {
    const child = spawn("rclone", args, { env });
    child.stdin.on("error", () => undefined).end(input);
    const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
    assert.equal(code, 0, errors);
    return output;
  };
  await rclone(["rcat", `:gcs:${bucket}/dir/a`], "one");
  // Larger than the 16 MiB that are sent at once: the last part replaces.
  const size = 17 * 1024 * 1024;
  await rclone(["rcat", `:gcs:${bucket}/dir/a`, "--streaming-upload-cutoff", "1k"], "x".repeat(size));
  await rclone(["copyto", `:gcs:${bucket}/dir/a`, `:gcs:${bucket}/dir/b`]);
  await rclone(["deletefile", `:gcs:${bucket}/dir/a`]);
  const listed = JSON.parse(await rclone(["lsjson", "-R", "--files-only", `:gcs:${bucket}`])) as {
    Path: string;
    Size: number;
  }[];
  assert.deepEqual(
    listed.map(({ Path, Size }) => [Path, Size]),
    [["dir/b", size]],
  );
  const kept = await versions();
  assert.deepEqual(
    kept.map(({ name, size }) => [name, size]),
    [
      ["dir/a", "3"],
      ["dir/a", String(size)],
      ["dir/b", String(size)],
    ],
  );
  assert.equal(await get("dir/a", kept[0]!.generation), "one");
});

test("a batch is answered part by part, each with the caller's rights", async () => {
  await declare(VERSIONED);
  await put("a", "one");
  await put("b", "two");
  const part = (id: number, object: string) =>
    `--x\r\nContent-Type: application/http\r\nContent-ID: <${id}>\r\n\r\nDELETE ${path(object)} HTTP/1.1\r\n\r\n\r\n`;
  const batch = async (email: string) => {
    const { STORAGE_EMULATOR_HOST: endpoint } = await stage.as(email);
    const response = await fetch(`${endpoint}/batch/storage/v1`, {
      method: "POST",
      headers: { "content-type": "multipart/mixed; boundary=x" },
      body: `${part(1, "a")}${part(2, "none")}--x--`,
    });
    return [...(await response.text()).matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
  };
  assert.deepEqual(await batch(READER), ["403", "403"]);
  assert.deepEqual(await batch(ME), ["204", "404"]);
  assert.deepEqual(
    (await versions()).map(({ name, timeDeleted }) => [name, timeDeleted !== undefined]),
    [
      ["a", true],
      ["b", false],
    ],
  );
});

test("nobody reaches where versions are kept", async () => {
  await declare(VERSIONED);
  await put("a", "one");
  await put("a", "two");
  await refused(stage.call(ME, "GET", `/storage/v1/b/${bucket}.versions/o`), 404);
});
