/** An installed Pulumi, used instead of the one built here when it can run this project. */
import { spawnSync } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { findOnPath } from "./on-path";

/** Older ones lack what the stacks use (resource hooks, policies on the current SDK). */
const oldest = { major: 3, minor: 200 };

/** An installed Pulumi of a good version with its own Node.js language host, or undefined. */
export function officialPulumi(path: string | undefined = process.env.PATH): string | undefined {
  const found = findOnPath("pulumi", path);
  if (!found) return undefined;
  const program = realpathSync(found);
  // The folder in PATH or the one the link leads to: an installation brings its language hosts along.
  const hosts = [found, program].map((file) => join(dirname(file), "pulumi-language-nodejs"));
  if (!hosts.some((host) => existsSync(host))) return undefined;
  const { stdout } = spawnSync(found, ["version"], {
    encoding: "utf8",
    env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" },
  });
  return isGoodVersion(stdout ?? "") ? found : undefined;
}

/** Whether this output of `pulumi version` is new enough. */
export function isGoodVersion(output: string): boolean {
  const match = /^v?(\d+)\.(\d+)\./.exec(output.trim());
  if (!match) return false;
  const [major, minor] = [Number(match[1]), Number(match[2])];
  return major === oldest.major && minor >= oldest.minor;
}
