/** `GET /b/BUCKET/o`: live objects, with `versions` noncurrent ones too, with `softDeleted` those alone that can be restored. */
import { CloudError } from "../lib/types";
import { byBytes, type ObjectResource, type Upstream } from "./upstream";
import type { KeptVersion, Versions } from "./versions";

const PAGE = 1000;

/** Where a page begins: after a version of a name, or after everything below a prefix. */
type After = { name: string; generation: string } | { prefix: string };

interface Query {
  prefix: string;
  delimiter: string;
  startOffset: string;
  endOffset: string;
  includeTrailingDelimiter: boolean;
  maxResults: number;
  versions: boolean;
  softDeleted: boolean;
  after: After | undefined;
}

/** A page as the API answers. @throws CloudError 400 for a query that Google, or the sandbox, does not take */
export async function listPage(
  bucket: string,
  url: URL,
  { upstream, versions }: { upstream: Upstream; versions: Versions },
): Promise<Record<string, unknown>> {
  const query = queryOf(url.searchParams);
  const [items, prefixes]: [ObjectResource[], string[]] = [[], []];
  let last: After | undefined;
  for (const item of await candidates(bucket, query, { upstream, versions })) {
    if (query.endOffset && byBytes(item.name, query.endOffset) >= 0) break;
    if (isBefore(item, query.after)) continue;
    const folder = folderOf(item.name, query);
    if (folder !== undefined && folder === prefixes.at(-1) && !isShown(item.name, folder, query)) continue;
    if (items.length + prefixes.length >= query.maxResults) return page(items, prefixes, last);
    if (folder !== undefined && folder !== prefixes.at(-1)) {
      prefixes.push(folder);
      last = { prefix: folder };
    }
    if (folder === undefined || isShown(item.name, folder, query)) {
      items.push(item);
      if (folder === undefined) last = { name: item.name, generation: item.generation };
    }
  }
  return page(items, prefixes);
}

function page(items: ObjectResource[], prefixes: string[], next?: After): Record<string, unknown> {
  return {
    kind: "storage#objects",
    ...(items.length ? { items } : {}),
    ...(prefixes.length ? { prefixes } : {}),
    ...(next ? { nextPageToken: Buffer.from(JSON.stringify(next)).toString("base64url") } : {}),
  };
}

/** Everything from the page's beginning on, by name and then generation. */
async function candidates(
  bucket: string,
  query: Query,
  { upstream, versions }: { upstream: Upstream; versions: Versions },
): Promise<ObjectResource[]> {
  const { after, prefix, startOffset } = query;
  const begin = after && ("prefix" in after ? after.prefix : after.name);
  const from = begin !== undefined && byBytes(begin, startOffset) > 0 ? begin : startOffset;
  const live = await upstream.list(bucket, prefix, from);
  if (!query.versions && !query.softDeleted) return live;
  const liveByName = new Map(live.map((item) => [item.name, item]));
  const kept = [...versions.names(bucket)]
    .filter((name) => name.startsWith(prefix) && byBytes(name, from) >= 0)
    .flatMap((name) => versions.of(bucket, name, liveByName.get(name)))
    .filter(({ soft }) => (soft !== undefined) === query.softDeleted)
    .map(shown);
  return [...(query.softDeleted ? [] : live), ...kept].sort(
    (a, b) => byBytes(a.name, b.name) || Number(a.generation) - Number(b.generation),
  );
}

/** A version as the API shows it. */
export const shown = ({ resource, soft }: KeptVersion): ObjectResource => ({ ...resource, ...soft });

function queryOf(params: URLSearchParams): Query {
  const text = (name: string) => params.get(name) ?? "";
  const flag = (name: string) => params.get(name) === "true";
  const given = text("maxResults") === "" ? PAGE : Number(text("maxResults"));
  if (!(Number.isInteger(given) && given >= 0)) throw invalid(`Invalid maxResults "${text("maxResults")}"`);
  if (flag("versions") && flag("softDeleted")) throw invalid("versions and softDeleted cannot both be true");
  if (params.has("matchGlob")) throw invalid("the sandbox does not know matchGlob; use prefix");
  return {
    prefix: text("prefix"),
    delimiter: text("delimiter"),
    startOffset: text("startOffset"),
    endOffset: text("endOffset"),
    includeTrailingDelimiter: flag("includeTrailingDelimiter"),
    maxResults: Math.min(given || PAGE, PAGE),
    versions: flag("versions"),
    softDeleted: flag("softDeleted"),
    after: afterOf(text("pageToken")),
  };
}

function afterOf(token: string): After | undefined {
  if (token === "") return undefined;
  try {
    return JSON.parse(Buffer.from(token, "base64url").toString("utf8")) as After;
  } catch {
    throw invalid(`Invalid page token "${token}"`);
  }
}

function isBefore({ name, generation }: ObjectResource, after: After | undefined): boolean {
  if (after === undefined) return false;
  if ("prefix" in after) return name.startsWith(after.prefix) || byBytes(name, after.prefix) < 0;
  const order = byBytes(name, after.name);
  return order < 0 || (order === 0 && Number(generation) <= Number(after.generation));
}

/** The prefix that stands for a name, where the query has a delimiter. */
function folderOf(name: string, { prefix, delimiter }: Query): string | undefined {
  if (delimiter === "") return undefined;
  const end = name.indexOf(delimiter, prefix.length);
  return end < 0 ? undefined : name.slice(0, end + delimiter.length);
}

const isShown = (name: string, folder: string, { includeTrailingDelimiter }: Query): boolean =>
  includeTrailingDelimiter && name === folder;

const invalid = (message: string) => new CloudError(400, "invalid", message);
