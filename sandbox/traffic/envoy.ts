/** The Envoy process: reads its configuration from files, which are replaced as a whole. */
import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { BackendStatus } from "../cloud/api";
import { freePort, type ProcessTable, type Running, sleep, waitUntil } from "../lib/process";
import type { Props } from "../lib/types";
import type { EnvoyConfig } from "./envoy-config";

/** How long what is new may take to be ready before what is old goes anyway. */
const WARM_MS = 15_000;

/** The folder that Envoy reads. */
export class EnvoyFiles {
  /** Texts that the files have; an equal one is not written again. */
  private readonly written = new Map<string, string>();

  constructor(readonly dir: string) {
    mkdirSync(dir, { recursive: true });
  }

  /** Path of a resource; names may have any letters. */
  path(kind: "route" | "assignment", name: string): string {
    return join(this.dir, `${kind}-${name.replaceAll(/[^a-z0-9-]/gi, "_")}.json`);
  }

  /** Clusters and their endpoints. */
  writeClusters({ clusters, assignments }: EnvoyConfig): void {
    for (const [name, each] of assignments) this.replace(this.path("assignment", name), [each]);
    this.replace(join(this.dir, "clusters.json"), [...clusters.values()]);
  }

  /** Listeners and where they send requests. */
  writeListeners({ routes, listeners }: EnvoyConfig): void {
    for (const [name, each] of routes) this.replace(this.path("route", name), [each]);
    this.replace(join(this.dir, "listeners.json"), [...listeners.values()]);
  }

  /** Removes what the configuration does not have. */
  removeOthers({ routes, assignments }: EnvoyConfig): void {
    const keep = new Set([
      ...[...assignments.keys()].map((name) => this.path("assignment", name)),
      ...[...routes.keys()].map((name) => this.path("route", name)),
    ]);
    for (const name of readdirSync(this.dir)) {
      const path = join(this.dir, name);
      if (!/^(route|assignment)-.*\.json$/.test(name) || keep.has(path)) continue;
      rmSync(path, { force: true });
      this.written.delete(path);
    }
  }

  /** Envoy reads a file when it is moved into place. */
  private replace(path: string, resources: Props[]): void {
    const text = JSON.stringify({ version_info: "1", resources });
    if (this.written.get(path) === text) return;
    writeFileSync(`${path}.new`, text, { mode: 0o600 });
    renameSync(`${path}.new`, path);
    this.written.set(path, text);
  }
}

export class Envoy {
  private refused = 0;

  private constructor(
    private readonly files: EnvoyFiles,
    private readonly admin: string,
    private readonly process: Running,
  ) {}

  /** Starts Envoy with files that have been written. */
  static async start(options: { files: EnvoyFiles; binary: string; processes: ProcessTable }): Promise<Envoy> {
    const { files, binary, processes } = options;
    const port = await freePort();
    const bootstrap = join(files.dir, "bootstrap.json");
    writeFileSync(bootstrap, JSON.stringify(bootstrapConfig(files.dir, port)));
    const log = join(files.dir, "envoy.log");
    const process = processes.run({
      name: "envoy",
      command: binary,
      args: ["--config-path", bootstrap, "--log-level", "warning", "--concurrency", "2", "--use-dynamic-base-id"],
      env: { PATH: "/usr/bin:/bin" },
      log,
    });
    const admin = `http://127.0.0.1:${port}`;
    const live = async () =>
      fetch(`${admin}/ready`)
        .then((response) => response.ok)
        .catch(() => false);
    await waitUntil("Envoy", live, { timeoutMs: 120_000, child: process, log });
    const envoy = new Envoy(files, admin, process);
    await envoy.accepted();
    return envoy;
  }

  /** Puts a configuration into effect: what is new is ready before requests go to it, and what is old goes last. */
  async apply(config: EnvoyConfig, before: EnvoyConfig): Promise<void> {
    const both = { ...config, clusters: new Map([...before.clusters, ...config.clusters]) };
    this.files.writeClusters(both);
    const added = [...config.clusters.keys()].some((name) => !before.clusters.has(name));
    if (added)
      for (const end = Date.now() + WARM_MS; Date.now() < end && !(await this.warm(config)); ) await sleep(100);
    this.files.writeListeners(config);
    this.files.writeClusters(config);
    this.files.removeOthers(config);
    await this.accepted();
  }

  /** @throws when Envoy refused a file since it was asked last */
  private async accepted(): Promise<void> {
    // It reads a file soon after it has been moved.
    await sleep(100);
    const text = await (await fetch(`${this.admin}/stats?filter=update_rejected`)).text();
    const refused = [...text.matchAll(/: (\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
    const before = this.refused;
    this.refused = refused;
    if (refused > before)
      throw new Error(`Envoy refused a configuration; ${join(this.files.dir, "envoy.log")} says why`);
  }

  /** True when every cluster's endpoints have been asked once. */
  private async warm({ clusters }: EnvoyConfig): Promise<boolean> {
    const known = await this.clusters();
    return [...clusters.keys()].every((name) => known.some((each) => each.name === name));
  }

  /** What its health checks say. */
  async health(): Promise<BackendStatus[]> {
    return (await this.clusters()).flatMap(({ name, host_statuses: hosts = [] }) =>
      hosts.map(({ hostname = "", locality, health_status: status = {} }) => ({
        cluster: name,
        endpoint: hostname,
        region: locality?.region ?? "",
        healthy: !status.failed_active_health_check,
        ejected: status.failed_outlier_check === true,
      })),
    );
  }

  /** Requests that each cluster has been sent since Envoy started, by its name; health checks are none. */
  async requests(): Promise<Map<string, number>> {
    const text = await (
      await fetch(`${this.admin}/stats?filter=${encodeURIComponent("^cluster\\..*\\.upstream_rq_total$")}`)
    ).text();
    return new Map(
      [...text.matchAll(/^cluster\.(.+)\.upstream_rq_total: (\d+)$/gm)].map(([, name, count]) => [
        name!,
        Number(count),
      ]),
    );
  }

  private async clusters(): Promise<ClusterStatus[]> {
    const response = await fetch(`${this.admin}/clusters?format=json`);
    return ((await response.json()) as { cluster_statuses?: ClusterStatus[] }).cluster_statuses ?? [];
  }

  stop(): Promise<void> {
    return this.process.stop(0);
  }
}

interface ClusterStatus {
  name: string;
  host_statuses?: {
    hostname?: string;
    locality?: { region?: string };
    health_status?: { failed_active_health_check?: boolean; failed_outlier_check?: boolean };
  }[];
}

/** @throws with Envoy's words when it would not take the configuration in the folder */
export async function validate(binary: string, dir: string, config: EnvoyConfig): Promise<void> {
  // What is read from files is not looked at: for once, everything is in the bootstrap.
  const path = join(dir, "validated.json");
  const { layered_runtime } = bootstrapConfig(dir, 0);
  writeFileSync(path, JSON.stringify({ layered_runtime, ...staticConfig(config) }));
  await promisify(execFile)(binary, ["--mode", "validate", "--config-path", path, "--log-level", "error"]);
}

function bootstrapConfig(dir: string, adminPort: number): Props {
  const file = (name: string) => ({
    path_config_source: { path: join(dir, name), watched_directory: { path: dir } },
    resource_api_version: "V3",
  });
  return {
    node: { id: "front-ends", cluster: "front-ends" },
    admin: { address: { socket_address: { address: "127.0.0.1", port_value: adminPort } } },
    // The regions near one of them are matched by one expression.
    layered_runtime: {
      layers: [{ name: "limits", static_layer: { "re2.max_program_size.error_level": 1000 } }],
    },
    dynamic_resources: { lds_config: file("listeners.json"), cds_config: file("clusters.json") },
  };
}

/** The configuration as one file: routes inside their listeners, endpoints inside their clusters. */
function staticConfig({ listeners, routes, clusters, assignments }: EnvoyConfig): Props {
  const inline = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(inline);
    if (typeof value !== "object" || value === null) return value;
    const { rds, ...rest } = value as Props;
    const more = rds
      ? { route_config: plain(routes.get((rds as { route_config_name: string }).route_config_name)!) }
      : {};
    return Object.fromEntries(Object.entries({ ...rest, ...more }).map(([key, each]) => [key, inline(each)]));
  };
  return {
    static_resources: {
      listeners: [...listeners.values()].map((each) => inline(plain(each))),
      clusters: [...clusters].map(([name, each]) => {
        const { eds_cluster_config: _, ...rest } = plain(each);
        return { ...rest, type: "STATIC", load_assignment: plain(assignments.get(name)!) };
      }),
    },
  };
}

const plain = ({ "@type": _, ...rest }: Props): Props => rest;
