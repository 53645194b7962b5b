/** Cassandra's own tool beside a node of the local cloud, as `kubectl exec … nodetool` is in a real one. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { V1Pod } from "@kubernetes/client-node";
import { loadTools } from "../../sandbox/toolchain";

const SCRIPT = join(__dirname, "..", "..", "sandbox", "images", "cassandra", "cassandra.sh");
/** Longest time that a command may take. */
const TIMEOUT_MS = 300_000;

/** Runs nodetool for a pod. @returns what it prints @throws when it fails, with what it says */
export async function nodetool({ metadata, status }: V1Pod, ...args: string[]): Promise<string> {
  const { lib, java } = loadTools().cassandra;
  const env = { ...process.env, NODE_IP: status?.podIP ?? "", CASSANDRA_LIB: lib, JAVA: java };
  try {
    const { stdout } = await promisify(execFile)("sh", [SCRIPT, "nodetool", ...args], { env, timeout: TIMEOUT_MS });
    return stdout;
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    throw new Error(`nodetool ${args.join(" ")} of ${metadata?.name}: ${stderr?.trim() || message}`);
  }
}
