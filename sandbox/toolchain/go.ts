/** Programs built from Go modules: each folder of `go/` is a module whose go.mod names them as tools. */
import { join } from "node:path";
import { manifests, type Recipe } from "./cache";
import { command } from "./command";
import { goProgram } from "./go-toolchain";

/** The version of the Kubernetes module in go.mod; the servers report it and clients act on it. */
const kubernetesVersion = "1.35.0";
const [major, minor] = kubernetesVersion.split(".");
const kubernetesBuild: Record<string, string> = {
  gitVersion: `v${kubernetesVersion}`,
  gitMajor: major ?? "",
  gitMinor: minor ?? "",
  gitTreeState: "clean",
  gitCommit: "66452049f3d692768c39c797b21b793dce80314e",
  buildDate: "2025-12-17T00:00:00Z",
};

/** The version of the Pulumi modules in go.mod; providers and programs ask for it. */
const pulumiVersion = "3.250.0";

const buildFlags = ["-mod=readonly", "-buildvcs=false", "-trimpath"];

function goRecipe(name: string, results: string[], symbols: Record<string, string> = {}): Recipe {
  const module = join(manifests, "go", name);
  const linking = ["-s", "-w", ...Object.entries(symbols).map(([symbol, value]) => `-X ${symbol}=${value}`)].join(" ");
  return {
    name,
    inputs: [join(module, "go.mod"), join(module, "go.sum")],
    flags: [...buildFlags, linking].join(" "),
    results,
    async build(folder, _final, report) {
      await command(await goProgram(report), ["build", "-o", `${folder}/`, "-ldflags", linking, "tool"], {
        cwd: module,
        // "auto" lets an older Go fetch the one that go.mod asks for, from the module proxy and checked by its sums.
        env: { CGO_ENABLED: "0", GOFLAGS: buildFlags.join(" "), GOTOOLCHAIN: "auto", GOWORK: "off" },
      });
    },
  };
}

/** The Pulumi command line and engine. */
export const pulumi = goRecipe("pulumi", ["pulumi"], {
  "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": `v${pulumiVersion}`,
});

/** The store of the API servers. Its package is called `server`. */
export const etcd = goRecipe("etcd", ["server"]);

/** The object store behind the sandbox's Cloud Storage. */
export const fakeGcsServer = goRecipe("fake-gcs-server", ["fake-gcs-server"]);

/** Sends requests at a constant rate, whether or not those before were answered. */
export const vegeta = goRecipe("vegeta", ["vegeta"]);

/** The programs of a Kubernetes control plane. */
export const kubernetes = goRecipe(
  "kubernetes",
  ["kube-apiserver", "kube-controller-manager", "kube-scheduler"],
  Object.fromEntries(
    Object.entries(kubernetesBuild).map(([name, value]) => [`k8s.io/component-base/version.${name}`, value]),
  ),
);

/** Kubernetes' command line: the commands of the runbooks are read by it. */
export const kubectl = goRecipe("kubectl", ["kubectl"]);
