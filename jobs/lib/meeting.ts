/**
 * Where the datacenters of a cluster meet before they are restored, so that all stop together: a datacenter that went on
 * running would tell the restored ones of the members they had before, nodes that nobody will ever see again, but that own tokens.
 *
 * Each writes who it is (the uid of its CassandraDatacenter) and whom it has seen, and goes when every other one has seen it.
 * An object that an earlier cluster left has seen another uid, so it lets nobody run ahead; one of an attempt that was killed
 * holds for the next attempt, so a restart goes on where it was, also when the others have gone.
 */
import { z } from "zod";
import { readyPath, readyPrefix } from "../../plan/layout";
import { JobError, log, some } from "./log";
import { parseDocument } from "./manifest";
import { listUnder, readObjects, writeObject } from "./rclone";
import { waitFor } from "./wait";

/** `ready/<marker>/<datacenter>`. */
const readySchema = z.object({
  version: z.literal(1),
  /** Of the CassandraDatacenter: another cluster of the same name has another one. */
  uid: z.string().min(1),
  /** uids of the others as this one has seen them. */
  seen: z.record(z.string(), z.string()),
});
export type Ready = z.infer<typeof readySchema>;

/** Arguments of {@link meet}. */
export interface Meeting {
  bucket: string;
  marker: string;
  datacenter: string;
  /** All that meet, this one included. */
  datacenters: string[];
  /** uid of this one's CassandraDatacenter. */
  uid: string;
  timeoutSeconds: number;
  pollSeconds: number;
}

/** Waits until every datacenter has seen this one. @throws JobError when one does not come in time */
export async function meet(meeting: Meeting): Promise<void> {
  const { bucket, marker, datacenter, datacenters, uid } = meeting;
  const own = readyPath(marker, datacenter);
  await waitFor<true, string[]>(
    async () => {
      const all = await readAll(meeting);
      const { ready, waits } = step(datacenter, uid, datacenters, all);
      if (JSON.stringify(all.get(datacenter)) !== JSON.stringify(ready)) {
        await writeObject(bucket, own, JSON.stringify(ready));
        // What was just said counts as soon as it is there.
        return waits.length === 0 ? { done: true } : { seen: waits };
      }
      return waits.length === 0 ? { done: true } : { seen: waits };
    },
    {
      timeoutSeconds: meeting.timeoutSeconds,
      pollSeconds: Math.min(meeting.pollSeconds, 1),
      onTimeout: (missing) =>
        new JobError("not every datacenter became ready to be restored", {
          value: some(missing ?? []),
          allowed: `all of ${datacenters.join(", ")}, each having seen the others`,
          fix: "see why the restore Job of that datacenter's region does not run; this one may be started again",
        }),
    },
  );
  log("every datacenter is ready", { datacenters });
}

/**
 * What a datacenter has to say, given what all have said, and for whom it still waits. Pure.
 * @param all what was read; an entry for each datacenter that has said something
 */
export function step(
  datacenter: string,
  uid: string,
  datacenters: readonly string[],
  all: ReadonlyMap<string, Ready>,
): { ready: Ready; waits: string[] } {
  const others = datacenters.filter((each) => each !== datacenter);
  const seen = Object.fromEntries(
    others.flatMap((each) => (all.has(each) ? [[each, all.get(each)!.uid]] : [])).sort(),
  ) as Record<string, string>;
  const waits = others.filter((each) => all.get(each)?.seen[datacenter] !== uid);
  return { ready: { version: 1, uid, seen }, waits };
}

async function readAll({ bucket, marker, datacenters }: Meeting): Promise<Map<string, Ready>> {
  const present = await listUnder(bucket, readyPrefix(marker));
  const paths = datacenters.map((each) => readyPath(marker, each)).filter((path) => present.has(path));
  const texts = await readObjects(bucket, paths);
  return new Map(
    datacenters.flatMap((each): [string, Ready][] => {
      const path = readyPath(marker, each);
      const text = texts.get(path);
      return text === undefined ? [] : [[each, parseDocument(readySchema, text, path)]];
    }),
  );
}
