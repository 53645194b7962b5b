import * as gcp from "@pulumi/gcp";
import { ComponentResource, type ComponentResourceOptions, type Output } from "@pulumi/pulumi";

/** Arguments of {@link Certificate}. */
export interface CertificateArgs {
  project: string;
  /** Name of the resources in Google Cloud. */
  certificateName: string;
  domain: string;
  deletionProtection: boolean;
}

/** A DNS record that somebody else's zone has to have. */
export interface DnsRecord {
  /** With a dot at its end. */
  name: string;
  type: string;
  data: string;
}

/**
 * A managed certificate (D1), issued and renewed while its record is in the domain's zone: before any traffic, and
 * whatever becomes of a site. The authorization is kept, because another one would want another record.
 */
export class Certificate extends ComponentResource {
  /** What an HTTPS proxy takes. */
  readonly map: Output<string>;
  /** The record by which it is issued. */
  readonly record: Output<DnsRecord>;

  constructor(name: string, args: CertificateArgs, opts?: ComponentResourceOptions) {
    super("iconik:traffic:Certificate", name, {}, opts);
    const { project, domain, deletionProtection: keep } = args;
    const common = { project, name: args.certificateName };
    const authorization = new gcp.certificatemanager.DnsAuthorization(
      `${name}-authorization`,
      { ...common, domain },
      { parent: this, protect: keep, retainOnDelete: keep },
    );
    const certificate = new gcp.certificatemanager.Certificate(
      `${name}-certificate`,
      { ...common, managed: { domains: [domain], dnsAuthorizations: [authorization.id] } },
      { parent: this },
    );
    const map = new gcp.certificatemanager.CertificateMap(`${name}-map`, common, { parent: this });
    const entry = new gcp.certificatemanager.CertificateMapEntry(
      `${name}-entry`,
      { ...common, map: map.name, hostname: domain, certificates: [certificate.id] },
      { parent: this },
    );
    // By way of the entry, so that whoever uses the map waits for what is in it.
    this.map = entry.id.apply(() => map.id).apply((id) => `//certificatemanager.googleapis.com/${id}`);
    this.record = authorization.dnsResourceRecords.apply(([record]) => ({
      name: record?.name ?? "",
      type: record?.type ?? "",
      data: record?.data ?? "",
    }));
    this.registerOutputs({});
  }
}
