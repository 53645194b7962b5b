/** A Cassandra backup of many objects through the gate: for a test of what it takes in memory. */
import { gate } from "../lib/gate";
import type { KeyedFile } from "../lib/lists";
import { metaPath } from "../lib/medusa";

const [P, B, ID] = ["cassandra", "night-emea-20260115t010000z", "0".repeat(32)];
const md5 = "a".repeat(32);

/** @param hold keep every object, as a control. @returns how many objects the backup has */
export default async function run(input: { nodes: number; objects: number; hold: boolean }): Promise<number> {
  const hosts = Array.from({ length: input.nodes }, (_, index) => `node-${index}`);
  const each = Math.floor(input.objects / input.nodes);
  const path = (host: string, index: number) =>
    `${P}/${host}/data/media/files-${ID}/nb-${String(index).padStart(9, "0")}-big-Data.db`;
  const held: KeyedFile[] = [];
  let count = 0;
  const { problems } = await gate(
    P,
    B,
    { nodes: hosts.length, racks: ["rack1"] },
    {
      hosts,
      meta: async (host) => {
        const objects = Array.from({ length: each }, (_, index) => ({ path: path(host, index), MD5: md5, size: 1 }));
        return {
          host,
          manifest: JSON.stringify([{ keyspace: "media", columnfamily: `files-${ID}`, objects }]),
          schema: "CREATE TABLE media.files (id int PRIMARY KEY);",
          tokenmap: JSON.stringify({ [host]: { tokens: [1], rack: "rack1" } }),
          version: "{}",
        };
      },
      listing: async function* (folder) {
        const host = hosts.find((name) => folder === `${P}/${name}/`);
        const names = function* () {
          if (host === undefined) yield* hosts.map((name) => `${folder}${B}/finished_${name}_1.timestamp`);
          else {
            for (let index = 0; index < each; index++) yield path(host, index);
            yield metaPath(P, host, B, "manifest.json");
          }
        };
        for (const name of names()) yield { name, key: name, size: 1, md5 };
      },
    },
    async (file) => {
      count++;
      if (input.hold) held.push({ ...file, key: file.name });
    },
  );
  if (problems.length > 0) throw new Error(problems.join());
  return held.length > count ? -1 : count;
}
