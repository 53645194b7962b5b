/** A site's backups, the second copies and the jobs between them: the real jobs and rclone against a storage. */
import assert from "node:assert/strict";
import { type JobInput, jobConfig } from "../../jobs/config";
import { openMarker } from "../../jobs/lib/markers";
import { cassandraObjects, elasticsearchObjects, putBackup } from "../../jobs/testing/backups";
import { type JobRun, type RunningJob, startJob } from "../../jobs/testing/job";
import { signingKey, startKms, type TestKms } from "../../jobs/testing/kms";
import { startKube, type TestKube } from "../../jobs/testing/kube";
import { startStorage, type TestStorage } from "../../jobs/testing/storage";
import { backupName, copyPath, markerOfPath, markerPath, markersPrefix } from "../../plan/layout";

export const PRIMARY = "iconik-prod-backups";
export const COPIES = "iconik-vault-backup-copies";
/** The restored site's own. */
export const OWN = "iconik-rebuild-1-backups";
/** Data files of a Cassandra backup. */
export const FILES = 40;

/** What the rows stand on. */
export interface CopiesStage {
  storage: TestStorage;
  kms: TestKms;
  kube: TestKube;
  /** Objects of tonight's backups with their contents, by their names at the source. */
  objects: Record<string, string>;
}

export async function openCopiesStage(): Promise<CopiesStage> {
  const [storage, kms, kube] = await Promise.all([startStorage(), startKms(), startKube()]);
  return { storage, kms, kube, objects: {} };
}

export async function closeCopiesStage({ storage, kms, kube }: CopiesStage): Promise<void> {
  await Promise.all([storage.stop(), kms.stop(), kube.stop()]);
}

/** Empties everything and takes tonight's backups. @returns their name */
export async function reset(stage: CopiesStage): Promise<string> {
  const { storage, kms, kube } = stage;
  kms.refuses = false;
  kube.clear();
  Object.assign(storage, { onCopy: undefined, onUpload: undefined, trouble: undefined, copies: 0, refusals: 0 });
  storage.appendOnly.clear();
  storage.refused.clear();
  for (const bucket of [PRIMARY, COPIES, OWN]) await storage.emptyBucket(bucket);
  storage.appendOnly.add(COPIES).add(OWN);
  const night = backupName(new Date(Date.now() - 3_600_000));
  await backUp(stage, night, FILES, 7);
  return night;
}

/** Takes the backups of a night: `files` of Cassandra's, Elasticsearch's repository in a generation. */
export async function backUp(stage: CopiesStage, night: string, files: number, generation: number): Promise<void> {
  for (const name of await stage.storage.names(PRIMARY)) {
    if (/\/index-\d+$/.test(name)) await stage.storage.remove(PRIMARY, name);
  }
  const { storage } = stage;
  stage.objects = {
    ...(await putBackup(storage, PRIMARY, "cassandra", night, cassandraObjects(night, files))),
    ...(await putBackup(storage, PRIMARY, "elasticsearch", night, elasticsearchObjects(generation))),
  };
}

type Env = Record<string, string>;

export function replicate(stage: CopiesStage, change: Partial<JobInput<"replicate">> = {}, env: Env = {}) {
  const config = jobConfig("replicate", {
    site: "prod",
    bucket: PRIMARY,
    copiesBucket: COPIES,
    repositories: ["cassandra-emea", "elasticsearch-emea"],
    signingKey,
    markerKeys: [stage.kms.pem],
    waitSeconds: 0,
    transfers: 2,
    ...change,
  });
  return startJob("replicate", config, { ...stage.storage.env, ...stage.kms.env, ...env });
}

/** A copy by a Job's pod, under its lease. */
export const leased = (stage: CopiesStage, pod: string, leaseSeconds: number) =>
  replicate(stage, { leaseIn: "dr", leaseSeconds }, { HOSTNAME: pod, ...stage.kube.env });

export function restoreCopy(stage: CopiesStage, change: Partial<JobInput<"restore-copy">> = {}) {
  const config = jobConfig("restore-copy", {
    source: "prod",
    marker: "latest",
    markerKeys: [stage.kms.pem],
    copiesBucket: COPIES,
    bucket: OWN,
    accessSeconds: 0,
    transfers: 2,
    ...change,
  });
  return startJob("restore-copy", config, stage.storage.env);
}

export function prune(stage: CopiesStage, change: Partial<JobInput<"prune">> = {}, env: Env = {}) {
  const config = jobConfig("prune", { site: "prod", copiesBucket: COPIES, markerKeys: [stage.kms.pem], ...change });
  return startJob("prune", config, { ...stage.storage.env, ...env });
}

/** The summary of a job that has to succeed. */
export async function succeeded(job: Promise<RunningJob>): Promise<Record<string, unknown>> {
  return (await succeededRun(job)).lines.at(-1)!;
}

export async function succeededRun(job: Promise<RunningJob>): Promise<JobRun> {
  const run = await (await job).done;
  assert.equal(run.code, 0, JSON.stringify(run.lines.at(-1)));
  return run;
}

/** The summary of a job that has to fail with these words. */
export async function failed(job: Promise<RunningJob>, words: RegExp, code = 1): Promise<Record<string, unknown>> {
  const run = await (await job).done;
  assert.equal(run.code, code, JSON.stringify(run.lines.at(-1)));
  assert.match(JSON.stringify(run.lines.at(-1)), words);
  return run.lines.at(-1)!;
}

/** Paths of the site's markers, the oldest first. */
export async function markers({ storage }: CopiesStage): Promise<string[]> {
  return (await storage.names(COPIES)).filter((name) => name.startsWith(markersPrefix("prod")));
}

export async function markerAt({ storage, kms }: CopiesStage, path: string) {
  return openMarker((await storage.get(COPIES, path))!, "prod", markerOfPath("prod", path)!, [kms.pem]);
}

/** Where the second copy has each object of a copy, by its name at the source. */
export async function placesOf(stage: CopiesStage, marker: string): Promise<Map<string, string>> {
  const places = new Map<string, string>();
  const { repositories } = await markerAt(stage, markerPath("prod", marker));
  for (const { listing } of Object.values(repositories)) {
    const list = (await stage.storage.get(COPIES, listing.path))!;
    for (const file of list
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line))) {
      places.set(file.name, copyPath("prod", file));
    }
  }
  return places;
}

/** Is every object of these in the copy as it was at the source? */
export async function assertWhole(stage: CopiesStage, marker: string, objects = stage.objects): Promise<void> {
  const places = await placesOf(stage, marker);
  for (const [name, content] of Object.entries(objects)) {
    assert.equal(await stage.storage.get(COPIES, places.get(name) ?? ""), content, name);
  }
}

/** Restores a copy into an empty bucket and compares every object. @returns how many there were */
export async function assertRestores(stage: CopiesStage, marker: string, objects = stage.objects): Promise<number> {
  stage.storage.appendOnly.delete(OWN);
  await stage.storage.emptyBucket(OWN);
  await succeeded(restoreCopy(stage, { marker }));
  for (const [name, content] of Object.entries(objects)) {
    assert.equal(await stage.storage.get(OWN, name), content, name);
  }
  return Object.keys(objects).length;
}
