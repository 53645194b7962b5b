/** Which resource (path) of the API server serves a kind. */
import { sleep } from "../../lib/process";
import { ApiError, type Connection } from "./connection";
import { apiVersionOf, type Gvk } from "./types";

/** How one kind is served. */
export interface Mapping {
  /** Plural as in paths, e.g. `cronjobs`. */
  plural: string;
  namespaced: boolean;
}

interface ApiResourceList {
  resources: { name: string; kind: string; namespaced: boolean }[];
}

/** The API server serves no such kind: its CRD is not installed, or the version is wrong. */
export class NoKindError extends Error {
  constructor(gvk: Gvk) {
    super(
      `no matches for kind "${gvk.kind}" in version "${apiVersionOf(gvk)}": the API server does not serve it; install its CustomResourceDefinition first or correct apiVersion and kind`,
    );
    this.name = "NoKindError";
  }
}

/** Asks the API server once per group and version, and again when a kind is missing. */
export class Discovery {
  private readonly known = new Map<string, Promise<ApiResourceList | undefined>>();

  constructor(private readonly connection: Connection) {}

  /**
   * @param waitMs how long a kind may take to appear: a CRD that was just installed is served a moment later
   * @throws NoKindError
   */
  async mapping(gvk: Gvk, waitMs = 0): Promise<Mapping> {
    const deadline = Date.now() + waitMs;
    for (let first = true; ; first = false) {
      if (!first) this.known.delete(apiVersionOf(gvk));
      const cached = this.known.has(apiVersionOf(gvk));
      const found = (await this.list(gvk))?.resources.find(
        ({ kind, name }) => kind === gvk.kind && !name.includes("/"),
      );
      if (found) return { plural: found.name, namespaced: found.namespaced };
      if (cached) continue;
      if (Date.now() >= deadline) throw new NoKindError(gvk);
      await sleep(250);
    }
  }

  private list(gvk: Gvk): Promise<ApiResourceList | undefined> {
    const version = apiVersionOf(gvk);
    const cached = this.known.get(version);
    if (cached) return cached;
    const path = gvk.group ? `/apis/${version}` : `/api/${version}`;
    const listed = this.connection.send<ApiResourceList>({ method: "GET", path }).catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 404) return undefined;
      this.known.delete(version);
      throw error;
    });
    this.known.set(version, listed);
    return listed;
  }
}

/** Kinds without a namespace among those that a program declares before the cluster can be asked. */
const CLUSTER_SCOPED = new Set([
  "/Namespace",
  "/Node",
  "/PersistentVolume",
  "apiextensions.k8s.io/CustomResourceDefinition",
  "apiregistration.k8s.io/APIService",
  "rbac.authorization.k8s.io/ClusterRole",
  "rbac.authorization.k8s.io/ClusterRoleBinding",
  "storage.k8s.io/StorageClass",
  "storage.k8s.io/CSIDriver",
  "storage.k8s.io/VolumeAttributesClass",
  "scheduling.k8s.io/PriorityClass",
  "networking.k8s.io/IngressClass",
  "admissionregistration.k8s.io/ValidatingWebhookConfiguration",
  "admissionregistration.k8s.io/MutatingWebhookConfiguration",
  "admissionregistration.k8s.io/ValidatingAdmissionPolicy",
  "admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding",
  "snapshot.storage.k8s.io/VolumeSnapshotClass",
  "snapshot.storage.k8s.io/VolumeSnapshotContent",
]);

/** True for kinds that have no namespace, without asking; custom kinds count as namespaced. */
export function isClusterScoped(gvk: Gvk): boolean {
  return CLUSTER_SCOPED.has(`${gvk.group}/${gvk.kind}`);
}
