import * as aws from "@pulumi/aws";
import { ComponentResource, type ComponentResourceOptions, type Output } from "@pulumi/pulumi";

/** Arguments of {@link StandbyCertificate}. */
export interface StandbyCertificateArgs {
  domain: string;
  /** Zone of the domain, which the parent zone has to delegate before the certificate can be issued. */
  zone: aws.route53.Zone;
  deletionProtection: boolean;
}

/** The domain's certificate for the standby, issued beforehand and renewed while its record is in the zone (S7). */
export class StandbyCertificate extends ComponentResource {
  /** ARN, once it is issued. */
  readonly issued: Output<string>;
  readonly certificate: aws.acm.Certificate;

  constructor(name: string, args: StandbyCertificateArgs, opts?: ComponentResourceOptions) {
    super("iconik:aws:StandbyCertificate", name, {}, opts);
    this.certificate = new aws.acm.Certificate(
      `${name}-certificate`,
      {
        domainName: args.domain,
        validationMethod: "DNS",
        keyAlgorithm: "EC_prime256v1",
        options: { certificateTransparencyLoggingPreference: "ENABLED" },
      },
      { parent: this, protect: args.deletionProtection },
    );
    const option = this.certificate.domainValidationOptions.apply(([first]) => first);
    const record = new aws.route53.Record(
      `${name}-validation`,
      {
        zoneId: args.zone.zoneId,
        name: option.apply((each) => each?.resourceRecordName ?? ""),
        type: option.apply((each) => each?.resourceRecordType ?? "CNAME"),
        ttl: 300,
        records: [option.apply((each) => each?.resourceRecordValue ?? "")],
      },
      { parent: this },
    );
    const validation = new aws.acm.CertificateValidation(
      `${name}-validation`,
      { certificateArn: this.certificate.arn, validationRecordFqdns: [record.fqdn] },
      { parent: this, customTimeouts: { create: "60m" } },
    );
    this.issued = validation.certificateArn;
    this.registerOutputs({});
  }
}
