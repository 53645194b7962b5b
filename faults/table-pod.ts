/** The recovery of a table on a {@link MedusaStage}: the containers of the declared pod, one after the other. */
import { mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type TableRecoverySpec, tableRecoveryPod } from "../components/table-recovery";
import { jobsBundle } from "../jobs/testing/job";
import { cassandraImage } from "../sandbox/images/cassandra";
import type { ImageProgram } from "../sandbox/lib/types";
import { loadTools } from "../sandbox/toolchain";
import { type MedusaStage, PRIMARY } from "./medusa-stage";

type Container = ReturnType<typeof tableRecoveryPod>["spec"]["containers"][number] & { command?: string[] };

/** The image of the jobs, from the bundle. */
async function jobsImage(): Promise<ImageProgram> {
  const { python } = loadTools();
  const file = await jobsBundle();
  return {
    entrypoint: ["node", join("/app", basename(file))],
    mounts: {
      "/app": dirname(file),
      [python.home]: python.home,
      ...(process.execPath.startsWith("/usr/") ? {} : { [process.execPath]: process.execPath }),
    },
    path: [dirname(python.rclone), dirname(process.execPath)],
    env: {},
  };
}

/**
 * Recovers a table, or the keyspace `media`, from the newest backup.
 * @returns the summaries of the pod's jobs
 * @throws with the last words of the container that failed
 */
export async function recover(
  stage: MedusaStage,
  change: Partial<TableRecoverySpec> & { id: string },
): Promise<Record<string, unknown>[]> {
  const { dir, node } = stage;
  const { spec } = tableRecoveryPod({
    datacenter: "emea",
    keyspace: "media",
    ...(change.backup === undefined && { before: new Date().toISOString() }),
    bucket: PRIMARY,
    image: "jobs",
    mirror: "mirror",
    ...change,
  });
  const jobs = await jobsImage();
  const volumes = mkdtempSync(join(dir, "pod-"));
  const folders: Record<string, string> = {
    superuser: node.secrets.superuser,
    stores: node.secrets.internode,
    authority: node.secrets.internode,
  };
  const summaries: Record<string, unknown>[] = [];
  for (const container of [...spec.initContainers, ...spec.containers] as Container[]) {
    const mounts = container.volumeMounts.map(({ name, mountPath, readOnly = false }) => {
      const source = folders[name] ?? join(volumes, name);
      mkdirSync(source, { recursive: true });
      return { source, target: mountPath, readOnly };
    });
    const image = container.command ? cassandraImage(loadTools()) : jobs;
    const command = container.command ?? [...jobs.entrypoint, ...container.args];
    const env = Object.fromEntries(container.env.map(({ name, value }) => [name, value as string]));
    const log = join(volumes, `${container.name}.log`);
    const code = await node.container(container.name, image, command, mounts, log, env).exitCode();
    const output = readFileSync(log, "utf8");
    if (code !== 0) throw new Error(`${container.name}: ${output.slice(-3000)}`);
    if (!container.command) summaries.push(JSON.parse(output.trim().split("\n").at(-1)!));
  }
  return summaries;
}
