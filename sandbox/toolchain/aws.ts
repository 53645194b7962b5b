/** AWS's command line from PyPI: the runbooks' commands are read by it, and never sent. */
import { join } from "node:path";
import { manifests, type Recipe } from "./cache";
import { command } from "./command";

const requirements = join(manifests, "python", "aws.txt");

/** A folder of Python packages, among them `awscli`; an environment of its own, as Medusa wants other versions. */
export const aws: Recipe = {
  name: "aws",
  inputs: [requirements],
  flags: "target",
  results: ["awscli/clidriver.py"],
  async build(folder) {
    await command("python3", [
      ...["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet", "--no-deps"],
      ...["--require-hashes", "--only-binary=:all:", "--target", folder, "--requirement", requirements],
    ]);
  },
};
