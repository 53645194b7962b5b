/** Two copies of a site at once: started by hand beside the night's, or by a Job whose pod nobody can reach. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { FINAL_EXIT_CODE } from "../../jobs/config";
import { markerPath } from "../../plan/layout";
import type { Fault } from "../fault";
import { assertRestores, type CopiesStage, failed, leased, markers, reset, succeeded } from "./copies-stage";

/** A run that stands still in the middle of its copy, with its lease; `go` lets it, and every other, go on. */
export async function standingStill(stage: CopiesStage, pod: string, leaseSeconds: number) {
  let go: () => void = () => undefined;
  const still = new Promise<void>((resolve) => {
    go = resolve;
  });
  stage.storage.onCopy = () => still;
  const run = await leased(stage, pod, leaseSeconds);
  while (stage.kube.get("leases", "replicate-prod") === undefined || stage.storage.copies === 0) await sleep(20);
  return {
    run,
    go: () => {
      stage.storage.onCopy = undefined;
      go();
    },
  };
}

const LEASE_SECONDS = 5;

export const twoReplicators: Fault<CopiesStage> = {
  id: "two-replicators",
  fault: "a second copy of a site is started while one goes on, and after that one was killed",
  rows: ["S2", "D2"],
  alert: "vault-job-failed",
  mayLoseSeconds: 0,
  small: true,
  async inject(stage) {
    await reset(stage);
    const first = await standingStill(stage, "replicate-prod-1-aaaaa", LEASE_SECONDS);
    const refused = /another run holds the lease replicate-prod.*replicate-prod-1-aaaaa/;
    const line = await failed(leased(stage, "replicate-prod-2-bbbbb", LEASE_SECONDS), refused, FINAL_EXIT_CODE);
    // Longer than the lease holds: it is renewed.
    await sleep(1500 * LEASE_SECONDS);
    await failed(leased(stage, "replicate-prod-2-ccccc", LEASE_SECONDS), refused, FINAL_EXIT_CODE);
    first.run.child.kill("SIGKILL");
    await first.run.done;
    first.go();
    await sleep(1000 * LEASE_SECONDS);
    const { marker } = await succeeded(leased(stage, "replicate-prod-2-ddddd", LEASE_SECONDS));
    assert.deepEqual(await markers(stage), [markerPath("prod", String(marker))]);
    assert.equal(stage.kube.get("leases", "replicate-prod")?.spec?.holderIdentity, "", "given back");
    const objects = await assertRestores(stage, String(marker));
    return {
      noticed: "the second run failed at once and named the one that holds the lease",
      signal: { kind: "log", command: "replicate", line },
      recovered: `${LEASE_SECONDS} s after the holder was killed the next run had the lease, and one marker is there; ${objects} objects restored and compared`,
      lostSeconds: 0,
    };
  },
};
