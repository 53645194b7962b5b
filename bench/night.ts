/**
 * `night [--objects N]`: a night in which 1 % of a repository's objects changed, beside what a full copy moves and what its
 * listings alone take. The real job and rclone against a storage on this machine; ratios are of one run.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { jobConfig } from "../jobs/config";
import type { StoredFile } from "../jobs/lib/rclone";
import { run } from "../jobs/lib/rclone";
import { fileOf, manifestOf } from "../jobs/testing/backups";
import { startJob } from "../jobs/testing/job";
import { signingKey, startKms } from "../jobs/testing/kms";

import { backupName, copyFolder, filesPath, manifestPath, repository } from "../plan/layout";
import { peakKib } from "./measure";
import { type NightReport, nightTable, summarizeNight } from "./night-summary";
import { BenchStorage } from "./storage";

const ROOT = join(__dirname, "..");
const [PRIMARY, COPIES] = ["bench-backups", "bench-copies"];
const REPOSITORY = repository("elasticsearch", "emea");
/** Bytes of an object: most files of a search repository and most SSTables are larger. */
const SIZE = 16 * 1024;

const { objects } = new Command("night")
  .description("Measures a night in which 1 % of the objects changed")
  .option("--objects <count>", "objects of the repository", count, 100_000)
  .parse()
  .opts<{ objects: number }>();

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 100)
    throw new InvalidArgumentError(`"${text}" is no whole number from 100 on`);
  return value;
}

const nameOf = (index: number) => `${REPOSITORY}/indices/${String(index % 997).padStart(3, "0")}/0/__${index}`;
const contentOf = (index: number) => Buffer.from(String(index));
const generation = (number: number): Record<string, string> => ({
  [`${REPOSITORY}/index-${number}`]: `{"generation":${number}}`,
  [`${REPOSITORY}/index.latest`]: `${number}`,
  [`${REPOSITORY}/snap-u${number}.dat`]: "snapshot",
});

/** Puts every object into both buckets: what a first, full copy has left. */
function prepare(storage: BenchStorage): void {
  for (let index = 0; index < objects; index++) {
    const name = nameOf(index);
    storage
      .bucket(COPIES)
      .share(`${copyFolder("bench")}/${name}`, storage.bucket(PRIMARY).put(name, contentOf(index), SIZE));
  }
}

/** Puts a night's generation, objects that are new, and the manifest of all of them. @returns the sum of their sizes */
function backUp(
  storage: BenchStorage,
  night: string,
  number: number,
  all: readonly number[],
  fresh: readonly number[],
) {
  const small = generation(number);
  const put = (name: string, content: string) => storage.bucket(PRIMARY).put(name, Buffer.from(content));
  for (const index of fresh) storage.bucket(PRIMARY).put(nameOf(index), contentOf(index), SIZE);
  for (const [name, content] of Object.entries(small)) put(name, content);
  const hash = (index: number) => createHash("md5").update(contentOf(index)).digest("hex");
  const files: StoredFile[] = [
    ...all.map((index) => ({ name: nameOf(index), size: SIZE, md5: hash(index) })),
    ...Object.entries(small).map(([name, content]) => fileOf(name, content)),
  ];
  files.sort((a, b) => (a.name < b.name ? -1 : 1));
  const list = files.map((file) => `${JSON.stringify(file)}\n`).join("");
  const ref = {
    path: filesPath(REPOSITORY, night),
    sha256: createHash("sha256").update(list).digest("hex"),
    objects: files.length,
    bytes: files.reduce((sum, { size }) => sum + size, 0),
  };
  const { manifest } = manifestOf("elasticsearch", night, small);
  put(ref.path, list);
  put(manifestPath(REPOSITORY, night), JSON.stringify({ ...manifest, files: ref }));
  return ref.bytes;
}

/** Runs the copy and watches how much memory it and its rclones take at most. */
async function replicate(storage: BenchStorage, kms: { pem: string; env: Record<string, string> }) {
  const config = jobConfig("replicate", {
    site: "bench",
    bucket: PRIMARY,
    copiesBucket: COPIES,
    repositories: [REPOSITORY],
    signingKey,
    markerKeys: [kms.pem],
    waitSeconds: 0,
  });
  const started = Date.now();
  const job = await startJob("replicate", config, { ...storage.env, ...kms.env });
  const peaks = { job: 0, rclone: 0 };
  const timer = setInterval(() => {
    const own = job.child.pid ?? 0;
    peaks.job = Math.max(peaks.job, peakKib(statusOf(own)));
    const rclones = childrenOf(own).map((pid) => peakKib(statusOf(pid)));
    peaks.rclone = Math.max(
      peaks.rclone,
      rclones.reduce((a, b) => a + b, 0),
    );
  }, 100);
  const { code, lines } = await job.done;
  clearInterval(timer);
  if (code !== 0) throw new Error(`the copy failed: ${JSON.stringify(lines.at(-1))}`);
  const { copied, copiedBytes } = lines.at(-1) as { copied: number; copiedBytes: number };
  return {
    seconds: (Date.now() - started) / 1000,
    copied,
    copiedBytes,
    memoryMiB: peaks.job / 1024,
    rcloneMiB: peaks.rclone / 1024,
  };
}

const statusOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return "";
  }
};
const childrenOf = (pid: number): number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && new RegExp(`^PPid:\\s+${pid}$`, "m").test(statusOf(Number(name))))
    .map(Number);

/** The listings that a copy takes, by rclone alone: both buckets, before and after. */
async function listings(storage: BenchStorage): Promise<number> {
  Object.assign(process.env, storage.env);
  const started = Date.now();
  for (let turn = 0; turn < 2; turn++) {
    for (const place of [
      `store:${PRIMARY}/${REPOSITORY}`,
      `store:${COPIES}/${copyFolder("bench", undefined)}/${REPOSITORY}`,
    ]) {
      await run([
        "lsjson",
        place,
        "-R",
        "--files-only",
        "--fast-list",
        "--hash",
        "--hash-type",
        "md5",
        "--no-mimetype",
      ]);
    }
  }
  return (Date.now() - started) / 1000;
}

async function main(): Promise<number> {
  const [storage, kms] = [new BenchStorage(), await startKms()];
  await storage.start();
  try {
    prepare(storage);
    const changed = Math.floor(objects / 100);
    const all = Array.from({ length: objects }, (_, index) => index);
    backUp(storage, backupName(new Date(Date.now() - 7_200_000)), 7, all, []);
    await replicate(storage, kms);
    // As many are gone as are new.
    for (const index of all.slice(0, changed)) storage.bucket(PRIMARY).remove(nameOf(index));
    storage.bucket(PRIMARY).remove(`${REPOSITORY}/index-7`);
    const fresh = Array.from({ length: changed }, (_, index) => objects + index);
    const bytes = backUp(storage, backupName(new Date()), 8, [...all.slice(changed), ...fresh], fresh);
    const listingSeconds = await listings(storage);
    const night = await replicate(storage, kms);
    const report: NightReport = summarizeNight({ objects, changed, bytes, listingSeconds, ...night });
    const reports = join(ROOT, "reports", "latest");
    mkdirSync(reports, { recursive: true });
    writeFileSync(join(reports, "bench-night.json"), `${JSON.stringify(report, null, 2)}\n`);
    console.log(`${nightTable(report)}\n${join(reports, "bench-night.json")}`);
    return report.result === "pass" ? 0 : 1;
  } finally {
    await Promise.all([storage.stop(), kms.stop()]);
  }
}

main().then(
  (code) => process.exit(code),
  (error: Error) => {
    console.error(error.message);
    process.exit(1);
  },
);
