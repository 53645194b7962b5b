import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import { expiry, type Grant, readerCondition } from "../plan/permissions";
import { WorkloadIdentity } from "./workload-identity";

/** Arguments of {@link RestoreGrant}. */
export interface RestoreGrantArgs {
  /** Project of the vault. */
  project: string;
  /** Site that restores. */
  site: string;
  /** Its project: only its `dr/restorer` pods may act as the restorer. */
  siteProject: string;
  /** Site whose copies it restores. */
  source: string;
  /** Bucket of the second copies. */
  copiesBucket: string;
  /** End of the grant, ISO-8601 with zone. */
  expires: string;
  /** Member that previews the site and looks the copy up, e.g. `serviceAccount:…`. */
  manifestReader: string;
}

/**
 * An approved, expiring grant (D5): a restorer for one site, read-only on the second copies. Both the right to act as
 * the restorer and its access end by themselves.
 */
export class RestoreGrant extends ComponentResource {
  readonly identity: WorkloadIdentity;
  /** What the copies bucket's policy has to say for this grant. */
  readonly grants: Grant[];

  constructor(name: string, args: RestoreGrantArgs, opts?: ComponentResourceOptions) {
    super("iconik:backup:RestoreGrant", name, {}, opts);
    const condition = expiry(args.expires);
    this.identity = new WorkloadIdentity(
      name,
      { identity: "restorer", project: args.project, poolProject: args.siteProject, site: args.site, condition },
      { parent: this },
    );
    this.grants = [
      { identity: "restorer", member: `serviceAccount:${this.identity.email}`, condition },
      {
        identity: "manifest-reader",
        member: args.manifestReader,
        condition: readerCondition(args.copiesBucket, args.source, args.expires),
      },
    ];
    this.registerOutputs({});
  }
}
