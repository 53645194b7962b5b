/** The provider's own settings, and the connection they describe. */
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { KubeConfig } from "@kubernetes/client-node";
import { SharedConnections } from "../../lib/kube-config";
import type { Props } from "../../lib/types";
import { isRecord, isUnknown } from "../values";

/** Settings of one provider resource. */
export interface ProviderConfig {
  /** Undefined: not known yet (preview before the cluster exists) or unusable; see {@link unusable}. */
  kubeconfig?: KubeConfig;
  /** Why there is no connection. */
  unusable?: string;
  /** Namespace of objects that declare none. */
  namespace: string;
  enableServerSideApply: boolean;
  /** Data of ConfigMaps and Secrets is changed in place instead of by replacement. */
  enableConfigMapMutable: boolean;
  enableSecretMutable: boolean;
  /** Objects of a cluster that cannot be reached count as gone. */
  deleteUnreachable: boolean;
}

/** Reads the settings of a provider resource, and below them the environment. Never throws: previews must go on. */
export function readConfig(args: Props, env: NodeJS.ProcessEnv = process.env): ProviderConfig {
  const config: ProviderConfig = {
    namespace: isUnknown(args.namespace) ? "default" : text(args.namespace),
    enableServerSideApply: flag(args.enableServerSideApply, env.PULUMI_K8S_ENABLE_SERVER_SIDE_APPLY, true),
    enableConfigMapMutable: flag(args.enableConfigMapMutable, env.PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE, false),
    enableSecretMutable: flag(args.enableSecretMutable, env.PULUMI_K8S_ENABLE_SECRET_MUTABLE, false),
    deleteUnreachable: flag(args.deleteUnreachable, env.PULUMI_K8S_DELETE_UNREACHABLE, false),
  };
  if ([args.kubeconfig, args.context, args.cluster].some(isUnknown)) {
    return withDefaults({ ...config, unusable: "the kubeconfig is not known yet" });
  }
  try {
    const kubeconfig = loadKubeconfig(args.kubeconfig, env);
    selectContext(kubeconfig, text(args.context), text(args.cluster));
    return withDefaults({ ...config, kubeconfig });
  } catch (error) {
    return withDefaults({ ...config, unusable: error instanceof Error ? error.message : String(error) });
  }
}

/** Settings that change which cluster is meant; its objects then have to be created anew. */
export function changesCluster(olds: Props, news: Props): string[] {
  const identifiers = [olds.clusterIdentifier, news.clusterIdentifier];
  if (identifiers.every((identifier) => typeof identifier === "string" && !isUnknown(identifier))) {
    return identifiers[0] === identifiers[1] ? [] : ["clusterIdentifier"];
  }
  // An unknown kubeconfig comes from a cluster that is about to be replaced.
  const keys = ["kubeconfig", "context", "cluster"];
  const unknown = keys.filter((key) => isUnknown(news[key]));
  if (unknown.length > 0) return unknown;
  const changed = keys.filter((key) => !isDeepStrictEqual(olds[key], news[key]));
  return isDeepStrictEqual(activeCluster(olds), activeCluster(news)) ? [] : changed;
}

function activeCluster(args: Props): object | undefined {
  const cluster = readConfig(args).kubeconfig?.getCurrentCluster();
  return cluster ? { ...cluster, name: undefined } : undefined;
}

function withDefaults(config: ProviderConfig): ProviderConfig {
  if (config.namespace) return config;
  const current = config.kubeconfig?.getContextObject(config.kubeconfig.getCurrentContext());
  return { ...config, namespace: current?.namespace || "default" };
}

function loadKubeconfig(value: unknown, env: NodeJS.ProcessEnv): KubeConfig {
  const kubeconfig = new SharedConnections();
  if (value === undefined || value === null || value === "") {
    const file = env.KUBECONFIG?.split(":").find((path) => existsSync(path)) ?? join(homedir(), ".kube", "config");
    if (!existsSync(file)) throw new Error(`no kubeconfig: neither the provider's kubeconfig nor ${file} exists`);
    kubeconfig.loadFromFile(file);
    return kubeconfig;
  }
  const content = isRecord(value) ? JSON.stringify(value) : String(value);
  const isPath = !content.includes("\n") && !content.trimStart().startsWith("{");
  if (isPath && !existsSync(content)) throw new Error(`kubeconfig ${content} is neither a file nor a configuration`);
  kubeconfig.loadFromString(isPath ? readFileSync(content, "utf8") : content);
  return kubeconfig;
}

function selectContext(kubeconfig: KubeConfig, context: string, cluster: string): void {
  const names = kubeconfig.getContexts().map((candidate) => candidate.name);
  if (context) {
    if (!names.includes(context)) {
      throw new Error(`context "${context}" is not in the kubeconfig; it has: ${names.join(", ")}`);
    }
    kubeconfig.setCurrentContext(context);
  }
  if (cluster) {
    const current = kubeconfig.getCurrentContext();
    kubeconfig.loadFromOptions({
      clusters: kubeconfig.getClusters(),
      users: kubeconfig.getUsers(),
      contexts: kubeconfig.getContexts().map((known) => (known.name === current ? { ...known, cluster } : known)),
      currentContext: current,
    });
  }
  if (!kubeconfig.getCurrentCluster()) {
    throw new Error(`the kubeconfig's context "${kubeconfig.getCurrentContext()}" names no cluster that it contains`);
  }
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Booleans reach a provider as text. */
function flag(value: unknown, fromEnv: string | undefined, otherwise: boolean): boolean {
  const chosen = value ?? fromEnv;
  return chosen === undefined || isUnknown(chosen) ? otherwise : String(chosen).toLowerCase() === "true";
}
