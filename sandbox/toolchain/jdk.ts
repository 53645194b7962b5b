/** The installed Java runtimes: Cassandra runs on 17, OpenSearch on 21 or later. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";

/** Where distributions put their Java runtimes. */
const installations = "/usr/lib/jvm";

/** A Java runtime and its major version. */
export interface Jdk {
  home: string;
  version: number;
}

/** Every Java runtime that is named by the environment, installed by the distribution or on PATH. */
export function findJdks(env: NodeJS.ProcessEnv = process.env): Jdk[] {
  const homes = new Set<string>();
  for (const home of [env.SANDBOX_JAVA17, env.SANDBOX_JAVA21, env.JAVA_HOME]) {
    if (home) homes.add(home);
  }
  if (existsSync(installations)) {
    for (const entry of readdirSync(installations).sort()) homes.add(join(installations, entry));
  }
  for (const folder of (env.PATH ?? "").split(":")) {
    const java = join(folder, "java");
    if (folder && existsSync(java)) homes.add(dirname(dirname(realpathSync(java))));
  }
  return [...homes].flatMap((home) => {
    const version = existsSync(join(home, "bin", "java")) ? versionOf(home) : undefined;
    return version ? [{ home, version }] : [];
  });
}

/** The `java` for Cassandra, whose start script accepts no later version than 17. */
export function java17(jdks: Jdk[]): string | undefined {
  return program(jdks.find(({ version }) => version === 17));
}

/** The `java` for OpenSearch: the lowest version from 21 on, the closest to what it is tested with. */
export function java21(jdks: Jdk[]): string | undefined {
  return program(jdks.filter(({ version }) => version >= 21).sort((a, b) => a.version - b.version)[0]);
}

function program(jdk: Jdk | undefined): string | undefined {
  return jdk && join(jdk.home, "bin", "java");
}

/** From the runtime's `release` file, which costs no start of Java; else from Java itself. */
function versionOf(home: string): number | undefined {
  const release = join(home, "release");
  const text = existsSync(release)
    ? readFileSync(release, "utf8")
    : spawnSync(join(home, "bin", "java"), ["-XshowSettings:properties", "-version"], { encoding: "utf8" }).stderr;
  const match = /JAVA_VERSION="(\d+)|java\.version = (\d+)/.exec(text);
  return match ? Number(match[1] ?? match[2]) : undefined;
}
