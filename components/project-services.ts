import * as gcp from "@pulumi/gcp";
import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";

/** APIs of every project with clusters, buckets and identities. */
export const clusterServices = [
  "cloudkms.googleapis.com",
  "cloudresourcemanager.googleapis.com",
  "compute.googleapis.com",
  "container.googleapis.com",
  // Clusters resolve names by Cloud DNS; without its API no name is written.
  "dns.googleapis.com",
  "iam.googleapis.com",
  "iamcredentials.googleapis.com",
  "logging.googleapis.com",
  "monitoring.googleapis.com",
  "storage.googleapis.com",
];

/** Google APIs of a project, e.g. `container.googleapis.com`. */
export interface ProjectServicesArgs {
  project: string;
  services: string[];
}

/**
 * Enables the APIs that a fresh project needs. They stay enabled when the stack goes: another stack may use them.
 * Service Usage and Cloud Resource Manager have to be on already; they are what enables the others. A stack
 * declares what it uses all the same, so that its inventory is complete.
 */
export class ProjectServices extends ComponentResource {
  constructor(name: string, args: ProjectServicesArgs, opts?: ComponentResourceOptions) {
    super("iconik:project:ProjectServices", name, {}, opts);
    for (const service of args.services) {
      new gcp.projects.Service(
        `${name}-${service.split(".")[0]}`,
        { project: args.project, service, disableOnDestroy: false },
        { parent: this },
      );
    }
    this.registerOutputs({});
  }
}
