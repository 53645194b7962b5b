/** A deep verification on a {@link MedusaStage}: the real job, and the throwaway server beside it as the pod declares it. */
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import { type Verified, verified } from "../jobs/testing/verified";
import { cassandraImage } from "../sandbox/images/cassandra";
import { loadTools } from "../sandbox/toolchain";
import { declaredSidecar } from "./declared-sidecar";
import { COPIES, type MedusaStage, REPOSITORY } from "./medusa-stage";

/** Address of the throwaway server. */
const THROWAWAY = "127.77.0.9";

/** The declared sidecar, in a folder that stands for the pod's volume. @returns what to end */
function sidecar({ dir, kms }: MedusaStage, work: string): ChildProcess {
  const { command, env } = declaredSidecar(REPOSITORY, COPIES, kms.pem);
  // Paths of the pod, in the stage's own folders.
  const here = (text: string) => text.replaceAll("/work", work).replaceAll("/opt/cassandra", join(dir, "cassandra"));
  const image = cassandraImage(loadTools());
  mkdirSync(join(dir, "cassandra", "bin"), { recursive: true });
  mkdirSync(join(dir, "tmp"), { recursive: true });
  cpSync(image.mounts["/opt/cassandra/conf"]!, join(dir, "cassandra", "conf"), { recursive: true });
  const script = join(image.mounts["/image"]!, "cassandra.sh");
  const loop = here(command[2]!).replace(`${join(dir, "cassandra")}/bin/cassandra -f`, `sh ${script} server -f`);
  return spawn("setpriv", ["--pdeathsig", "KILL", "sh", "-c", loop], {
    env: {
      ...process.env,
      ...image.env,
      TMPDIR: join(dir, "tmp"),
      ...Object.fromEntries(env.map(({ name, value = "" }) => [name, here(value)])),
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
    const config = { site: "prod", repository: REPOSITORY, copiesBucket: COPIES, markerKeys: [kms.pem], work };
    return await verified(storage, { ...config, timeoutSeconds: 120, pollSeconds: 0.5 }, THROWAWAY);
  } finally {
    process.kill(-server.pid!, "SIGKILL");
  }
}
