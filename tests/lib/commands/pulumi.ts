/** Commands of Pulumi, compared with what its command line says of itself. */
import { execFileSync } from "node:child_process";
import { loadTools } from "../../../sandbox/toolchain";

const GROUPS = ["stack", "state", "config", "policy", "plugin"];

/** Help of a command, each asked once. */
const helps = new Map<string, string>();

function help(command: string): string {
  const known = helps.get(command);
  if (known !== undefined) return known;
  const text = execFileSync(loadTools().pulumi, [...command.split(" "), "--help"], {
    encoding: "utf8",
    env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" },
  });
  helps.set(command, text);
  return text;
}

/** Why a command is refused, or undefined. */
export function refusalOfPulumi(words: readonly string[]): string | undefined {
  const [first = "", second = ""] = words;
  const command = GROUPS.includes(first) && second && !second.startsWith("-") ? `${first} ${second}` : first;
  const text = help(command);
  // The usage, or the aliases: of an unknown subcommand it shows the group's.
  const [, names = ""] = /\nUsage:\n([\s\S]*?)\n\n(?:Flags|Available|Examples)/.exec(text) ?? [];
  if (!new RegExp(`\\b${command.split(" ").at(-1)}\\b`).test(names)) return `Pulumi has no command ${command}`;
  const flags = words.filter((word) => word.startsWith("-")).map((word) => word.split("=")[0]!);
  const unknown = flags.find((flag) => !new RegExp(`(^|[\\s,])${flag}[\\s,[]`, "m").test(text));
  return unknown && `no flag ${unknown}`;
}
