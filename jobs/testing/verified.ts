/** Runs the deep verification of a copy and picks what it leaves. */
import { setTimeout as sleep } from "node:timers/promises";
import { type JobInput, jobConfig } from "../config";
import { type Evidence, evidenceSchema } from "../lib/evidence";
import { type JobRun, startJob } from "./job";
import type { TestStorage } from "./storage";

/** What a verification found. */
export interface Verified extends JobRun {
  /** The job's summary. */
  last: Record<string, unknown>;
  /** Where its evidence lies, and what it says; undefined: it left none. */
  path: string | undefined;
  evidence: Evidence | undefined;
}

/**
 * Runs it to its end.
 * @param address of the throwaway server, as the pod would be told it
 * @throws when it left more than one object
 */
export async function verified(
  storage: TestStorage,
  config: JobInput<"verify-copy">,
  address: string,
): Promise<Verified> {
  const { copiesBucket } = config;
  // Names of evidence differ by the second.
  await sleep(1000);
  const known = new Set(await storage.names(copiesBucket));
  const env = { ...storage.env, POD_IP: address };
  const { code, lines } = await (await startJob("verify-copy", jobConfig("verify-copy", config), env)).done;
  const [path, ...more] = (await storage.names(copiesBucket)).filter((name) => !known.has(name));
  if (more.length > 0) throw new Error(`a verification leaves one object, not ${[path, ...more].join(", ")}`);
  const text = path && (await storage.get(copiesBucket, path));
  const evidence = text ? evidenceSchema.parse(JSON.parse(text)) : undefined;
  return { code, lines, last: lines.at(-1)!, path, evidence };
}
