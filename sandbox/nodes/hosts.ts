/**
 * Cluster DNS by hosts files: one folder per cluster, mounted into its pods, whose file is replaced whenever Services or
 * their pods change. Resolvers read it again by themselves; no server, no privileged port.
 */
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ClusterSpec } from "../lib/types";

/** Where the names of a Service lead. */
export interface ServiceRecord {
  namespace: string;
  name: string;
  /** Cluster IP, or the pods' addresses of a headless Service. */
  addresses: string[];
  headless: boolean;
  /** Pods with a hostname under this Service (StatefulSets). */
  pods: { hostname: string; address: string }[];
}

export class HostsFiles {
  private readonly clusters = new Map<string, ServiceRecord[]>();

  constructor(private readonly dir: string) {}

  /** Folder to mount into the cluster's pods; its file is named `hosts`. */
  folder(clusterId: string): string {
    const folder = join(this.dir, clusterId.replaceAll("/", "_"));
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  /** Replaces a cluster's Services and writes its file. */
  update(spec: ClusterSpec, services: ServiceRecord[]): void {
    this.clusters.set(spec.id, services);
    const path = join(this.folder(spec.id), "hosts");
    writeFileSync(`${path}.new`, render(records(services)));
    renameSync(`${path}.new`, path);
  }

  remove(clusterId: string): void {
    this.clusters.delete(clusterId);
    rmSync(this.folder(clusterId), { recursive: true, force: true });
  }

  /** Addresses that a name has for the pods of a cluster; empty when it has none. */
  resolve(clusterId: string, host: string): string[] {
    return records(this.clusters.get(clusterId) ?? [])
      .filter(([name]) => name === host)
      .map(([, address]) => address);
  }
}

/** Name and address pairs of a cluster's Services. */
export function records(services: ServiceRecord[]): [name: string, address: string][] {
  return services.flatMap((service) => {
    const base = `${service.name}.${service.namespace}`;
    const names = (prefix: string) => [
      `${prefix}${base}`,
      `${prefix}${base}.svc`,
      `${prefix}${base}.svc.cluster.local`,
    ];
    return [
      ...service.addresses.flatMap((address) => names("").map((name): [string, string] => [name, address])),
      ...service.pods.flatMap((pod) => names(`${pod.hostname}.`).map((name): [string, string] => [name, pod.address])),
    ];
  });
}

/** The hosts file's text: one line per address with all its names, as resolvers expect. */
export function render(entries: [name: string, address: string][]): string {
  const byAddress = new Map<string, string[]>([["127.0.0.1", ["localhost"]]]);
  for (const [name, address] of entries) byAddress.set(address, [...(byAddress.get(address) ?? []), name]);
  return [...byAddress].map(([address, names]) => `${address}\t${names.join(" ")}\n`).join("");
}
