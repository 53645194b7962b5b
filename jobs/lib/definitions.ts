/** What indices name and do not carry: ingest pipelines and lifecycle policies are the cluster's, and no restore brings them. */
import { type Elasticsearch, find } from "./elastic";

/** Settings of an index that name a pipeline. */
const PIPELINES = ["index.default_pipeline", "index.final_pipeline"] as const;
const POLICY = "index.lifecycle.name";

/** Means no pipeline. */
const NONE = "_none";

/** Pipelines and policies that some of these indices name and the cluster does not have, one line each. */
export async function lackingDefinitions(call: Elasticsearch, indices: readonly { name: string }[]): Promise<string[]> {
  const url = `/_all/_settings/${[...PIPELINES, POLICY].join(",")}?flat_settings=true`;
  const settings = (await find<Record<string, { settings?: Record<string, string> }>>(call, url)) ?? {};
  const users = new Map<string, string[]>();
  for (const { name } of indices) {
    for (const key of [...PIPELINES, POLICY]) {
      const value = settings[name]?.settings?.[key];
      if (value === undefined || value === "" || value === NONE) continue;
      const what = `${key === POLICY ? "lifecycle policy" : "ingest pipeline"} "${value}"`;
      users.set(what, [...(users.get(what) ?? []), name]);
    }
  }
  const named = (kind: string) => [...users.keys()].some((what) => what.startsWith(kind));
  // Neither is asked for in vain: a cluster without any answers 404, and not every server knows policies.
  const present = new Set([
    ...(named("ingest pipeline") ? await namesOf(call, "/_ingest/pipeline", "ingest pipeline") : []),
    ...(named("lifecycle policy") ? await namesOf(call, "/_ilm/policy", "lifecycle policy") : []),
  ]);
  return [...users].filter(([what]) => !present.has(what)).map(([what, names]) => `${what} of ${summed(names)}`);
}

async function namesOf(call: Elasticsearch, path: string, kind: string): Promise<string[]> {
  const found = await find<Record<string, unknown>>(call, path);
  return Object.keys(found ?? {}).map((name) => `${kind} "${name}"`);
}

/** Names of one line: an alias that rolls over has hundreds of indices. */
const summed = (names: readonly string[]): string =>
  names.length <= 3 ? names.join(", ") : `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`;
