/** Custom resources of the cluster the job runs in. */
import { ApiException, CustomObjectsApi, KubeConfig } from "@kubernetes/client-node";
import { waitFor } from "./wait";

/** A kind of custom resource. */
export interface Kind {
  group: string;
  version: string;
  plural: string;
  kind: string;
}

/** A custom resource with the parts the jobs look at. */
export interface Resource<Spec, Status> {
  apiVersion?: string;
  kind?: string;
  metadata: { name: string; uid?: string; creationTimestamp?: string };
  spec: Spec;
  status?: Status;
}

const medusa = { group: "medusa.k8ssandra.io", version: "v1alpha1" };
/** Medusa's and cass-operator's resources. */
export const kinds = {
  backupJob: { ...medusa, plural: "medusabackupjobs", kind: "MedusaBackupJob" },
  backup: { ...medusa, plural: "medusabackups", kind: "MedusaBackup" },
  task: { ...medusa, plural: "medusatasks", kind: "MedusaTask" },
  restoreJob: { ...medusa, plural: "medusarestorejobs", kind: "MedusaRestoreJob" },
  datacenter: {
    group: "cassandra.datastax.com",
    version: "v1beta1",
    plural: "cassandradatacenters",
    kind: "CassandraDatacenter",
  },
} satisfies Record<string, Kind>;

/** Access to the custom resources of one namespace. */
export class Resources {
  private readonly api: CustomObjectsApi;

  /** Uses the pod's service account, or a kubeconfig named by KUBECONFIG. */
  constructor(private readonly namespace: string) {
    const config = new KubeConfig();
    config.loadFromDefault();
    this.api = config.makeApiClient(CustomObjectsApi);
  }

  async create<Spec>(kind: Kind, name: string, spec: Spec): Promise<void> {
    await this.post(kind, { name }, spec);
  }

  /** Creates one whose name begins with this, and that no attempt before it has had. @returns its name */
  async createNew<Spec>(kind: Kind, generateName: string, spec: Spec): Promise<string> {
    return (await this.post(kind, { generateName }, spec)).metadata.name;
  }

  private async post<Spec>(kind: Kind, metadata: object, spec: Spec): Promise<Resource<Spec, unknown>> {
    const body = { apiVersion: `${kind.group}/${kind.version}`, kind: kind.kind, metadata, spec };
    return this.api.createNamespacedCustomObject({ ...kind, namespace: this.namespace, body });
  }

  /** The resource, or undefined when there is none of that name. */
  async get<Spec, Status>(kind: Kind, name: string): Promise<Resource<Spec, Status> | undefined> {
    try {
      return await this.api.getNamespacedCustomObject({ ...kind, namespace: this.namespace, name });
    } catch (error) {
      if (error instanceof ApiException && error.code === 404) {
        return undefined;
      }
      throw error;
    }
  }

  async list<Spec, Status>(kind: Kind): Promise<Resource<Spec, Status>[]> {
    const answer = await this.api.listNamespacedCustomObject({ ...kind, namespace: this.namespace });
    return (answer as { items: Resource<Spec, Status>[] }).items;
  }

  /** Waits until the resource's status says that it is finished. API errors in between are waited out. */
  async finished<Status extends { finishTime?: string }>(
    kind: Kind,
    name: string,
    options: {
      timeoutSeconds: number;
      pollSeconds: number;
      over?: (status: Status) => boolean;
      onTimeout(status: Status | undefined): Error;
    },
  ): Promise<Status> {
    return waitFor<Status, Status | undefined>(async () => {
      const status = await this.status<Status>(kind, name);
      return status !== undefined && (status.finishTime !== undefined || options.over?.(status) === true)
        ? { done: status }
        : { seen: status };
    }, options);
  }

  private async status<Status>(kind: Kind, name: string): Promise<Status | undefined> {
    try {
      return (await this.get<unknown, Status>(kind, name))?.status;
    } catch (error) {
      if (error instanceof ApiException && error.code >= 400 && error.code < 500) {
        throw error;
      }
      return undefined;
    }
  }
}
