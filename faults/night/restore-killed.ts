/** A restore that is killed, started again, and ends as one that was not. */
import assert from "node:assert/strict";
import { type JobInput, jobConfig } from "../../jobs/config";
import { manifestOf, putRestored } from "../../jobs/testing/backups";
import { type JobRun, startJob } from "../../jobs/testing/job";
import { startKube, type TestKube } from "../../jobs/testing/kube";
import { startStorage, type TestStorage } from "../../jobs/testing/storage";
import { backupName, medusaFolder, readyPath, repository } from "../../plan/layout";
import type { Fault } from "../fault";
import type { Group } from "../run";

const BUCKET = "iconik-rebuild-1-backups";
const MARKER = "copy-20261125t020000z";
const DATACENTERS = ["emea", "amer"] as const;
type Datacenter = (typeof DATACENTERS)[number];

/** The site's own bucket and a Kubernetes API for each region. */
export interface RestoreStage {
  storage: TestStorage;
  regions: Record<Datacenter, TestKube>;
}

export async function openRestoreStage(): Promise<RestoreStage> {
  return { storage: await startStorage(), regions: { emea: await startKube(), amer: await startKube() } };
}

export async function closeRestoreStage({ storage, regions }: RestoreStage): Promise<void> {
  await Promise.all([storage.stop(), ...Object.values(regions).map((kube) => kube.stop())]);
}

/** Name of the datacenter's backup. */
export const backupOf = (datacenter: string) => backupName(new Date("2026-11-25T01:00:00Z"), datacenter);

/** A copy that was brought in, and empty datacenters with an operator that restores what it is told to. */
export async function prepare({ storage, regions }: RestoreStage): Promise<void> {
  await storage.emptyBucket(BUCKET);
  const repositories = Object.fromEntries(
    DATACENTERS.map((datacenter) => {
      const backup = backupOf(datacenter);
      const { manifest } = manifestOf("cassandra", backup, { [`${medusaFolder}/node-1/data`]: "x" });
      return [repository("cassandra", datacenter), { backup, manifest }];
    }),
  );
  await putRestored(storage, BUCKET, MARKER, repositories);
  for (const datacenter of DATACENTERS) operate(regions[datacenter], datacenter);
}

/** Cass-operator and Medusa's, as far as the job sees them: what is created is done at the next look but one. */
function operate(kube: TestKube, datacenter: Datacenter): void {
  kube.clear();
  kube.put("cassandradatacenters", { metadata: { name: datacenter }, spec: { size: 1, racks: [{ name: "rack1" }] } });
  const started = new Map<string, number>();
  kube.onCreate = (plural, { metadata }) => void started.set(`${plural} ${metadata.name}`, 2);
  kube.onRequest = () => {
    for (const [key, left] of started) {
      const [plural = "", name = ""] = key.split(" ");
      const object = kube.get(plural, name);
      started.set(key, left - 1);
      if (left > 0 || !object) continue;
      started.delete(key);
      object.status = { ...object.status, finishTime: new Date().toISOString() };
      if (plural === "medusatasks") kube.put("medusabackups", { metadata: { name: backupOf(datacenter) } });
    }
  };
}

/** Starts the restore of a datacenter. */
export function restore(
  { storage, regions }: RestoreStage,
  datacenter: Datacenter,
  change: Partial<JobInput<"restore-cassandra">> = {},
) {
  const config = jobConfig("restore-cassandra", {
    datacenter,
    datacenters: [...DATACENTERS],
    repository: repository("cassandra", datacenter),
    bucket: BUCKET,
    marker: MARKER,
    timeoutSeconds: 60,
    pollSeconds: 0.1,
    ...change,
  });
  return startJob("restore-cassandra", config, { ...storage.env, ...regions[datacenter].env });
}

/** Restores that a datacenter was told to make. */
export const attempts = ({ regions }: RestoreStage, datacenter: Datacenter) =>
  regions[datacenter].list("medusarestorejobs").map(({ metadata, spec }) => [metadata.name, spec?.backup]);

export const readyObject = ({ storage }: RestoreStage, datacenter: Datacenter) =>
  storage.get(BUCKET, readyPath(MARKER, datacenter));
export const putReady = ({ storage }: RestoreStage, datacenter: Datacenter, text: string) =>
  storage.put(BUCKET, readyPath(MARKER, datacenter), text);

/**
 * Restores both datacenters; one's job is killed at its n-th request to Kubernetes and started again.
 * @returns whether the kill came before the job's end, and how the jobs ended
 */
export async function killedAt(stage: RestoreStage, request: number): Promise<{ killed: boolean; ends: JobRun[] }> {
  await prepare(stage);
  const kube = stage.regions.emea;
  const operator = kube.onRequest;
  const first = await restore(stage, "emea");
  let count = 0;
  let killed = false;
  kube.onRequest = (...call) => {
    operator?.(...call);
    if (++count !== request) return;
    killed = true;
    first.child.kill("SIGKILL");
  };
  const other = await restore(stage, "amer");
  const [end] = await Promise.all([first.done]);
  kube.onRequest = operator;
  const ends = [killed ? await (await restore(stage, "emea")).done : end, await other.done];
  for (const { code, lines } of ends) assert.equal(code, 0, JSON.stringify(lines.at(-1)));
  for (const datacenter of DATACENTERS) {
    const base = `restore-${datacenter}-${backupOf(datacenter)}-1`;
    assert.deepEqual(
      attempts(stage, datacenter),
      [[base, backupOf(datacenter)]],
      "restored once, from the copy's backup",
    );
  }
  return { killed, ends };
}

/** Requests to Kubernetes at which it is killed. */
const POINTS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] as const;

const row = (points: readonly number[], more: Partial<Fault<RestoreStage>>): Fault<RestoreStage> => ({
  id: "restore-killed",
  fault: `the restore of a datacenter is killed at ${points.length} points, while another one waits for it`,
  rows: ["D2", "S8"],
  // Kubernetes starts it again; that it failed is told when it does not come to an end.
  mayLoseSeconds: 0,
  ...more,
  inject: async (stage) => {
    let kills = 0;
    for (const point of points) if ((await killedAt(stage, point)).killed) kills++;
    assert.ok(kills > points.length / 2, `only ${kills} of ${points.length} kills met a job that ran`);
    return {
      noticed: `${kills} kills at ${points.length} points; Kubernetes starts the Job's pod again`,
      signal: { kind: "log", command: "restore-cassandra", line: {} },
      recovered: "each datacenter was restored once, from the backup of the copy, and both together",
      lostSeconds: 0,
    };
  },
});

export const restoreKilled = row(POINTS, {});
/** Two points in turn, another two each day. */
const day = Math.floor(Date.now() / 86_400_000);
export const restoreKilledTwice = row([POINTS[(2 * day) % 10]!, POINTS[(2 * day + 1) % 10]!], {
  id: "restore-killed-twice",
  small: true,
});

/** Rows of restores, which need a storage and Kubernetes' API alone. */
export const restoreGroup: Group<RestoreStage> = {
  stage: "a storage and the Kubernetes API of two regions",
  open: openRestoreStage,
  close: closeRestoreStage,
  faults: [restoreKilled, restoreKilledTwice],
};
