/** A stand-in for the Kubernetes provider that talks to real API servers with the kubeconfig it is given. */
import type { Props } from "../../lib/types";
import { type CheckFailure, type DiffResult, InitializationError, type Provider, type ReadResult } from "../provider";
import { containsUnknown, isRecord, isUnknown } from "../values";
import { NotReadyError } from "./await";
import { checkedInputs } from "./check";
import { changesCluster, type ProviderConfig, readConfig } from "./config";
import { diffObjects } from "./diff";
import { isClusterScoped } from "./discovery";
import { idOf, NotYetCheckable, Objects } from "./objects";
import { checkedRelease, diffRelease, Releases } from "./release";
import { Rest } from "./rest";
import { withSecrets } from "./secrets";
import { annotation, apiVersionOf, asObject, gvkOfToken, HELM_RELEASE, type KubeObject } from "./types";
import { WAIT_FOR, waitForCheck } from "./wait-for";

type Create = Parameters<Provider["create"]>[0];
type Update = Parameters<Provider["update"]>[0];
type Read = Parameters<Provider["read"]>[0];
type Delete = Parameters<Provider["delete"]>[0];
type Check = Parameters<Provider["check"]>[0];

const FORGET =
  'If the cluster was deleted, remove its resources from the state by rerunning the operation with the environment variable PULUMI_K8S_DELETE_UNREACHABLE set to "true"';

/** One provider resource of a program: one cluster. */
export class KubernetesProvider implements Provider {
  readonly name = "kubernetes";
  readonly version = "4.34.2";
  private config: ProviderConfig = readConfig({});
  private rest?: Rest;
  private readonly abort = new AbortController();

  schema(): string {
    return "{}"; // the SDK is generated already
  }

  async diffConfig(olds: Props, news: Props): Promise<DiffResult> {
    const diffs = [...new Set([...Object.keys(olds), ...Object.keys(news)])].filter(
      (key) => JSON.stringify(olds[key]) !== JSON.stringify(news[key]),
    );
    return { changes: diffs.length > 0, diffs, replaces: changesCluster(olds, news) };
  }

  async configure(inputs: Props): Promise<void> {
    this.config = readConfig(inputs);
    this.rest = this.config.kubeconfig ? new Rest(this.config.kubeconfig) : undefined;
  }

  async check(req: Check): Promise<{ inputs: Props; failures: CheckFailure[] }> {
    if (req.type === HELM_RELEASE) return checkedRelease(req, this.config.namespace);
    const gvk = gvkOfToken(req.type);
    const inputs = checkedInputs(req, (await this.isNamespaced(req.type)) ? this.config.namespace : undefined);
    return { inputs: withSecrets(gvk, inputs), failures: annotationFailures(inputs) };
  }

  async diff(req: Parameters<Provider["diff"]>[0]): Promise<DiffResult> {
    if (req.type === HELM_RELEASE) return diffRelease(req.oldInputs, req.news);
    return diffObjects(req.oldInputs, req.news, req.oldOutputs, this.config);
  }

  async create(req: Create): Promise<{ id: string; outputs: Props }> {
    const isRelease = req.type === HELM_RELEASE;
    if (req.preview) {
      const checkable = !isRelease && !containsUnknown(req.inputs) && !(await this.unreachable());
      if (checkable) await this.objects().create(req.inputs, req).catch(acceptUncheckable);
      return { id: "", outputs: this.output(req.type, req.inputs) };
    }
    await this.needServer();
    if (isRelease) return this.releases().install(req.inputs, req.timeoutSeconds);
    return this.initialized(req.type, () => this.objects().create(req.inputs, req));
  }

  async read(req: Read): Promise<ReadResult | undefined> {
    if (await this.countsAsGone("read resource state")) return undefined;
    if (req.type === HELM_RELEASE) return this.releases().read(req.id, req.inputs, req.outputs);
    const gvk = gvkOfToken(req.type);
    const found = await this.objects().read(gvk, apiVersionOf(gvk), req.id, req.inputs);
    return found && { id: found.id, inputs: withSecrets(gvk, found.inputs), outputs: withSecrets(gvk, found.outputs) };
  }

  async update(req: Update): Promise<Props> {
    const isRelease = req.type === HELM_RELEASE;
    if (req.preview && (isRelease || containsUnknown(req.news) || (await this.unreachable()))) {
      return this.output(req.type, expectedOutputs(req.oldOutputs, req.news));
    }
    await this.needServer();
    if (isRelease) return (await this.releases().install(req.news, req.timeoutSeconds)).outputs;
    const { outputs } = await this.initialized(req.type, () => this.objects().update(req.oldInputs, req.news, req));
    return outputs;
  }

  async delete(req: Delete): Promise<void> {
    if (await this.countsAsGone("delete resource")) return;
    if (req.type === HELM_RELEASE) await this.releases().uninstall(req.id);
    else await this.objects().delete(req.outputs, req);
  }

  async invoke(token: string): Promise<never> {
    throw new Error(
      `function ${token} is not supported by this provider: it manages objects of the API server and Helm releases`,
    );
  }

  cancel(): void {
    this.abort.abort();
  }

  private objects(): Objects {
    return new Objects(this.server(), this.config, this.abort.signal);
  }

  private releases(): Releases {
    return new Releases(this.server(), this.abort.signal);
  }

  private server(): Rest {
    if (!this.rest) throw new Error(`configured Kubernetes cluster is unreachable: ${this.config.unusable}`);
    return this.rest;
  }

  /** Why the cluster cannot be asked; undefined when it can. */
  private async unreachable(): Promise<string | undefined> {
    return this.rest
      ? this.rest.unreachable()
      : `configured Kubernetes cluster is unreachable: ${this.config.unusable}`;
  }

  private async needServer(): Promise<void> {
    const reason = await this.unreachable();
    if (reason) throw new Error(reason);
  }

  private async countsAsGone(what: string): Promise<boolean> {
    const reason = await this.unreachable();
    if (reason === undefined) return false;
    if (this.config.deleteUnreachable) return true;
    throw new Error(`failed to ${what} due to unreachable cluster: ${reason}. ${FORGET}`);
  }

  private async isNamespaced(type: string): Promise<boolean> {
    const gvk = gvkOfToken(type);
    if (isClusterScoped(gvk)) return false;
    return !this.rest || (await this.unreachable()) !== undefined || this.rest.isNamespaced(gvk);
  }

  private output(type: string, props: Props): Props {
    return type === HELM_RELEASE ? props : withSecrets(gvkOfToken(type), props);
  }

  /** An object that does not become ready exists all the same, and the engine has to know it. */
  private async initialized(type: string, write: () => Promise<KubeObject>): Promise<{ id: string; outputs: Props }> {
    try {
      const live = await write();
      return { id: idOf(live), outputs: this.output(type, live) };
    } catch (error) {
      if (!(error instanceof NotReadyError)) throw error;
      throw new InitializationError(idOf(error.live), this.output(type, error.live), error.reasons);
    }
  }
}

function acceptUncheckable(error: unknown): void {
  if (!(error instanceof NotYetCheckable)) throw error;
}

function annotationFailures(inputs: Props): CheckFailure[] {
  const waitFor = annotation(asObject(inputs), WAIT_FOR);
  if (waitFor === undefined || isUnknown(waitFor)) return [];
  try {
    waitForCheck(waitFor);
    return [];
  } catch (error) {
    return [{ property: "metadata.annotations", reason: error instanceof Error ? error.message : String(error) }];
  }
}

/** What an update that cannot be checked will probably give: what the server set stays. */
function expectedOutputs(oldOutputs: Props, news: Props): Props {
  const metadata =
    isRecord(news.metadata) && isRecord(oldOutputs.metadata)
      ? { ...oldOutputs.metadata, ...news.metadata }
      : news.metadata;
  return { ...oldOutputs, ...news, ...(metadata === undefined ? {} : { metadata }) };
}
