/** The clusters that a control plane works in: its own, and those that ClientConfigs name. */
import type { V1Secret } from "@kubernetes/client-node";
import { kubeConfigOf } from "../../lib/kube-config";
import { type CustomObject, Objects } from "../objects";
import { kinds } from "./types";

type ClientConfig = CustomObject<{ contextName?: string; kubeConfigSecret?: { name?: string } }>;

export class Contexts {
  private readonly known = new Map<string, { kubeconfig: string; objects: Objects }>();

  constructor(
    /** The control plane's own cluster. */
    readonly local: Objects,
    /** Its namespace; it works in no other, in any cluster. */
    private readonly namespace: string,
  ) {}

  /**
   * A context's cluster, reached with the kubeconfig in its ClientConfig's Secret and nothing else; the own one without a
   * context.
   * @throws when there is no such ClientConfig, or nothing usable behind it
   */
  async objects(context: string | undefined): Promise<Objects> {
    if (!context) return this.local;
    const kubeconfig = await this.kubeconfig(context);
    const known = this.known.get(context);
    if (known?.kubeconfig === kubeconfig) return known.objects;
    await known?.objects.stop();
    const config = kubeConfigOf(kubeconfig);
    if (!config.getContextObject(context)) throw new Error(`the kubeconfig of ${context} has no context of that name`);
    config.setCurrentContext(context);
    const objects = new Objects(config, this.namespace);
    this.known.set(context, { kubeconfig, objects });
    return objects;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.known.values()].map(({ objects }) => objects.stop()));
  }

  private async kubeconfig(context: string): Promise<string> {
    const configs = await this.local.list<ClientConfig>(kinds.clientConfig, this.namespace);
    const nameOf = ({ metadata, spec }: ClientConfig) => spec?.contextName || metadata?.name;
    const found = configs.find((each) => nameOf(each) === context);
    if (!found) {
      const names = configs.map(nameOf).join(", ") || "none";
      throw new Error(`there is no ClientConfig for context ${context}; there are ${names}`);
    }
    const name = found.spec?.kubeConfigSecret?.name ?? "";
    const secret = await this.local.get<V1Secret>(kinds.secret, this.namespace, name);
    const kubeconfig = Buffer.from(secret?.data?.kubeconfig ?? "", "base64").toString("utf8");
    if (!kubeconfig) throw new Error(`Secret ${this.namespace}/${name} of context ${context} has no kubeconfig`);
    return kubeconfig;
  }
}
