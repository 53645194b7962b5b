/** The image of Medusa, which shares the pod and the files of a Cassandra node. */
import { join } from "node:path";
import type { ImageProgram } from "../lib/types";
import type { Tools } from "../toolchain";
import { cassandraPrograms } from "./cassandra";

export function medusaImage(tools: Tools): ImageProgram {
  const cassandra = cassandraPrograms(tools);
  const { home } = tools.python;
  return {
    entrypoint: ["/medusa/medusa.sh"],
    mounts: { ...cassandra.mounts, "/medusa": join(__dirname, "medusa"), [home]: home },
    path: cassandra.path,
    env: { ...cassandra.env, PYTHON: join(home, "bin", "python3"), PYTHONDONTWRITEBYTECODE: "1" },
  };
}
