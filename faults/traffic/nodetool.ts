/** Cassandra's own tool beside a node of the local cloud, as `kubectl exec … nodetool` is in a real one. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { V1Pod } from "@kubernetes/client-node";
import { cassandraPrograms } from "../../sandbox/images/cassandra";
import { loadTools } from "../../sandbox/toolchain";

/** Longest time that a command may take. */
const TIMEOUT_MS = 300_000;

/** Runs nodetool for a pod, with the image's own programs. @throws when it fails, with what it says */
export async function nodetool({ metadata, status }: V1Pod, ...args: string[]): Promise<void> {
  const { mounts, env } = cassandraPrograms(loadTools());
  const script = join(mounts["/image"]!, "cassandra.sh");
  try {
    await promisify(execFile)("sh", [script, "nodetool", ...args], {
      env: { ...process.env, ...env, NODE_IP: status?.podIP ?? "" },
      timeout: TIMEOUT_MS,
    });
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    throw new Error(`nodetool ${args.join(" ")} of ${metadata?.name}: ${stderr?.trim() || message}`);
  }
}
