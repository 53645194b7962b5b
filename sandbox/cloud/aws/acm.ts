/** Certificates, which their DNS records validate. Source: "AWS Certificate Manager API reference". */
import { createHash, randomUUID } from "node:crypto";
import { type Behaviour, CloudError, type Props } from "../../lib/types";
import { type Registry, text } from "../registry";
import { accountOf, arn } from "./arn";
import { required, texts } from "./checks";
import { plainName } from "./route53";
import { AWS } from "./types";

interface Option {
  domainName: string;
  resourceRecordName: string;
  resourceRecordType: string;
  resourceRecordValue: string;
}

/** Behaviours by type token. */
export function acmBehaviours(registry: Registry): Record<string, Behaviour> {
  return {
    [AWS.certificate]: {
      create: async (inputs, caller) => {
        const id = arn("acm", text(inputs, "region"), accountOf(caller), `certificate/${randomUUID()}`);
        const names = [...new Set([required(inputs, "domainName"), ...texts(inputs, "subjectAlternativeNames")])];
        const domainValidationOptions = names.map(
          (name): Option => ({
            domainName: name,
            ...validation(name, accountOf(caller)),
          }),
        );
        return {
          id,
          outputs: {
            ...inputs,
            arn: id,
            status: "PENDING_VALIDATION",
            domainValidationOptions,
            subjectAlternativeNames: names,
          },
        };
      },
      update: async ({ outputs }, inputs) => ({ ...outputs, ...inputs }),
      read: async ({ id, outputs }) => ({ ...outputs, status: issued(registry, id) ? "ISSUED" : "PENDING_VALIDATION" }),
      delete: async ({ id }) => {
        if (registry.some(({ type, inputs }) => type.startsWith("aws:lb/") && inputs.certificateArn === id))
          throw new CloudError(400, "ResourceInUseException", `Certificate ${id} in account is in use.`);
      },
    },
    "aws:acm/certificateValidation:CertificateValidation": {
      create: async (inputs) => {
        const certificate = required(inputs, "certificateArn");
        if (!registry.get(AWS.certificate, certificate))
          throw new CloudError(400, "ResourceNotFoundException", `Could not find certificate ${certificate}.`);
        // The real one waits for 75 minutes; a record that is not there now is declared by nothing that this waits for.
        if (!issued(registry, certificate))
          throw new CloudError(
            400,
            "Timeout",
            `timeout while waiting for certificate ${certificate} to be issued: its validation records are not in a zone`,
          );
        return { id: certificate, outputs: { ...inputs } };
      },
    },
  };
}

/** True when every validation record of a certificate is there. */
export function issued(registry: Registry, certificateArn: string): boolean {
  const certificate = registry.get(AWS.certificate, certificateArn);
  const options = (certificate?.outputs.domainValidationOptions ?? []) as Option[];
  const records = registry.all(AWS.record);
  return (
    options.length > 0 &&
    options.every(({ resourceRecordName, resourceRecordValue }) =>
      records.some(({ inputs, outputs }: { inputs: Props; outputs: Props }) => {
        const same = plainName(text(outputs, "fqdn")) === plainName(resourceRecordName);
        return same && texts(inputs, "records").map(plainName).includes(plainName(resourceRecordValue));
      }),
    )
  );
}

/** The record that shows whose a domain is: always the same for an account. */
function validation(name: string, account: string): Omit<Option, "domainName"> {
  const domain = name.replace(/^\*\./, "");
  const hash = (of: string) => createHash("sha256").update(`${of} ${domain} ${account}`).digest("hex").slice(0, 32);
  return {
    resourceRecordName: `_${hash("name")}.${domain}.`,
    resourceRecordType: "CNAME",
    resourceRecordValue: `_${hash("value")}.acm-validations.aws.`,
  };
}
