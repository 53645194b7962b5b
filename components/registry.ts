import * as gcp from "@pulumi/gcp";
import { ComponentResource, type ComponentResourceOptions, type Input } from "@pulumi/pulumi";
import { registries } from "../plan/names";

/** Arguments of {@link Registry}. */
export interface RegistryArgs {
  project: string;
  location: string;
  /** IAM members that read each repository; nobody else does by a binding of its own. They have to exist already. */
  readers: Record<keyof typeof registries, Input<string>[]>;
  /** IAM members that push to every repository, where no tag can be moved. They have to exist already. */
  writers: string[];
  deletionProtection: boolean;
}

/** The vault's Artifact Registry: what a rebuild runs and installs, out of reach of what takes a site away. */
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
        // A binding without a member is none.
        if (members.length === 0) continue;
        new gcp.artifactregistry.RepositoryIamBinding(
          `${name}-${use}-${role}s`,
          { project, location, repository: repository.repositoryId, role: `roles/artifactregistry.${role}`, members },
          { parent: this, deletedWith: repository },
        );
      }
    }
    this.registerOutputs({});
  }
}
