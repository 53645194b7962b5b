/** replicate-media against a storage with versions, with the real rclone: new, changed, gone, killed, attacked. */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { events } from "../plan/events";
import { FINAL_EXIT_CODE, type JobConfig, type JobInput, jobConfig } from "./config";
import { limitOf } from "./replicate-media";
import { type JobRun, startJob } from "./testing/job";
import { startStorage, type TestStorage } from "./testing/storage";

const [MEDIA, SECONDARY] = ["iconik-files", "iconik-files-secondary"];
const today = () => new Date().toISOString().slice(0, 10);
/** More than two batches. */
const FILES = 25;
let storage: TestStorage;

before(async () => {
  storage = await startStorage();
});
after(() => storage.stop());

beforeEach(async () => {
  storage.onCopy = undefined;
  storage.copies = 0;
  storage.refused.clear();
  storage.trouble = undefined;
  await storage.emptyBucket(MEDIA, true);
  await storage.emptyBucket(SECONDARY, true);
  for (let i = 0; i < FILES; i++) await storage.put(MEDIA, nameOf(i), `media ${i}`);
});

const nameOf = (i: number) => `assets/${String(i).padStart(3, "0")}.mov`;

function start(overrides: Partial<JobInput<"replicate-media">> = {}) {
  const config = jobConfig("replicate-media", {
    bucket: MEDIA,
    secondary: SECONDARY,
    breaker: { share: 0.2, floor: 3 },
    batch: 10,
    transfers: 2,
    ...overrides,
  });
  return startJob("replicate-media", config, storage.env);
}

async function run(code: number, overrides: Partial<JobInput<"replicate-media">> = {}) {
  const result: JobRun = await (await start(overrides)).done;
  assert.equal(result.code, code, JSON.stringify(result.lines.at(-1)));
  const found = (event: string) => result.lines.filter((line) => line.event === event);
  return {
    ...result.lines.at(-1)!,
    copiedEvents: found(events.mediaCopied),
    openEvents: found(events.mediaBreakerOpen),
  } as {
    [key: string]: unknown;
    copiedEvents: Record<string, unknown>[];
    openEvents: Record<string, unknown>[];
  };
}

async function assertEqual(): Promise<void> {
  const names = await storage.names(MEDIA);
  assert.deepEqual(await storage.names(SECONDARY), names);
  for (const name of names) assert.equal(await storage.get(SECONDARY, name), await storage.get(MEDIA, name), name);
}

test("everything is copied once; a second run copies nothing", async () => {
  const first = await run(0);
  assert.deepEqual([first.copied, first.removed, first.overwritten, first.objects], [FILES, 0, 0, FILES]);
  assert.equal(first.copiedEvents.length, 1);
  await assertEqual();
  const copies = storage.copies;
  const second = await run(0);
  assert.deepEqual([second.copied, second.removed, second.overwritten], [0, 0, 0]);
  assert.equal(storage.copies, copies);
});

test("nothing is nothing to copy, and empties no secondary", async () => {
  await run(0);
  await storage.emptyBucket(MEDIA);
  const { error, allowed, openEvents, copiedEvents } = await run(FINAL_EXIT_CODE, {
    breaker: { share: 1, floor: 1000 },
  });
  assert.match(String(error), /25 of its 25 objects would be removed \(25\) or overwritten \(0\); none was/);
  assert.equal(allowed, "none without approval, as gs://iconik-files is empty");
  assert.deepEqual([openEvents.length, copiedEvents.length], [1, 0]);
  assert.equal((await storage.names(SECONDARY)).length, FILES);
  await storage.emptyBucket(SECONDARY);
  assert.equal((await run(0)).objects, 0);
});

test("an object that is refused keeps none behind it away, and is named at the end", async () => {
  const refused = encodeURIComponent(nameOf(3));
  storage.trouble = ({ url }) =>
    url.includes("/rewriteTo/") && (url.includes(refused) || url.includes(nameOf(3))) ? { status: 403 } : undefined;
  const { error, value, copiedEvents } = await run(1);
  assert.match(
    String(error),
    /^1 objects of gs:\/\/iconik-files are not in gs:\/\/iconik-files-secondary: .*the storage says 403/s,
  );
  assert.deepEqual([value, copiedEvents.length], [[nameOf(3)], 0]);
  assert.equal((await storage.names(SECONDARY)).length, FILES - 1);
  storage.trouble = undefined;
  assert.equal((await run(0)).copied, 1);
  await assertEqual();
});

test("what was removed or overwritten at the source becomes noncurrent in the secondary", async () => {
  await storage.put(MEDIA, "versions/gone", "before");
  await storage.put(MEDIA, "versions/changed", "one");
  await run(0);
  await storage.remove(MEDIA, "versions/gone");
  await storage.put(MEDIA, "versions/changed", "two");
  const result = await run(0);
  assert.deepEqual([result.copied, result.removed, result.overwritten], [0, 1, 1]);
  await assertEqual();
  assert.deepEqual(await storage.noncurrent(SECONDARY, "versions/gone"), ["before"]);
  assert.deepEqual(await storage.noncurrent(SECONDARY, "versions/changed"), ["one"]);
});

test("too many removals: none is made, what is new is copied, and the message says how to go on", async () => {
  await run(0);
  for (let i = 0; i < 6; i++) await storage.remove(MEDIA, nameOf(i));
  await storage.put(MEDIA, "new", "new");
  const open = await run(FINAL_EXIT_CODE);
  assert.equal(
    open.error,
    "the breaker of gs://iconik-files-secondary is open: 6 of its 25 objects would be removed (6) or overwritten (0); none was",
  );
  assert.deepEqual(open.value, [0, 1, 2, 3, 4, 5].map(nameOf));
  assert.equal(open.allowed, "5 objects (the greater of 20 % and 3, or what is approved)");
  assert.ok(
    String(open.fix).includes(
      `set iconik-dr:media.approvals of the vault to [{ bucket: iconik-files, date: "${today()}", objects: 6 }], run pulumi up, and start a job from CronJob replicate-media-iconik-files that day`,
    ),
    String(open.fix),
  );
  const { removals, overwrites, secondaryObjects, limit } = open.openEvents[0]!;
  assert.deepEqual([removals, overwrites, secondaryObjects, limit], [6, 0, 25, 5]);
  assert.equal((await storage.names(SECONDARY)).length, FILES + 1);
  assert.equal(await storage.get(SECONDARY, "new"), "new");

  await run(FINAL_EXIT_CODE, { approvals: [{ date: "2020-01-01", objects: 100 }] });
  await run(FINAL_EXIT_CODE, { approvals: [{ date: today(), objects: 5 }] });
  assert.equal((await run(0, { approvals: [{ date: today(), objects: 6 }] })).removed, 6);
  await assertEqual();
});

test("too many overwrites open it as well, alone or together with removals", async () => {
  await run(0);
  for (let i = 0; i < 3; i++) await storage.put(MEDIA, nameOf(i), "encrypted");
  for (let i = 3; i < 6; i++) await storage.remove(MEDIA, nameOf(i));
  assert.match(String((await run(FINAL_EXIT_CODE)).error), /removed \(3\) or overwritten \(3\)/);
  for (let i = 3; i < 6; i++) await storage.put(MEDIA, nameOf(i), "encrypted");
  assert.match(String((await run(FINAL_EXIT_CODE)).error), /removed \(0\) or overwritten \(6\)/);
  assert.equal(await storage.get(SECONDARY, nameOf(0)), "media 0");
});

test("killed in the middle and run again, it goes on from there", async () => {
  const job = await start();
  storage.onCopy = ({ count }) => {
    if (count === 12) job.child.kill("SIGTERM");
    // What comes after is not answered: else a slow machine copies the rest before the signal is taken.
    return count < 12 ? undefined : new Promise(() => {});
  };
  assert.equal((await job.done).code, 143);
  storage.onCopy = undefined;
  const there = (await storage.names(SECONDARY)).length;
  assert.ok(there >= 10 && there < FILES, String(there));
  // The storage may end a copy that it has begun for who is gone.
  const late = FILES - there - Number((await run(0)).copied);
  assert.ok(late === 0 || late === 1, `${late} more`);
  await assertEqual();
});

test("a source that cannot be listed removes nothing", async () => {
  await run(0);
  storage.refused.add(MEDIA);
  const { error } = await run(1, { breaker: { share: 1, floor: 1000 } });
  assert.match(String(error), /rclone lsjson ended with code/);
  assert.equal((await storage.names(SECONDARY)).length, FILES);
});

test("objects removed while it runs do not pass the limit that was found", async () => {
  await storage.put(MEDIA, "changed", "one");
  await run(0);
  await storage.put(MEDIA, "changed", "two");
  await storage.put(MEDIA, "new", "new");
  storage.onCopy = async ({ object }) => {
    if (object !== "new") return;
    for (let i = 0; i < 20; i++) await storage.remove(MEDIA, nameOf(i));
  };
  assert.match(String((await run(1)).error), /changed while it was copied: more than 5 objects/);
  assert.ok((await storage.names(SECONDARY)).length >= FILES + 2 - 5);
});

test("odd names are copied and removed as they are; what did not arrive fails the job, not the others", async () => {
  const odd = [
    "a//b",
    "a b ",
    '#;q"uote',
    "; c",
    "[x]{y}*?.mov",
    "a/./b",
    "x/../y",
    "␊lf",
    "．",
    "ümlaut",
    "😀",
    "\uffee",
  ];
  for (const name of odd) await storage.put(MEDIA, name, name);
  assert.equal((await run(0)).copied, FILES + odd.length);
  await assertEqual();
  for (const name of odd) await storage.remove(MEDIA, name);
  assert.equal((await run(0, { breaker: { share: 0, floor: odd.length } })).removed, odd.length);
  await assertEqual();

  // rclone takes the first one for another name, and the slash off the second.
  await storage.put(MEDIA, "‛", "x");
  await storage.put(MEDIA, "/lead", "x");
  await storage.put(MEDIA, "lead", "y");
  const { error, value } = await run(1);
  assert.match(String(error), /2 objects of gs:\/\/iconik-files are not in gs:\/\/iconik-files-secondary/);
  assert.deepEqual(value, ["/lead", "‛"]);
  assert.equal(await storage.get(SECONDARY, "lead"), "y");
});

test("only a bucket of the plan into its own secondary", () => {
  const config = (bucket: string, secondary: string) => () => jobConfig("replicate-media", { bucket, secondary });
  assert.throws(config("acme-media", "iconik-files-secondary"), /"acme-media" is no media bucket of the product/);
  assert.throws(
    config(MEDIA, "iconik-proxies-secondary"),
    /"iconik-proxies-secondary" is not the secondary of iconik-f/,
  );
  assert.doesNotThrow(config(MEDIA, SECONDARY));
});

test("the limit is the greatest of share, floor and what is approved that day", () => {
  const config = JSON.parse(
    jobConfig("replicate-media", {
      bucket: MEDIA,
      secondary: SECONDARY,
      breaker: { share: 0.01, floor: 500 },
      approvals: [
        { date: "2026-11-25", objects: 9000 },
        { date: "2026-11-25", objects: 20 },
      ],
    }),
  ) as JobConfig<"replicate-media">;
  const limit = (day: string, sourceObjects: number, secondaryObjects: number) =>
    limitOf(config, { sourceObjects, secondaryObjects }, new Date(`${day}T03:00:00Z`));
  assert.equal(limit("2026-11-24", 10, 10), 500);
  assert.equal(limit("2026-11-24", 90_000, 100_050), 1000);
  assert.equal(limit("2026-11-25", 90_000, 100_050), 9000);
  assert.equal(limit("2026-11-24", 0, 100_000), 0);
  assert.equal(limit("2026-11-25", 0, 100_000), 9000);
});
