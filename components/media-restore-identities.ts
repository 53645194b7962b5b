import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import { type MediaRestore, mediaRestorerOf, mediaRestorers } from "../plan/media";
import { latest, restoreExpiry } from "./media-buckets";
import { WorkloadIdentity } from "./workload-identity";

/** Arguments of {@link MediaRestoreIdentities}. */
export interface MediaRestoreIdentitiesArgs {
  /** Project of the vault and of its cluster. */
  project: string;
  restores: readonly MediaRestore[];
}

/**
 * Who brings media back (S6): made for the restores that are open, and unusable when the last of its kind has ended. One that
 * may overwrite is another identity, as only it may delete.
 */
export class MediaRestoreIdentities extends ComponentResource {
  readonly identities: ReadonlyMap<(typeof mediaRestorers)[number], WorkloadIdentity>;

  constructor(name: string, args: MediaRestoreIdentitiesArgs, opts?: ComponentResourceOptions) {
    super("iconik:backup:MediaRestoreIdentities", name, {}, opts);
    const { project } = args;
    this.identities = new Map(
      mediaRestorers.flatMap((identity) => {
        const ends = args.restores.filter((each) => mediaRestorerOf(each) === identity).map(({ expires }) => expires);
        if (ends.length === 0) return [];
        const condition = restoreExpiry(latest(ends));
        const made = new WorkloadIdentity(
          identity,
          { identity, project, poolProject: project, condition },
          { parent: this },
        );
        return [[identity, made] as const];
      }),
    );
    this.registerOutputs({});
  }
}
