/** Damage in a second copy, and what a deep verification says of it: for rows that only a restore finds. */
import assert from "node:assert/strict";
import { FINAL_EXIT_CODE } from "../../jobs/config";
import type { Evidence } from "../../jobs/lib/evidence";
import { newestEvidence } from "../../jobs/lib/newest";
import type { TestStorage } from "../../jobs/testing/storage";
import type { Verified } from "../../jobs/testing/verified";
import { metrics } from "../../plan/freshness";
import { evidencePrefix } from "../../plan/layout";
import type { Outcome } from "../fault";
import { cut } from "../report";

/** Where copies of a repository of site `prod` lie. */
export interface Copies {
  storage: TestStorage;
  copiesBucket: string;
  repository: string;
}

/** Flips a bit in the middle of a file's content. */
export function flipped(content: Buffer): Buffer {
  const copy = Buffer.from(content);
  copy[Math.floor(copy.length / 2)]! ^= 1;
  return copy;
}

/** Flips a bit of the largest object with such a name, which no identity may do. @returns its name */
export async function flipInCopy({ storage, copiesBucket }: Copies, pattern: RegExp): Promise<string> {
  const names = (await storage.names(copiesBucket)).filter((name) => pattern.test(name));
  const all = await Promise.all(
    names.map(async (name) => ({ name, content: (await storage.bytes(copiesBucket, name))! })),
  );
  const [largest] = all.sort((a, b) => b.content.length - a.content.length);
  assert.ok(largest, `no object of the copy is ${pattern}`);
  storage.appendOnly.delete(copiesBucket);
  await storage.put(copiesBucket, largest.name, flipped(largest.content));
  storage.appendOnly.add(copiesBucket);
  return largest.name;
}

/** What the exporter would tell: the moment of the newest verification that ended so, in seconds. */
export const newest = async (
  { storage, copiesBucket, repository }: Copies,
  result: "ok" | "failed",
  now = new Date(),
): Promise<number> =>
  newestEvidence(
    "prod",
    repository,
    result,
    (await storage.names(copiesBucket)).filter((name) => name.startsWith(evidencePrefix("prod"))),
    now,
  );

/** A verification that failed, and the metric that says so. */
export async function failedOver(
  { code, last, path, evidence }: Verified,
  copies: Copies,
  what: RegExp,
): Promise<Pick<Outcome, "noticed" | "signal">> {
  assert.equal(code, FINAL_EXIT_CODE, JSON.stringify(last));
  assert.ok(path?.endsWith("-failed.json"), path);
  const problem = evidence?.problems.find((line) => what.test(line));
  assert.ok(problem, JSON.stringify(evidence?.problems));
  const [failed, ok] = [await newest(copies, "failed"), await newest(copies, "ok")];
  assert.ok(failed > ok, `the metric of failures is ${failed}, that of successes ${ok}`);
  return {
    noticed: `the verification: ${cut(problem, 120)}`,
    signal: { kind: "metric", name: metrics.verification, value: failed },
  };
}

/** The evidence of a copy that came back whole. @throws when it did not */
export function whole({ code, last, evidence }: Verified): Evidence {
  assert.equal(code, 0, JSON.stringify(last));
  assert.deepEqual([evidence?.result, evidence?.problems], ["ok", []]);
  return evidence!;
}
