/**
 * Brings one index back from a snapshot of the site's own while the site goes on serving (D3). It is restored under a name of its
 * own, beside the one that lives; only when it is whole it takes that one's place, where that was asked for, by one call: nobody
 * finds neither. An index that is gone comes back under its name. Everything is checked first.
 *
 * May be killed and repeated: backup and name are chosen once, an index that came from the snapshot is recognised, and the switch
 * is done or not. The repository is listed as a stream: memory does not grow with it.
 */
import { recoveredIndex } from "../plan/recovery";
import { elasticsearchVersion } from "../plan/versions";
import type { JobConfig } from "./config";
import { connect, type Elasticsearch, find, repositoryBody, snapshotRepository } from "./lib/elastic";
import { checkIndices, hasSnapshot, judge, type ManifestIndex, recoveriesOf, wholeIndices } from "./lib/indices";
import { listFolders } from "./lib/listing";
import { type Fields, JobError, log, some } from "./lib/log";
import { bucketUrl, readObject } from "./lib/rclone";
import { notNewer, Recovery } from "./lib/recovery";
import { repositoryProblems } from "./lib/repository-listing";
import { uuidsOf } from "./lib/restored-indices";

type Config = JobConfig<"restore-index">;

/** An index's aliases with their settings, as `GET /<index>/_alias` tells them. */
type Aliases = Record<string, Record<string, unknown>>;

/** The index that answers to a name: of that name, or behind an alias of it. */
interface Living {
  index: string;
  aliases: Aliases;
}

/** Runs the job. @throws JobError when something does not fit or is missing; nothing was changed then. */
export async function restoreIndex(config: Config): Promise<Fields> {
  const { id, bucket, repository, backup, before, index, replace } = config;
  const what = { index, replace };
  const recovery = await Recovery.open({ id, kind: "index", bucket, repository, backup, before, what });
  if (recovery.done) return { recovery: id, backup: recovery.backup, note: "done before", ...recovery.result };
  const wanted = wantedIndex(config, recovery);
  const call = await connect(config.elasticsearch);
  await whole(call, config, recovery.backup, wanted);
  const living = await livingIndex(call, index);
  const target = await targetOf(call, config, recovery, living);
  const there = await recoveriesOf(call, target);
  if (there === undefined) await restore(call, config, recovery.backup, target);
  // Its shards may not tell any more where they came from when all of it is whole.
  if (judge(there, 0, recovery.backup) !== "empty") await recovery.once(await thisOne(call, target), async () => {});
  await wholeIndices(call, [{ name: target }], recovery.backup, config);
  const documents = (await checkIndices(call, [{ ...wanted, name: target }]))[target] ?? 0;
  const recorded = recovery.did(await thisOne(call, target));
  if (judge(await recoveriesOf(call, target), documents, recovery.backup, recorded) !== "present") {
    throw new JobError(`index "${target}" is not the one of the backup`, {
      allowed: `an index whose every shard came from snapshot ${recovery.backup}`,
      fix: "somebody made it meanwhile: delete it if nobody needs it, then start this Job again; or recover under another id, with replace",
    });
  }
  const replaced = replace ? await takePlace(call, index, target) : undefined;
  const result = { index: target, documents, ...(replaced !== undefined && { replaced }) };
  await recovery.finish(result);
  return { recovery: id, backup: recovery.backup, ...result };
}

/** The index as the manifest lists it. @throws JobError when the backup does not have it or is of a newer version */
function wantedIndex({ index }: Config, { manifest, backup }: Recovery): ManifestIndex {
  if (manifest.kind !== "elasticsearch") {
    throw new JobError(`the manifest of ${manifest.repository} is not Elasticsearch's`, { final: true });
  }
  notNewer("Elasticsearch", manifest.versions.elasticsearch, elasticsearchVersion);
  const found = manifest.indices.find(({ name }) => name === index);
  if (found !== undefined) return found;
  throw new JobError(`backup ${backup} has no index "${index}"`, {
    value: index,
    allowed: some(manifest.indices.map(({ name }) => name).sort(), 30),
    fix: "name an index of the backup, none of its aliases; or a backup from before it was deleted",
    final: true,
  });
}

/** The cluster reads the repository, and what makes up the index in the snapshot is there. */
async function whole(call: Elasticsearch, config: Config, backup: string, index: ManifestIndex): Promise<void> {
  const { bucket, repository } = config;
  const url = `/_snapshot/${snapshotRepository}`;
  if ((await find(call, url)) === undefined) await call("PUT", url, repositoryBody(bucket, repository, false));
  const fix = "name an older backup, and look into the bucket: its soft-deleted objects can be brought back";
  const uuid = await hasSnapshot(call, backup, [index], fix);
  const problems = await repositoryProblems(
    repository,
    { snapshot: backup, uuid },
    new Map([[index.name, index.shards]]),
    () => listFolders(bucket, "", [`${repository}/`]),
    (name) => readObject(bucket, name),
  );
  if (problems.length === 0) return;
  throw new JobError(`snapshot ${backup} is not whole in ${bucketUrl(bucket)}/${repository}`, {
    value: some(problems),
    allowed: "the repository's own listing with the snapshot in it, and every object that it names",
    fix,
    final: true,
  });
}

/** @throws JobError when the name stands for several indices */
async function livingIndex(call: Elasticsearch, name: string): Promise<Living | undefined> {
  const found = await find<Record<string, { aliases: Aliases }>>(call, `/${encodeURIComponent(name)}/_alias`);
  const indices = Object.entries(found ?? {});
  if (indices.length === 0) return undefined;
  const [[index, { aliases }]] = indices as [(typeof indices)[number]];
  if (indices.length === 1) {
    // Asked by an alias, Elasticsearch tells that one alone.
    if (index === name) return { index, aliases };
    return { index, aliases: (await aliasesOf(call, index)) ?? aliases };
  }
  throw new JobError(`"${name}" stands for several indices`, {
    value: some(indices.map(([each]) => each)),
    allowed: "an index, or an alias of one",
    fix: "take the alias from all but one of them, or delete those that nobody needs",
    final: true,
  });
}

async function aliasesOf(call: Elasticsearch, index: string): Promise<Aliases | undefined> {
  return (await find<Record<string, { aliases: Aliases }>>(call, `/${encodeURIComponent(index)}/_alias`))?.[index]
    ?.aliases;
}

/** Name that the index is restored under, decided once. */
async function targetOf(
  call: Elasticsearch,
  { id, index }: Config,
  recovery: Recovery,
  living: Living | undefined,
): Promise<string> {
  const names = [index, recoveredIndex(index, id)] as const;
  const known = names.find((name) => recovery.did(`as ${name}`));
  if (known !== undefined) return known;
  const target = names[living === undefined ? 0 : 1];
  if (living !== undefined && (await livingIndex(call, target)) !== undefined) {
    throw new JobError(`there is an index "${target}" already`, {
      value: target,
      allowed: "a name that is free: the index's, a hyphen and the recovery's id",
      fix: "give the recovery another id, or delete the index if nobody needs it",
      final: true,
    });
  }
  await recovery.changing();
  await recovery.once(`as ${target}`, async () => log("restores", { index, as: target }));
  return target;
}

/** The step by which a recovery records which index it has made: another one of that name has another uuid. */
async function thisOne(call: Elasticsearch, target: string): Promise<string> {
  return `${target} is ${(await uuidsOf(call, target)).get(target)}`;
}

async function restore(
  call: Elasticsearch,
  { index, timeoutSeconds }: Config,
  backup: string,
  target: string,
): Promise<void> {
  const url = `/_snapshot/${snapshotRepository}/${backup}/_restore?wait_for_completion=false`;
  const body = {
    indices: index,
    include_global_state: false,
    // One that comes beside another would share its aliases.
    include_aliases: target === index,
    ...(target !== index && { rename_pattern: ".+", rename_replacement: target }),
  };
  await call("POST", url, body, timeoutSeconds);
}

/**
 * Lets an index answer to a name, in place of the one that did, with its aliases: one call, so that there is always one.
 * @returns the index that went; undefined when the name is the index's own already, or nothing answered to it
 */
async function takePlace(call: Elasticsearch, name: string, target: string): Promise<string | undefined> {
  const living = await livingIndex(call, name);
  if (living?.index === target) return undefined;
  const aliases = Object.entries({ ...living?.aliases, [name]: living?.aliases[name] ?? {} });
  const actions = [
    ...(living ? [{ remove_index: { index: living.index } }] : []),
    ...aliases.map(([alias, settings]) => ({ add: { index: target, alias, ...settings } })),
  ];
  await call("POST", "/_aliases", { actions });
  log("took the place", { name, index: target, replaced: living?.index ?? null });
  return living?.index;
}
