/** What has to be installed before anything can be built, and how to get it: all that is missing at once. */
import { spawnSync } from "node:child_process";
import type { Report } from "./cache";
import { command } from "./command";
import { findJdks, java17 } from "./jdk";
import { findOnPath } from "./on-path";

/** A program that has to be on the machine. */
export interface Prerequisite {
  name: string;
  /** The Debian packages that bring it in a good version; empty when Debian's is too old. */
  packages: string[];
  /** What to do where the packages are no help. */
  hint: string;
  /** What is wrong with it, or undefined when it is fine. */
  problem(): string | undefined;
}

/** The first three numbers of a version text. */
function versionIn(text: string): [number, number, number] | undefined {
  const match = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(text);
  return match ? [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)] : undefined;
}

/** Whether a version text is at least the wanted one. */
export function atLeast(text: string, wanted: [number, number, number]): boolean {
  const version = versionIn(text);
  if (!version) return false;
  const at = version.findIndex((part, index) => part !== wanted[index]);
  return at === -1 || (version[at] ?? 0) > (wanted[at] ?? 0);
}

/** What a program prints, or undefined if it cannot be run. */
function output(program: string, args: string[]): string | undefined {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  return status === 0 ? `${stdout}${stderr}` : undefined;
}

function versioned(program: string, args: string[], wanted: [number, number, number]): () => string | undefined {
  return () => {
    if (!findOnPath(program)) return "is not on PATH";
    const printed = output(program, args);
    if (printed === undefined) return `does not run (${[program, ...args].join(" ")} fails)`;
    return atLeast(printed, wanted) ? undefined : `is ${printed.trim().split("\n")[0]}, older than ${wanted.join(".")}`;
  };
}

function present(program: string, probe: string[]): () => string | undefined {
  return () => {
    if (!findOnPath(program)) return "is not on PATH";
    return output(program, probe) === undefined ? `does not run (${[program, ...probe].join(" ")} fails)` : undefined;
  };
}

/** Everything that `make setup` needs. OpenSearch's Java is not among them: where it is missing, it is fetched. */
export const prerequisites: Prerequisite[] = [
  {
    name: "Node.js >= 20.19",
    packages: [],
    hint: "nodejs.org, or a package of your distribution that is new enough",
    problem: () => (atLeast(process.version, [20, 19, 0]) ? undefined : `is ${process.version}`),
  },
  {
    // Any Go with modules can fetch the version that the tools are built with.
    name: "Go >= 1.18",
    packages: ["golang-go"],
    hint: "go.dev/dl",
    problem: versioned("go", ["env", "GOVERSION"], [1, 18, 0]),
  },
  { name: "Maven >= 3.6", packages: ["maven"], hint: "maven.apache.org", problem: versioned("mvn", ["-v"], [3, 6, 0]) },
  {
    name: "Java 17 for Cassandra",
    packages: ["openjdk-17-jre-headless"],
    hint: "adoptium.net; then set SANDBOX_JAVA17 to its folder unless it is in /usr/lib/jvm",
    problem: () => (java17(findJdks()) ? undefined : "is in none of SANDBOX_JAVA17, JAVA_HOME, /usr/lib/jvm/*, PATH"),
  },
  {
    name: "Python >= 3.11",
    packages: ["python3"],
    hint: "python.org",
    problem: versioned("python3", ["--version"], [3, 11, 0]),
  },
  {
    name: "Python's venv with pip",
    packages: ["python3-venv", "python3-pip"],
    hint: "part of the downloads of python.org",
    problem: () => (output("python3", ["-c", "import venv, ensurepip, pip"]) === undefined ? "is missing" : undefined),
  },
  {
    name: "bubblewrap",
    packages: ["bubblewrap"],
    hint: "github.com/containers/bubblewrap",
    problem: present("bwrap", ["--version"]),
  },
  { name: "setpriv", packages: ["util-linux"], hint: "part of util-linux", problem: present("setpriv", ["--version"]) },
  { name: "nsenter", packages: ["util-linux"], hint: "part of util-linux", problem: present("nsenter", ["--version"]) },
];

/** Installs what Debian has if it may; throws with the list of all that is missing. */
export async function checkPrerequisites(report: Report, all: Prerequisite[] = prerequisites): Promise<void> {
  let missing = all.filter((prerequisite) => prerequisite.problem());
  const packages = [...new Set(missing.flatMap((prerequisite) => prerequisite.packages))];
  if (packages.length > 0 && process.getuid?.() === 0 && findOnPath("apt-get")) {
    report(`prerequisites: installing ${packages.join(", ")}`);
    await installPackages(packages, report);
    missing = missing.filter((prerequisite) => prerequisite.problem());
  }
  if (missing.length > 0) throw new Error(describe(missing));
}

/** One line for each that is missing and, for the Debian packages among them, one command. */
export function describe(missing: Prerequisite[]): string {
  const lines = missing.map(({ name, problem, packages, hint }) => {
    const debian = packages.length > 0 ? `Debian: ${packages.join(" ")}; otherwise ` : "";
    return `  ${name}: ${problem() ?? "is missing"}. ${debian}${hint}`;
  });
  const packages = [...new Set(missing.flatMap((prerequisite) => prerequisite.packages))];
  if (packages.length > 0) lines.push(`On Debian: sudo apt-get install ${packages.join(" ")}`);
  return ["These programs are needed first:", ...lines].join("\n");
}

/** Failures are only reported: the list of what is still missing says more than apt does. */
async function installPackages(packages: string[], report: Report): Promise<void> {
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  // One at a time, because apt installs none of a list when it does not know one of them.
  const calls = [
    ["update", "-qq"],
    ...packages.map((name) => ["install", "-y", "-qq", "--no-install-recommends", name]),
  ];
  for (const args of calls) {
    await command("apt-get", args, { env }).catch((error: Error) => report(`prerequisites: ${error.message}`));
  }
}
