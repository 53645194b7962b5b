/** A virtual environment with the pinned Python packages: Medusa and rclone. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { manifests, type Recipe } from "./cache";
import { command } from "./command";

const requirements = join(manifests, "python", "requirements.txt");

/** The environment; requirements.txt pins every package by version and hash. */
export const python: Recipe = {
  name: "python",
  inputs: [requirements],
  flags: "venv",
  results: ["bin/python3", "bin/medusa", "bin/rclone"],
  async build(folder, final) {
    await command("python3", ["-m", "venv", folder]);
    await command(join(folder, "bin", "python3"), [
      ...["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet"],
      ...["--require-hashes", "--requirement", requirements],
    ]);
    await relocate(join(folder, "bin"), folder, final);
  },
};

/** Scripts of a virtual environment name its folder in their first line: make that the folder it is renamed to. */
async function relocate(bin: string, from: string, to: string): Promise<void> {
  for (const entry of await readdir(bin, { withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(bin, entry.name);
    const content = await readFile(path);
    // A program such as rclone is no script; decoding it would damage it.
    if (content.subarray(0, 4096).includes(0)) continue;
    const text = content.toString("utf8");
    if (text.includes(from)) await writeFile(path, text.replaceAll(from, to));
  }
}
