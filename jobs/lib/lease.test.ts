/** A lease against an API that takes its time. */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startKube, type TestKube } from "../testing/kube";
import { withLease } from "./lease";

const LEASE = { namespace: "dr", name: "replicate-prod", seconds: 6 };
let kube: TestKube;
const { KUBECONFIG } = process.env;

before(async () => {
  kube = await startKube();
  process.env.KUBECONFIG = kube.env.KUBECONFIG;
});
after(async () => {
  if (KUBECONFIG === undefined) delete process.env.KUBECONFIG;
  else process.env.KUBECONFIG = KUBECONFIG;
  await kube.stop();
});
beforeEach(() => {
  kube.onRequest = undefined;
  kube.clear();
});

test("an answer that takes longer than to the next renewal is no loss", async () => {
  const renewals: number[] = [];
  const result = await withLease(LEASE, async (held) => {
    kube.onRequest = async (method) => {
      if (method !== "PUT") return;
      renewals.push(Date.now());
      if (renewals.length === 1) await sleep(3000);
    };
    while (renewals.length < 3) await sleep(50);
    held();
    return "done";
  });
  assert.equal(result, "done");
  assert.equal(kube.get("leases", LEASE.name)?.spec?.holderIdentity, "");
});

test("a renewal that was made, and whose answer was lost, is no loss", async () => {
  let renewals = 0;
  await withLease(LEASE, async (held) => {
    kube.onRequest = (method) => {
      if (method !== "PUT" || ++renewals !== 1) return;
      // Written by this run; what follows is refused.
      kube.put("leases", kube.get("leases", LEASE.name)!);
      throw new Error("cut off");
    };
    while (renewals < 3) await sleep(50);
    held();
  });
});

test("an API that never answers is a loss when the time is over, which ends the work", {
  timeout: 60_000,
}, async () => {
  let answer = () => {};
  const silence = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const working = withLease(LEASE, () => {
    kube.onRequest = () => silence;
    return new Promise<void>(() => {});
  });
  await assert.rejects(working, /lease replicate-prod is lost: it was not renewed in time/);
  answer();
});
