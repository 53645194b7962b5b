/** Helm releases: the chart's CustomResourceDefinitions and Helm's own record; the operator itself is started by others. */
import { randomBytes } from "node:crypto";
import { sleep } from "../../lib/process";
import type { Props } from "../../lib/types";
import type { CheckFailure, DiffResult, ReadResult, ResourceRef } from "../provider";
import { InitializationError } from "../provider";
import { containsUnknown, isRecord, isUnknown } from "../values";
import { awaitReady } from "./await";
import { type Change, changesOf, pathText, touches } from "./changes";
import { type Chart, chartCrds, chartName, chartOf } from "./charts";
import { ApiError } from "./connection";
import {
  OPERATOR_ANNOTATION,
  type ReleaseRecord,
  type ReleaseStatus,
  releaseRecord,
  releaseSecret,
  revisionsOf,
} from "./release-record";
import type { Rest, WriteOptions } from "./rest";
import type { KubeObject } from "./types";

const HELM: WriteOptions = { fieldManager: "helm", dryRun: false, serverSideApply: false, waitMs: 15_000 };
const SECRET = { group: "", version: "v1", kind: "Secret" };
const DEFAULT_TIMEOUT_SECONDS = 300;
const POLL_MS = 400;

/** Inputs of a release with name, namespace and values filled in; refusals of charts that are not known. */
export function checkedRelease(
  ref: ResourceRef & { olds: Props; news: Props; randomSeed: Uint8Array },
  defaultNamespace: string,
): { inputs: Props; failures: CheckFailure[] } {
  const seed = ref.randomSeed.length >= 4 ? ref.randomSeed.slice(0, 4) : randomBytes(4);
  const name = ref.news.name ?? ref.olds.name ?? `${ref.name}-${Buffer.from(seed).toString("hex")}`;
  const inputs: Props = {
    ...ref.news,
    name,
    namespace: ref.news.namespace ?? defaultNamespace,
    values: ref.news.values ?? {},
  };
  return { inputs, failures: chartFailures(inputs.chart) };
}

function chartFailures(chart: unknown): CheckFailure[] {
  if (isUnknown(chart)) return [];
  if (typeof chart !== "string" || !chart) return [{ property: "chart", reason: "is required" }];
  try {
    chartOf(chart);
    return [];
  } catch (error) {
    return [{ property: "chart", reason: error instanceof Error ? error.message : String(error) }];
  }
}

/** Another name or namespace is another release; everything else is a new revision. */
export function diffRelease(oldInputs: Props, news: Props): DiffResult {
  const changes = changesOf(oldInputs, news);
  const replacing = (change: Change) => touches(change, "name") || touches(change, "namespace");
  return {
    changes: changes.length > 0,
    replaces: changes.filter(replacing).map(({ path }) => pathText(path)),
    diffs: [...new Set(changes.map(({ path }) => String(path[0])))],
    detailed: Object.fromEntries(
      changes.map((change) => [
        pathText(change.path),
        replacing(change) ? (`${change.kind}-replace` as const) : change.kind,
      ]),
    ),
  };
}

/** The releases of one cluster as resources. */
export class Releases {
  constructor(
    private readonly rest: Rest,
    private readonly signal: AbortSignal,
  ) {}

  /** Installs a chart, or records the next revision, and waits for its operator. */
  async install(inputs: Props, timeoutSeconds: number): Promise<{ id: string; outputs: Props }> {
    const { name, namespace, values } = release(inputs);
    const chart = chartOf(String(inputs.chart));
    if (inputs.createNamespace === true) await this.ensure(namespaceObject(namespace));
    const definitions = inputs.skipCrds === true ? [] : chartCrds(chart, values);
    for (const definition of definitions) await this.ensure(definition);
    for (const definition of definitions)
      await awaitReady(this.rest, definition, { timeoutSeconds: 60, signal: this.signal });
    const before = await this.revisions(namespace, name);
    const secret = await this.record(inputs, chart, before);
    const id = `${namespace}/${name}`;
    const outputs = outputsOf(inputs, releaseRecord(secret), definitions);
    if (inputs.skipAwait === true || !chart.operator(values)) return { id, outputs };
    const seconds = timeoutSeconds || Number(inputs.timeout) || DEFAULT_TIMEOUT_SECONDS;
    const reason = await this.operatorMissing(secret, seconds);
    if (reason === undefined) return { id, outputs };
    const message = `release ${id} of chart ${chart.name} failed: ${reason}`;
    if (inputs.atomic !== true) throw new InitializationError(id, outputs, [message]);
    await this.rollBack(secret, before);
    throw new Error(`${message}; it was rolled back because it is atomic`);
  }

  /** The newest revision; undefined when there is none. */
  async read(id: string, inputs: Props, outputs: Props): Promise<ReadResult | undefined> {
    const [namespace = "", name = ""] = id.split("/");
    const newest = (await this.revisions(namespace, name)).at(-1);
    if (!newest) return undefined;
    const record = releaseRecord(newest);
    const { name: chart, version } = record.chart.metadata;
    const declared: Props = { ...inputs, name, namespace, values: record.config };
    if (typeof inputs.chart !== "string" || chartName(inputs.chart) !== chart) declared.chart = chart;
    if (inputs.version !== undefined || Object.keys(inputs).length === 0) declared.version = version;
    return { id, inputs: declared, outputs: { ...outputs, ...outputsOf(declared, record) } };
  }

  /** Removes the record; the CustomResourceDefinitions stay, as Helm leaves them. */
  async uninstall(id: string): Promise<void> {
    const [namespace = "", name = ""] = id.split("/");
    for (const secret of await this.revisions(namespace, name)) await this.rest.remove(secret, "Background");
  }

  private async ensure(object: KubeObject): Promise<void> {
    if (await this.rest.get(object)) return;
    try {
      await this.rest.create(object, HELM);
    } catch (error) {
      // Another release installs the same one at this moment.
      if (!(error instanceof ApiError) || error.reason !== "AlreadyExists") throw error;
    }
  }

  private async record(inputs: Props, chart: Chart, before: KubeObject[]): Promise<KubeObject> {
    const { name, namespace, values } = release(inputs);
    const last = before.at(-1);
    const previous = last ? releaseRecord(last) : undefined;
    const now = new Date().toISOString();
    const record: ReleaseRecord = {
      name,
      namespace,
      version: (previous?.version ?? 0) + 1,
      chart: { metadata: { name: chart.name, version: String(inputs.version ?? "latest"), apiVersion: "v2" } },
      config: values,
      info: {
        status: "deployed",
        first_deployed: previous?.info.first_deployed ?? now,
        last_deployed: now,
        description: previous ? "Upgrade complete" : "Install complete",
      },
    };
    const secret = await this.rest.create(releaseSecret(record), HELM);
    if (last) await this.setStatus(last, "superseded");
    return secret;
  }

  private async setStatus(secret: KubeObject, status: ReleaseStatus): Promise<void> {
    const record = releaseRecord(secret);
    const { metadata, data } = releaseSecret({ ...record, info: { ...record.info, status } });
    await this.rest.mergePatch(secret, { metadata: { labels: metadata.labels }, data }, HELM);
  }

  private async rollBack(secret: KubeObject, before: KubeObject[]): Promise<void> {
    await this.rest.remove(secret, "Background");
    const last = before.at(-1);
    if (last) await this.setStatus(last, "deployed");
  }

  /** Revisions from the oldest to the newest. */
  private async revisions(namespace: string, name: string): Promise<KubeObject[]> {
    const version = (secret: KubeObject) => Number(secret.metadata.labels?.version);
    const found = await this.rest.list(SECRET, namespace, revisionsOf(name));
    return found
      .map((secret) => ({ ...secret, apiVersion: "v1", kind: "Secret" }))
      .sort((a, b) => version(a) - version(b));
  }

  /** Waits for the operator; the reason when it does not answer in time. */
  private async operatorMissing(secret: KubeObject, seconds: number): Promise<string | undefined> {
    const deadline = Date.now() + seconds * 1000;
    for (;;) {
      const live = await this.rest.get(secret);
      if (live?.metadata.annotations?.[OPERATOR_ANNOTATION] === "running") return undefined;
      if (!live) return "its record was deleted while its operator was waited for";
      if (this.signal.aborted) return "the wait for its operator was cancelled";
      if (Date.now() > deadline) {
        return `its operator did not report ${OPERATOR_ANNOTATION}=running on Secret ${secret.metadata.name} within ${seconds} seconds`;
      }
      await sleep(POLL_MS);
    }
  }
}

function release(inputs: Props): { name: string; namespace: string; values: Props } {
  if (containsUnknown(inputs)) throw new Error(`release inputs are not known: ${JSON.stringify(inputs)}`);
  return {
    name: String(inputs.name),
    namespace: String(inputs.namespace),
    values: isRecord(inputs.values) ? inputs.values : {},
  };
}

function outputsOf(inputs: Props, record: ReleaseRecord, definitions?: KubeObject[]): Props {
  const names = definitions?.map(({ metadata }) => metadata.name);
  return {
    ...inputs,
    ...(names ? { resourceNames: { "CustomResourceDefinition/apiextensions.k8s.io/v1": names } } : {}),
    status: {
      chart: record.chart.metadata.name,
      name: record.name,
      namespace: record.namespace,
      revision: record.version,
      status: record.info.status,
      version: record.chart.metadata.version,
    },
  };
}

function namespaceObject(name: string): KubeObject {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name } };
}
