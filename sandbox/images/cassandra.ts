/** The image of a Cassandra node: the real server and nodetool on a JDK. */
import { realpathSync } from "node:fs";
import { join } from "node:path";
import type { ImageProgram } from "../lib/types";
import type { Tools } from "../toolchain";

/** Largest heap of a node here, in MiB; what a datacenter declares for production does not fit on one machine. */
export const MAX_HEAP_MIB = 512;

/** Mounts and environment that give a container Cassandra's programs. */
export function cassandraPrograms(tools: Tools): Pick<ImageProgram, "mounts" | "path" | "env"> {
  const { lib, java } = tools.cassandra;
  return {
    mounts: {
      "/image": join(__dirname, "cassandra"),
      // Where the published image has them.
      "/opt/cassandra/bin": join(__dirname, "cassandra", "bin"),
      "/opt/cassandra/conf": join(__dirname, "cassandra", "conf"),
      [lib]: lib,
      ...outsideUsr(java),
    },
    path: ["/image"],
    env: { CASSANDRA_LIB: lib, JAVA: java, HEAP_MIB: String(MAX_HEAP_MIB) },
  };
}

/** Runs as root in its sandbox: the data folder is its own. */
export function cassandraImage(tools: Tools): ImageProgram {
  return { entrypoint: ["/image/cassandra.sh"], ...cassandraPrograms(tools) };
}

/** The installation of a program `HOME/bin/PROGRAM` has to be mounted when it is not part of the system. */
export function outsideUsr(program: string): Record<string, string> {
  const homes = [program, realpathSync(program)].filter((path) => !path.startsWith("/usr/"));
  return Object.fromEntries(homes.map((path) => join(path, "..", "..")).map((home) => [home, home]));
}
