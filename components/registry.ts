import * as gcp from "@pulumi/gcp";
import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import { registries } from "../plan/names";

/** Arguments of {@link Registry}. */
export interface RegistryArgs {
  project: string;
  location: string;
  /** IAM members that read each repository. They have to exist already. */
  readers: Record<keyof typeof registries, string[]>;
  /** IAM members that push to every repository, where no tag can be moved. They have to exist already. */
  writers: string[];
  deletionProtection: boolean;
}

/**
 * The vault's Artifact Registry: what a rebuild runs and installs, out of reach of what takes a site away. Each member has a
 * grant of its own: an account that was deleted with its site must not keep the next one from being added.
 */
export class Registry extends ComponentResource {
  constructor(name: string, args: RegistryArgs, opts?: ComponentResourceOptions) {
    super("iconik:registry:Registry", name, {}, opts);
    const { project, location } = args;
    for (const use of Object.keys(registries) as (keyof typeof registries)[]) {
      const repository = new gcp.artifactregistry.Repository(
        `${name}-${use}`,
        // Charts are OCI artifacts and have the format of images.
        { project, location, repositoryId: registries[use], format: "DOCKER", dockerConfig: { immutableTags: true } },
        { parent: this, protect: args.deletionProtection },
      );
      for (const [role, members] of Object.entries({ reader: args.readers[use], writer: args.writers })) {
        for (const member of new Set(members)) {
          new gcp.artifactregistry.RepositoryIamMember(
            `${name}-${use}-${role}-${shortened(member)}`,
            { project, location, repository: repository.repositoryId, role: `roles/artifactregistry.${role}`, member },
            { parent: this, deletedWith: repository },
          );
        }
      }
    }
    this.registerOutputs({});
  }
}

/** A member as part of a resource's name. */
function shortened(member: string): string {
  return member.replace(/^[^:]+:/, "").replace(/\.iam\.gserviceaccount\.com$/, "");
}
