/** A deep verification on a {@link MedusaStage}: the real job, and the throwaway server beside it as the pod declares it. */
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { verificationPod } from "../components/verification";
import { jobConfig } from "../jobs/config";
import { type Evidence, evidenceSchema } from "../jobs/lib/evidence";
import { type JobRun, startJob } from "../jobs/testing/job";
import { schedules } from "../plan/schedules";
import { cassandraImage } from "../sandbox/images/cassandra";
import { loadTools } from "../sandbox/toolchain";
import { COPIES, type MedusaStage, REPOSITORY } from "./medusa-stage";

/** Address of the throwaway server. */
const THROWAWAY = "127.77.0.9";

/** What a verification found. */
export interface Verified extends JobRun {
  /** The job's summary. */
  last: Record<string, unknown>;
  /** Where its evidence lies, and what it says; undefined: it left none. */
  path: string | undefined;
  evidence: Evidence | undefined;
  /** The end of the throwaway server's log. */
  log: () => string;
}

/** The declared sidecar, in a folder that stands for the pod's volume. @returns what to end */
function sidecar({ dir, kms }: MedusaStage, work: string): ChildProcess {
  const [server] = verificationPod("prod", REPOSITORY, {
    copiesBucket: COPIES,
    image: "i",
    mirror: "m",
    markerKeys: [kms.pem],
    schedule: schedules.verification,
  }).spec.initContainers as { command: string[]; env: { name: string; value: string }[] }[];
  // Paths of the pod, in the stage's own folders.
  const here = (text: string) => text.replaceAll("/work", work).replaceAll("/opt/cassandra", join(dir, "cassandra"));
  const image = cassandraImage(loadTools());
  mkdirSync(join(dir, "cassandra", "bin"), { recursive: true });
  mkdirSync(join(dir, "tmp"), { recursive: true });
  cpSync(image.mounts["/opt/cassandra/conf"]!, join(dir, "cassandra", "conf"), { recursive: true });
  const script = join(image.mounts["/image"]!, "cassandra.sh");
  const loop = here(server!.command[2]!).replace(
    `${join(dir, "cassandra")}/bin/cassandra -f`,
    `sh ${script} server -f`,
  );
  return spawn("setpriv", ["--pdeathsig", "KILL", "sh", "-c", loop], {
    env: {
      ...process.env,
      ...image.env,
      TMPDIR: join(dir, "tmp"),
      ...Object.fromEntries(server!.env.map(({ name, value }) => [name, here(value)])),
    },
    stdio: "inherit",
    detached: true,
  });
}

/** Runs a verification of the newest copy. */
export async function verify(stage: MedusaStage): Promise<Verified> {
  const { dir, storage, kms } = stage;
  const work = mkdtempSync(join(dir, "work-"));
  const server = sidecar(stage, work);
  try {
    const known = new Set(await storage.names(COPIES));
    const config = jobConfig("verify-copy", {
      site: "prod",
      repository: REPOSITORY,
      copiesBucket: COPIES,
      markerKeys: [kms.pem],
      work,
      timeoutSeconds: 120,
      pollSeconds: 0.5,
    });
    const { code, lines } = await (await startJob("verify-copy", config, { ...storage.env, POD_IP: THROWAWAY })).done;
    const [path] = (await storage.names(COPIES)).filter((name) => !known.has(name));
    const text = path && (await storage.get(COPIES, path));
    const evidence = text ? evidenceSchema.parse(JSON.parse(text)) : undefined;
    const log = () => readFileSync(join(work, "server.log"), "utf8").slice(-2000);
    return { code, lines, last: lines.at(-1)!, path, evidence, log };
  } finally {
    process.kill(-server.pid!, "SIGKILL");
  }
}
