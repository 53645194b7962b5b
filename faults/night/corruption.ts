/** Faults of Cassandra's files (D3): a flipped bit, a lost directory, a wiped node, a full disk; and of its members. docs/runbooks/d3-corruption.md has the same commands. */
import assert from "node:assert/strict";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { types } from "cassandra-driver";
import type { JobError } from "../../jobs/lib/log";
import { expectMembers } from "../../jobs/lib/members";
import { events } from "../../plan/events";
import { waitUntil } from "../../sandbox/lib/process";
import type { Fault } from "../fault";
import { closeRing, openRing, type RingStage, rowsAlone, rowsOf, saidSince, table, USER, writeRows } from "../ring";
import type { Group } from "../run";

const ROWS = 2000;
const DAMAGE = /CorruptSSTableException|CorruptBlockException|FSWriteError|FSDiskFullWriteError|FSReadError/;
let next = 0;

/** Rows that both nodes have on disk. @returns how many there are in all */
async function flushedRows({ nodes }: RingStage): Promise<number> {
  await writeRows(
    nodes[0],
    Array.from({ length: ROWS }, () => next++),
  );
  for (const node of nodes) await node.nodetool("flush", table[0]);
  return next;
}

/** Flips a bit in the middle of the largest file of a table's data. */
function flipBit(folder: string): string {
  const [file] = readdirSync(folder)
    .filter((name) => name.endsWith("-Data.db"))
    .sort((a, b) => statSync(join(folder, b)).size - statSync(join(folder, a)).size);
  assert.ok(file, `${folder} has no data`);
  const at = Math.floor(statSync(join(folder, file)).size / 2);
  const opened = openSync(join(folder, file), "r+");
  const byte = Buffer.alloc(1);
  readSync(opened, byte, 0, 1, at);
  byte[0] = byte[0]! ^ 1;
  writeSync(opened, byte, 0, 1, at);
  closeSync(opened);
  return file;
}

/** The wiped node is started as cass-operator's `replacenode` starts it; then it is compared alone. */
async function replace(stage: RingStage, node: RingStage["nodes"][number], rows: number): Promise<void> {
  await node.kill();
  node.wipe();
  await node.restart(node.address);
  assert.equal(await rowsAlone(stage, node), rows, "rows on the node that was replaced");
}

/** Lets a node write what it cannot. @returns what it has logged of that since it had logged `from` characters */
async function failedFlush(node: RingStage["nodes"][number], from: number): Promise<string> {
  await node.nodetool("flush", table[0]).catch(() => undefined);
  const line = saidSince(node, from, DAMAGE);
  assert.ok(line, "the node logged nothing of what it could not write");
  return line;
}

const corruption: Fault<RingStage> = {
  id: "sstable-corruption",
  fault: "a bit is flipped in an SSTable of a node that runs",
  rows: ["D3", "S1"],
  alert: "cassandra-corruption",
  mayLoseSeconds: 0,
  inject: async (stage) => {
    const node = stage.nodes[1];
    const rows = await flushedRows(stage);
    const from = node.words.length;
    const file = flipBit(node.tableFolder(...table));
    await assert.rejects(node.nodetool("verify", "--extended-verify", "--force", ...table), "verify passed");
    await rowsOf(node).catch(() => undefined);
    const line = saidSince(node, from, DAMAGE);
    assert.ok(line, "the node logged no corruption");
    // A file in which a read has met damage is left alone by every compaction, scrub among them, until the node starts again.
    await node.kill();
    await node.restart();
    await node.nodetool("scrub", "--skip-corrupted", ...table);
    await node.nodetool("repair", "--full", ...table);
    await node.nodetool("verify", "--extended-verify", "--force", ...table);
    assert.equal(await rowsAlone(stage, node), rows, "rows on the node that was scrubbed and repaired");
    return {
      noticed: `nodetool verify and the node's log name ${file}`,
      signal: { kind: "text", namespace: "cassandra", text: line },
      recovered: `a restart, scrub and repair; ${rows} rows on that node alone`,
      lostSeconds: 0,
    };
  },
};

const directoryLost: Fault<RingStage> = {
  id: "data-directory-lost",
  fault: "the directory of a table is removed below a node that runs",
  rows: ["D3", "S1"],
  alert: "cassandra-corruption",
  mayLoseSeconds: 0,
  inject: async (stage) => {
    const [neighbour, node] = stage.nodes;
    const rows = await flushedRows(stage);
    const from = node.words.length;
    rmSync(node.tableFolder(...table), { recursive: true });
    await writeRows(neighbour, [next++], types.consistencies.one);
    const line = await failedFlush(node, from);
    await replace(stage, node, rows + 1);
    return {
      noticed: "the node cannot write its table",
      signal: { kind: "text", namespace: "cassandra", text: line },
      recovered: `the node was replaced; ${rows + 1} rows on it alone`,
      lostSeconds: 0,
    };
  },
};

const wiped: Fault<RingStage> = {
  id: "node-wiped",
  fault: "a node comes back with an empty disk",
  rows: ["D3", "S1"],
  alert: "cassandra-node-down",
  mayLoseSeconds: 0,
  inject: async (stage) => {
    const [neighbour, node] = stage.nodes;
    const rows = await flushedRows(stage);
    await node.kill();
    node.wipe();
    await assert.rejects(node.restart(), "it joined as if it were a new node");
    await writeRows(neighbour, [next++], types.consistencies.one);
    await replace(stage, node, rows + 1);
    return {
      noticed: "the ring refuses it, so that its pod never becomes ready",
      signal: { kind: "metric", name: "kube_statefulset_status_replicas_ready", value: 0 },
      recovered: `the node was replaced; ${rows + 1} rows on it alone, one of them written meanwhile`,
      lostSeconds: 0,
    };
  },
};

const diskFull: Fault<RingStage> = {
  id: "disk-full",
  fault: "the disk of a node takes no more",
  rows: ["D3", "S1"],
  alert: "cassandra-corruption",
  mayLoseSeconds: 0,
  inject: async (stage) => {
    const [neighbour, node] = stage.nodes;
    const rows = await flushedRows(stage);
    const from = node.words.length;
    await node.fillDisk(...table);
    await writeRows(neighbour, [next++]);
    const line = await failedFlush(node, from);
    // It serves nobody any more, so that nobody is told what it cannot keep; the others do.
    await assert.rejects(rowsOf(node), "a node that cannot write still answers");
    await writeRows(neighbour, [next++], types.consistencies.one);
    // Its volume is larger now.
    await node.kill();
    await node.restart();
    await node.nodetool("repair", "--full", ...table);
    assert.equal(await rowsAlone(stage, node), rows + 2, "rows on the node whose disk was full");
    return {
      noticed: "the node cannot write its table, and leaves its clients to the others",
      signal: { kind: "text", namespace: "cassandra", text: line },
      recovered: `with room again a restart and a repair; ${rows + 2} rows on that node alone, one of them written meanwhile`,
      lostSeconds: 0,
    };
  },
};

const memberGone: Fault<RingStage> = {
  id: "member-gone",
  fault: "a restored datacenter was told of a node that nobody will see again",
  rows: ["D2", "S1"],
  alert: "restore-failed",
  mayLoseSeconds: 0,
  // The last row of its stage: the node does not come back.
  inject: async ({ nodes: [neighbour, node] }) => {
    await node.kill();
    const folder = mkdtempSync(join(tmpdir(), "member-gone-"));
    const credentials = { usernameFile: join(folder, "username"), passwordFile: join(folder, "password") };
    for (const file of Object.values(credentials)) writeFileSync(file, USER);
    const access = { contactPoints: [neighbour.address], port: 9042, ...credentials };
    const look = () => expectMembers(access, "emea", 1, { timeoutSeconds: 2, pollSeconds: 1 });
    try {
      await assert.rejects(rowsOf(neighbour, types.consistencies.localQuorum), "a quorum without it is none");
      const down = async () => new RegExp(`^DN +${node.address} `, "m").test(await neighbour.nodetool("status"));
      await waitUntil("the node to be taken for dead", down, { timeoutMs: 90_000, everyMs: 1000 });
      const error = await look().then(
        () => assert.fail("it was not noticed"),
        (each: JobError) => each,
      );
      const [, hostId] = new RegExp(`^${node.address} \\((\\S+)\\)$`).exec(String(error.details.value)) ?? [];
      assert.ok(hostId, `${error.message} names another one`);
      await neighbour.nodetool("removenode", hostId);
      await look();
      return {
        noticed: "the restore ends with its address and host id, and does not wait for a quorum with it",
        signal: { kind: "log", command: "restore-cassandra", line: { event: events.jobFailed, error: error.what } },
        recovered: "nodetool removenode of that id; then the restore's check passes",
        lostSeconds: 0,
      };
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

/** Rows of corruption, which need nodes of Cassandra alone. */
export const corruptionGroup: Group<RingStage> = {
  stage: "two nodes of Cassandra",
  open: openRing,
  close: closeRing,
  faults: [corruption, wiped, directoryLost, diskFull, memberGone],
};
