/**
 * What a rebuild cannot be faster than: the start of the same stacks without data, and a raw copy of the same bytes. Both are
 * measured in the drill's own run, so that their ratio to the RTO says something on any machine.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pLimit from "p-limit";
import { serviceAccountEmail } from "../plan/names";
import { COPIES_BUCKET, PROD, VAULT_PROJECT } from "./config";
import { stealToken } from "./sandbox";

/** A copy of objects onto the disk. */
export interface RawCopy {
  objects: number;
  bytes: number;
  seconds: number;
}

/** The floor of an RTO and what it is made of, in seconds. */
export interface Floor {
  /** `pulumi up` of the site that was lost: the same processes, without a restore. */
  startSeconds: number;
  copySeconds: number;
  copyBytes: number;
}

/** Greatest RTO as a multiple of its floor. */
export const FLOOR_BOUND = 2;

/** A floor beside the RTO that it bounds. */
export type FloorReport = Floor & { ratio: number; bound: number };

/** What a report says of an RTO and its floor; null when one of them is not known. */
export function besideFloor(rtoSeconds: number | null, floor: Floor | null): FloorReport | null {
  if (floor === null || rtoSeconds === null) return null;
  return { ...floor, ratio: overFloor(rtoSeconds, floor), bound: FLOOR_BOUND };
}

/**
 * The floor of a site that is restored from the second copies.
 * @param startSeconds of the same stacks without data
 * @param endpoint of the storage
 */
export async function measureFloor(startSeconds: number, endpoint: string): Promise<Floor> {
  const token = await stealToken(serviceAccountEmail("backup-replicator", VAULT_PROJECT));
  const { seconds, bytes } = await rawCopy(endpoint, token, COPIES_BUCKET, `${PROD}/`);
  return { startSeconds, copySeconds: seconds, copyBytes: bytes };
}

/** The RTO as a multiple of its floor. */
export function overFloor(rtoSeconds: number, floor: Floor): number {
  return rtoSeconds / (floor.startSeconds + floor.copySeconds);
}

/**
 * Reads every object below a prefix and writes it to a temporary folder, eight at a time; the folder is removed.
 * @param token of an identity that may list and get
 * @throws when the storage refuses
 */
export async function rawCopy(endpoint: string, token: string, bucket: string, prefix: string): Promise<RawCopy> {
  const get = async (path: string) => {
    const response = await fetch(new URL(path, endpoint), { headers: { authorization: `Bearer ${token}` } });
    if (!response.ok) throw new Error(`GET ${path} was answered ${response.status}: ${await response.text()}`);
    return response;
  };
  const folder = await mkdtemp(join(tmpdir(), "dr-floor-"));
  const started = Date.now();
  const limit = pLimit(8);
  let bytes = 0;
  try {
    const names = await namesBelow(get, bucket, prefix);
    await Promise.all(
      names.map((name, index) =>
        limit(async () => {
          const response = await get(`/storage/v1/b/${bucket}/o/${encodeURIComponent(name)}?alt=media`);
          const content = Buffer.from(await response.arrayBuffer());
          bytes += content.length;
          await writeFile(join(folder, String(index)), content);
        }),
      ),
    );
    return { objects: names.length, bytes, seconds: (Date.now() - started) / 1000 };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function namesBelow(get: (path: string) => Promise<Response>, bucket: string, prefix: string): Promise<string[]> {
  const names: string[] = [];
  let pageToken: string | undefined;
  do {
    const query = new URLSearchParams({ prefix, ...(pageToken && { pageToken }) });
    const page = (await (await get(`/storage/v1/b/${bucket}/o?${query}`)).json()) as {
      items?: { name: string }[];
      nextPageToken?: string;
    };
    names.push(...(page.items ?? []).map(({ name }) => name));
    pageToken = page.nextPageToken;
  } while (pageToken);
  return names;
}
