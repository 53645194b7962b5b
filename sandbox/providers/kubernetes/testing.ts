/** What the tests share: a real API server, and a provider driven as the engine drives it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import { ControlPlane } from "../../clusters/control-plane";
import { clusterCredentials } from "../../clusters/credentials";
import { startEtcd } from "../../clusters/etcd";
import { ProcessTable } from "../../lib/process";
import type { Props } from "../../lib/types";
import { loadTools } from "../../toolchain";
import { KubernetesProvider } from "./provider";
import { Rest } from "./rest";
import type { KubeObject } from "./types";

/** A cluster without nodes. */
export interface TestCluster {
  kubeconfig: string;
  rest: Rest;
  stop(): Promise<void>;
}

/** Starts etcd, an API server and the controllers below a folder of their own. */
export async function startCluster(): Promise<TestCluster> {
  const dir = mkdtempSync(join(tmpdir(), "kubernetes-provider-"));
  const tools = loadTools();
  const processes = new ProcessTable(dir);
  const etcd = await startEtcd({ dir, binary: tools.etcd, processes });
  const plane = await ControlPlane.start({
    dir: join(dir, "cluster"),
    name: "test",
    network: 20,
    etcdEndpoint: etcd.endpoint,
    etcdPrefix: "/test",
    credentials: clusterCredentials(join(dir, "credentials")),
    binaries: tools,
    processes,
  });
  return {
    kubeconfig: plane.adminKubeconfig,
    rest: restOf(plane.adminKubeconfig),
    stop: async () => {
      await plane.stop();
      await etcd.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** A client besides the provider: what operators and controllers do. */
export function restOf(kubeconfig: string): Rest {
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
  return new Rest(config);
}

/** Writes the status of an object as its controller would. */
export async function setStatus(rest: Rest, path: string, status: Props): Promise<void> {
  await rest.connection.send({
    method: "PATCH",
    path: `${path}/status`,
    contentType: "application/merge-patch+json",
    body: { status },
  });
}

/** State of a resource after an update. */
export interface State {
  id: string;
  inputs: Props;
  outputs: Props;
}

/** One resource of a program. */
export class Resource {
  private readonly ref: { urn: string; type: string; name: string };

  constructor(
    private readonly provider: KubernetesProvider,
    type: string,
    name: string,
  ) {
    this.ref = { urn: `urn:pulumi:test::project::${type}::${name}`, type, name };
  }

  /** Checked inputs; throws when they are refused. */
  async checked(news: Props, olds: Props = {}): Promise<Props> {
    const { inputs, failures } = await this.provider.check({
      ...this.ref,
      olds,
      news,
      randomSeed: Buffer.from("seed"),
    });
    if (failures.length > 0) throw new Error(failures.map(({ property, reason }) => `${property} ${reason}`).join());
    // The engine keeps what a provider marks as secret and sends the plain value back.
    return JSON.parse(JSON.stringify(inputs), (_, value) =>
      value?.["4dabf18193072939515e22adb298388d"] ? value.value : value,
    );
  }

  async preview(news: Props): Promise<Props> {
    const inputs = await this.checked(news);
    return (await this.provider.create({ ...this.ref, inputs, preview: true, timeoutSeconds: 0 })).outputs;
  }

  async create(news: Props, timeoutSeconds = 0): Promise<State> {
    const inputs = await this.checked(news);
    return { inputs, ...(await this.provider.create({ ...this.ref, inputs, preview: false, timeoutSeconds })) };
  }

  async diff(state: State, news: Props) {
    const checked = await this.checked(news, state.inputs);
    return this.provider.diff({
      ...this.ref,
      id: state.id,
      oldInputs: state.inputs,
      oldOutputs: state.outputs,
      news: checked,
      ignoreChanges: [],
    });
  }

  async update(state: State, program: Props, preview = false, timeoutSeconds = 0): Promise<State> {
    const news = await this.checked(program, state.inputs);
    const outputs = await this.provider.update({
      ...this.ref,
      id: state.id,
      oldInputs: state.inputs,
      oldOutputs: state.outputs,
      news,
      preview,
      timeoutSeconds,
    });
    return { id: state.id, inputs: news, outputs };
  }

  read(state: State) {
    return this.provider.read({ ...this.ref, ...state });
  }

  delete(state: State, timeoutSeconds = 0): Promise<void> {
    return this.provider.delete({ ...this.ref, ...state, timeoutSeconds });
  }
}

/** A provider for a kubeconfig, and the resources declared with it. */
export async function program(settings: Props): Promise<(type: string, name: string) => Resource> {
  const provider = new KubernetesProvider();
  await provider.configure(settings);
  return (type, name) => new Resource(provider, type, name);
}

/** A ConfigMap, for tests that need any object. */
export const configMap = (name: string, namespace = "default"): KubeObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace },
});
