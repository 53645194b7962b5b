/** SeaweedFS from PyPI, the S3 server of the local cloud. */
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { manifests, type Recipe } from "./cache";
import { command } from "./command";

const requirements = join(manifests, "python", "seaweedfs.txt");

/** The program `bin/weed`. */
export const seaweedfs: Recipe = {
  name: "seaweedfs",
  inputs: [requirements],
  flags: "target",
  results: ["bin/weed"],
  async build(folder) {
    await command("python3", [
      ...["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet", "--no-deps"],
      ...["--require-hashes", "--only-binary=:all:", "--target", folder, "--requirement", requirements],
    ]);
    await chmod(join(folder, "bin", "weed"), 0o755);
  },
};
