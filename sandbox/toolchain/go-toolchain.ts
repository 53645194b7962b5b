/** The Go command that builds. An old one is no obstacle: Go is itself a module that any Go can download. */
import { existsSync } from "node:fs";
import { chmod, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Report } from "./cache";
import { command } from "./command";

/** From this version on Go fetches by itself the version that a go.mod asks for. */
const firstThatSwitches = { major: 1, minor: 21 };

/** What an older Go is told to fetch: satisfies every go.mod here. */
const toolchain = "1.26.0";

/** The Go program to call: the installed one, or for one older than 1.21 a newer one from the module proxy. */
export async function goProgram(report: Report): Promise<string> {
  const version = (await command("go", ["env", "GOVERSION"])).trim();
  return canSwitch(version) ? "go" : fetchToolchain(version, report);
}

/** Whether a Go of this version (e.g. `go1.19.8`) obeys GOTOOLCHAIN. */
export function canSwitch(version: string): boolean {
  const match = /^(?:devel )?go(\d+)\.(\d+)/.exec(version);
  if (!match) throw new Error(`'go env GOVERSION' says '${version}'; expected something like go1.26.0`);
  const [major, minor] = [Number(match[1]), Number(match[2])];
  return major > firstThatSwitches.major || (major === firstThatSwitches.major && minor >= firstThatSwitches.minor);
}

/** Downloads Go as the module golang.org/toolchain, checked against Go's checksum database like every module. */
export async function fetchToolchain(installed: string, report: Report): Promise<string> {
  const arch = { x64: "amd64", arm64: "arm64" }[process.arch as string];
  if (!arch) throw new Error(`No Go ${toolchain} is known for ${process.arch}; install go 1.21 or later`);
  report(`go: ${installed} is old; fetching ${toolchain} from the module proxy`);
  const module = `golang.org/toolchain@v0.0.1-go${toolchain}.linux-${arch}`;
  const downloaded = JSON.parse(await command("go", ["mod", "download", "-json", module])) as { Dir: string };
  // Module archives carry no permissions, so nothing in it may be executed yet.
  for (const folder of ["bin", `pkg/tool/linux_${arch}`].map((name) => join(downloaded.Dir, name))) {
    if (!existsSync(folder)) continue;
    for (const file of await readdir(folder)) await chmod(join(folder, file), 0o755);
  }
  return join(downloaded.Dir, "bin", "go");
}
