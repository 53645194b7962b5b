/** The image of Medusa, which shares the pod and the files of a Cassandra node. */
import { join } from "node:path";
import type { ImageProgram } from "../lib/types";
import type { Tools } from "../toolchain";
import { cassandraPrograms, outsideUsr } from "./cassandra";

export function medusaImage(tools: Tools): ImageProgram {
  const cassandra = cassandraPrograms(tools);
  const python = join(tools.python.home, "bin", "python3");
  return {
    entrypoint: ["/medusa/medusa.sh"],
    mounts: { ...cassandra.mounts, "/medusa": join(__dirname, "medusa"), ...outsideUsr(python) },
    path: cassandra.path,
    env: { ...cassandra.env, PYTHON: python, PYTHONDONTWRITEBYTECODE: "1" },
  };
}
