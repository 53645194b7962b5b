/** The second copy of a repository's newest backup, by the real job. */
import assert from "node:assert/strict";
import { jobConfig } from "../config";
import { startJob } from "./job";
import { signingKey, type TestKms } from "./kms";
import type { TestStorage } from "./storage";

/** Where a repository is, and where its copies lie. */
export interface Replicated {
  bucket: string;
  copiesBucket: string;
  repository: string;
}

/** Copies site `prod`'s repository; its manifest is there already. @throws when the job fails */
export async function replicated(
  storage: TestStorage,
  kms: TestKms,
  { bucket, copiesBucket, repository }: Replicated,
): Promise<void> {
  const config = jobConfig("replicate", {
    site: "prod",
    bucket,
    copiesBucket,
    repositories: [repository],
    signingKey,
    markerKeys: [kms.pem],
    waitSeconds: 0,
  });
  const { code, lines } = await (await startJob("replicate", config, { ...storage.env, ...kms.env })).done;
  assert.equal(code, 0, JSON.stringify(lines.at(-1)));
}
