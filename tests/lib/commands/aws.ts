/** Commands of AWS, read by its own command line. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { loadTools } from "../../../sandbox/toolchain";
import { type Form, form, refusalByForms, text } from "./forms";

/** What the second version has and the first, which is on PyPI, has not. From the reference of version 2, 2026-11-30. */
const second: Record<string, Form> = {
  "sso login": form([0, 0], {
    "sso-session": text,
    profile: text,
    "no-browser": undefined,
    "use-device-code": undefined,
  }),
};

/** Nothing of whoever runs this is read, and nothing could be signed with these keys. */
const environment = {
  PATH: process.env.PATH,
  AWS_ACCESS_KEY_ID: "none",
  AWS_SECRET_ACCESS_KEY: "none",
  AWS_DEFAULT_REGION: "eu-central-1",
  AWS_CONFIG_FILE: "/dev/null",
  AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
  AWS_EC2_METADATA_DISABLED: "true",
  HOME: "/nonexistent",
};

/** Why each command is refused, in their order; undefined for a good one. */
export function refusalsOfAws(commands: readonly string[][]): (string | undefined)[] {
  const isSecond = (words: readonly string[]) => words.slice(0, 2).join(" ") in second;
  const asked = commands.filter((words) => !isSecond(words));
  const answers = JSON.parse(
    execFileSync("python3", [join(__dirname, "aws.py")], {
      input: JSON.stringify(asked),
      encoding: "utf8",
      env: { ...environment, PYTHONPATH: loadTools().aws },
    }),
  ) as (string | null)[];
  return commands.map((words) =>
    isSecond(words) ? refusalByForms(words, second) : (answers[asked.indexOf(words)] ?? undefined),
  );
}
