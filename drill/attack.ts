/**
 * An attacker holds the credentials of every production identity (D5). Each is tried against the second copy with a
 * plain storage client's requests; the answers counted are the storage's own.
 */
import { markerPath, markersPrefix, newestMarker } from "../plan/layout";
import { stealToken } from "./sandbox";

/** One refused or granted attempt. */
export interface Attempt {
  identity: string;
  operation: string;
  status: number;
}

export interface AttackResult {
  attempts: number;
  refused: number;
  /** What the storage let through: empty when the plan holds. */
  granted: Attempt[];
}

interface Request {
  operation: string;
  method: string;
  path: string;
  body?: string;
}

/** What an attacker would do to a bucket and an object that is known to be in it. */
export function attempts(bucket: string, object: string): Request[] {
  const target = `/storage/v1/b/${bucket}/o/${encodeURIComponent(object)}`;
  const upload = `/upload/storage/v1/b/${bucket}/o?uploadType=media&name=`;
  return [
    { operation: "list", method: "GET", path: `/storage/v1/b/${bucket}/o` },
    { operation: "read", method: "GET", path: `${target}?alt=media` },
    { operation: "create", method: "POST", path: `${upload}attack`, body: "x" },
    { operation: "overwrite", method: "POST", path: `${upload}${encodeURIComponent(object)}`, body: "x" },
    { operation: "delete", method: "DELETE", path: target },
    { operation: "change policy", method: "PUT", path: `/storage/v1/b/${bucket}/iam`, body: '{"bindings":[]}' },
    {
      operation: "change retention",
      method: "PATCH",
      path: `/storage/v1/b/${bucket}`,
      body: '{"retentionPolicy":null}',
    },
    { operation: "delete bucket", method: "DELETE", path: `/storage/v1/b/${bucket}` },
  ];
}

/**
 * Tries everything with every identity. Only 403 counts as refused: a 404 or a 5xx would mean that the attempt never
 * met the storage's decision.
 */
export async function attack(
  endpoint: string,
  identities: string[],
  bucket: string,
  object: string,
): Promise<AttackResult> {
  const all: Attempt[] = [];
  for (const identity of identities) {
    const token = await stealToken(identity);
    for (const { operation, method, path, body } of attempts(bucket, object)) {
      const response = await fetch(new URL(path, endpoint), {
        method,
        headers: { authorization: `Bearer ${token}`, ...(body ? { "content-type": "application/json" } : {}) },
        body,
      });
      await response.arrayBuffer();
      all.push({ identity, operation, status: response.status });
    }
  }
  const granted = all.filter((attempt) => attempt.status !== 403);
  return { attempts: all.length, refused: all.length - granted.length, granted };
}

/**
 * The newest marker of a site's copies, read as somebody who may: a control for the attack as well, because the same
 * storage answers the same kind of request.
 *
 * @throws when there is no marker, or the reader is refused
 */
export async function findMarker(endpoint: string, reader: string, bucket: string, site: string): Promise<string> {
  const headers = { authorization: `Bearer ${await stealToken(reader)}` };
  const list = await fetch(
    new URL(`/storage/v1/b/${bucket}/o?prefix=${encodeURIComponent(markersPrefix(site))}`, endpoint),
    { headers },
  );
  const names = ((await list.json()) as { items?: { name: string }[] }).items?.map((item) => item.name) ?? [];
  const marker = newestMarker(site, names);
  if (!list.ok || !marker) throw new Error(`${reader} found no marker of ${site} in ${bucket} (HTTP ${list.status})`);
  const path = markerPath(site, marker);
  const read = await fetch(new URL(`/storage/v1/b/${bucket}/o/${encodeURIComponent(path)}?alt=media`, endpoint), {
    headers,
  });
  await read.arrayBuffer();
  if (!read.ok) throw new Error(`${reader} cannot read ${bucket}/${path} (HTTP ${read.status})`);
  return path;
}
