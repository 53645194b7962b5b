/** Media as the foundation and the vault declare them, on the storage that does what Google's does: for rows of S6. */
import { setTimeout as sleep } from "node:timers/promises";
import {
  foundationConfig,
  MEDIA_BUCKETS,
  MEDIA_FLOOR,
  PROD_PROJECT,
  VAULT_PROJECT,
  vaultConfig,
} from "../drill/config";
import { type JobCommand, type JobInput, jobConfig } from "../jobs/config";
import { type JobRun, type RunningJob, startJob } from "../jobs/testing/job";
import type { IdentityId } from "../plan/identities";
import { type MediaRestore, mediaRestorerOf } from "../plan/media";
import { serviceAccountEmail } from "../plan/names";
import type { FoundationConfig, VaultConfig } from "../stacks/config";
import { parsed } from "../stacks/config/testing";
import { foundation } from "../stacks/foundation";
import { vault } from "../stacks/vault";
import { declared } from "../tests/lib/declared";
import { type GatewayStage, startGatewayStage } from "./stage";

/** A media bucket, its secondary, and who acts on them. */
export interface MediaStage extends GatewayStage {
  bucket: string;
  secondary: string;
  /** E-mail address of the product's services. */
  services: string;
  /** E-mail address of the replicator; it reads both buckets. */
  replicator: string;
  /** E-mail address of an identity of the vault. */
  ofVault(id: IdentityId): string;
  /** Starts the replication of a night; a breaker lets {@link MEDIA_FLOOR} objects pass. */
  replicate(): Promise<JobRun>;
  /** Sets both stacks' policies to what they declare with these restores. */
  open(restores: readonly MediaRestore[]): Promise<void>;
  /** Starts the job of a restore as its identity, whether it is open or not. */
  restore(restore: MediaRestore, more?: Partial<JobInput<"restore-media">>): Promise<RunningJob>;
  /** Contents of the live objects of a bucket by name. */
  contents(bucket: string): Promise<Record<string, string>>;
  /** Removes every object and version of both buckets, but not what is soft-deleted. */
  clear(): Promise<void>;
}

/** Objects that a night may remove or overwrite. */
export const NIGHT_LIMIT = MEDIA_FLOOR;

/** A restore of the whole bucket, with what differs. Its grants end a year from now: the clock is moved beyond two weeks. */
export function restoreOf(at: Date, change: Partial<MediaRestore> = {}): MediaRestore {
  return {
    id: "it",
    bucket: MEDIA_BUCKETS[0]!.name,
    at: at.toISOString(),
    overwrite: false,
    dryRun: false,
    expires: new Date(Date.now() + 365 * 24 * 3600_000).toISOString(),
    ...change,
  };
}

/** Starts the storage with the buckets of the drill's foundation and vault. */
export async function startMediaStage(): Promise<MediaStage> {
  const stage = await startGatewayStage();
  const { name: bucket, secondary } = MEDIA_BUCKETS[0]!;
  const ofVault = (id: IdentityId) => serviceAccountEmail(id, VAULT_PROJECT);
  const services = serviceAccountEmail("services", PROD_PROJECT);
  const replicator = ofVault("media-replicator");

  const run = async <C extends JobCommand>(command: C, email: string, config: JobInput<C>) =>
    startJob(command, jobConfig(command, config), await stage.as(email));
  const open: MediaStage["open"] = async (restores) => {
    // Beyond what a configuration may say: grants that outlive two weeks, as the cloud's clock is moved.
    const ofFoundation = parsed(foundationConfig(), "drill-foundation") as FoundationConfig;
    const ofTheVault = parsed(vaultConfig({ retentionDays: 7 }), "drill-vault") as VaultConfig;
    for (const program of [
      () => foundation({ ...ofFoundation, media: { ...ofFoundation.media, restores: [...restores] } }),
      () => vault({ ...ofTheVault, media: { ...ofTheVault.media!, restores: [...restores] } }),
    ])
      await stage.declare((await declared(program)).resources);
  };
  await open([]);

  return {
    ...stage,
    bucket,
    secondary,
    services,
    replicator,
    ofVault,
    async replicate() {
      const breaker = { share: 0, floor: NIGHT_LIMIT };
      return (await run("replicate-media", replicator, { bucket, secondary, breaker, transfers: 4 })).done;
    },
    open,
    async restore(restore, more = {}) {
      const { prefix, object, at, overwrite, dryRun } = restore;
      return run("restore-media", ofVault(mediaRestorerOf(restore)), {
        ...{ bucket, secondary, at, overwrite, dryRun, accessSeconds: 0, transfers: 4 },
        ...(prefix !== undefined && { prefix }),
        ...(object !== undefined && { object }),
        ...more,
      });
    },
    async contents(of) {
      const email = replicator;
      const found = await stage.list(email, of);
      const all = found.map(async ({ name }) => [name, (await stage.get(email, of, name))!] as const);
      return Object.fromEntries(await Promise.all(all));
    },
    async clear() {
      for (const [of, email] of [
        [bucket, services],
        [secondary, replicator],
      ] as const)
        for (const { name, generation } of await stage.list(email, of, "versions"))
          await stage.remove(email, of, name, generation);
    },
  };
}

/** The last line of a run. @throws when it did not end with this code */
export function summaryOf({ code, lines }: JobRun, expected = 0): Record<string, unknown> {
  const last = lines.at(-1) ?? {};
  if (code !== expected) throw new Error(`the job ended with ${code}, not ${expected}: ${JSON.stringify(last)}`);
  return last;
}

/** A moment between two deeds: times of objects have milliseconds. */
export async function aMoment(stage: Pick<MediaStage, "now">): Promise<Date> {
  await sleep(5);
  const moment = stage.now();
  await sleep(5);
  return moment;
}
