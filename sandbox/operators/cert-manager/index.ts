/** Stand-in for cert-manager: Certificates of Issuers with an authority in a Secret become Secrets with keystores. */
import { createHash } from "node:crypto";
import type { V1Secret } from "@kubernetes/client-node";
import { issue, type KeyPair } from "../../lib/certificates";
import { kubeConfigOf } from "../../lib/kube-config";
import type { Operator } from "../../lib/types";
import { condition, reconcile, together } from "../lib";
import { Objects } from "../objects";
import { keystore, truststore } from "./keystores";
import { CERTIFICATE, type Certificate, type CertificateSpec, ISSUER, type Issuer, SECRET } from "./types";

/** On an issued Secret: digest of the specification that it was issued for. */
const ISSUED_FOR = "meta.sandbox/issued-for";
const DEFAULT_SECONDS = 90 * 24 * 3600;

/** @param keytool JDK program that writes truststores */
export function certManagerOperator(keytool: string): Operator {
  return {
    charts: ["cert-manager"],
    start: async ({ cluster, log }) => {
      const objects = new Objects(kubeConfigOf(cluster.adminKubeconfig));
      const issuers = reconcile<Issuer>({
        objects,
        kind: ISSUER,
        log,
        work: async (issuer) => {
          const { problem } = await authorityOf(objects, issuer);
          await ready(objects, issuer, "issuers", problem);
        },
      });
      const certificates = reconcile<Certificate>({
        objects,
        kind: CERTIFICATE,
        log,
        work: (certificate) => serve(objects, certificate, keytool),
      });
      return together(issuers, certificates, objects);
    },
  };
}

/** The authority that an Issuer signs with, or why it cannot. */
async function authorityOf(objects: Objects, issuer: Issuer): Promise<{ authority?: KeyPair; problem?: string }> {
  const namespace = issuer.metadata?.namespace ?? "";
  const name = issuer.spec?.ca?.secretName;
  if (!name) return { problem: "only issuers with spec.ca are served here" };
  const found = await values(objects, namespace, name);
  if (!found) return { problem: `secret ${namespace}/${name} does not exist` };
  const { "tls.crt": certificate, "tls.key": key } = found;
  if (!certificate || !key) return { problem: `secret ${namespace}/${name} lacks tls.crt or tls.key` };
  return { authority: { certificate, key } };
}

/** Issues what is not issued yet, was issued for something else, or is due for renewal. */
async function serve(objects: Objects, certificate: Certificate, keytool: string): Promise<void> {
  if (certificate.metadata?.deletionTimestamp || !certificate.spec) return;
  const { spec, status } = certificate;
  const namespace = certificate.metadata?.namespace ?? "";
  const digest = createHash("sha256").update(JSON.stringify(spec)).digest("hex");
  const secret = await objects.get<V1Secret>(SECRET, namespace, spec.secretName);
  const due = status?.renewalTime !== undefined && Date.parse(status.renewalTime) <= Date.now();
  if (secret?.metadata?.annotations?.[ISSUED_FOR] === digest && status?.notAfter && !due) return;
  const issuer = await objects.get<Issuer>(ISSUER, namespace, spec.issuerRef.name);
  const { authority, problem } = issuer
    ? await authorityOf(objects, issuer)
    : { authority: undefined, problem: `issuer ${spec.issuerRef.kind ?? "Issuer"} ${spec.issuerRef.name} not found` };
  if (!authority) return ready(objects, certificate, "certificates", problem);
  const refused = refusal(spec);
  if (refused) return ready(objects, certificate, "certificates", refused);
  const reference = spec.keystores?.pkcs12?.create ? spec.keystores.pkcs12.passwordSecretRef : undefined;
  const password = reference && (await values(objects, namespace, reference.name))?.[reference.key];
  if (reference && !password)
    return ready(objects, certificate, "certificates", `no key ${reference.key} in secret ${reference.name}`);
  const seconds = duration(spec.duration) ?? DEFAULT_SECONDS;
  const pair = await issue(authority, {
    commonName: spec.commonName ?? spec.dnsNames?.[0] ?? "",
    dnsNames: spec.dnsNames,
    usages: spec.usages,
    keySize: spec.privateKey?.size,
    seconds,
  });
  const data: Record<string, Buffer> = {
    "tls.crt": Buffer.from(pair.certificate),
    "tls.key": Buffer.from(pair.key),
    "ca.crt": Buffer.from(authority.certificate),
  };
  if (password) {
    data["keystore.p12"] = keystore(pair, authority.certificate, password);
    data["truststore.p12"] = await truststore(keytool, authority.certificate, password);
  }
  // Like the real one, it leaves the Secret when the Certificate goes.
  await objects.apply<V1Secret>({
    ...SECRET,
    metadata: { name: spec.secretName, namespace, annotations: { [ISSUED_FOR]: digest } },
    type: "kubernetes.io/tls",
    data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, value.toString("base64")])),
  });
  const renewBefore = duration(spec.renewBefore) ?? seconds / 3;
  const inSeconds = (time: number) => new Date(Date.now() + time * 1000).toISOString();
  await objects.status(certificate, "certificates", {
    notAfter: inSeconds(seconds),
    renewalTime: inSeconds(seconds - renewBefore),
    conditions: [condition(status?.conditions, "Ready", true)],
  });
}

/** Why a specification is not served here or by cert-manager, or undefined. */
export function refusal(spec: CertificateSpec): string | undefined {
  if (!spec.commonName && !spec.dnsNames?.length) return "at least one of commonName and dnsNames must be set";
  if ((spec.commonName?.length ?? 0) > 64) return "commonName is longer than 64 characters";
  const algorithm = spec.privateKey?.algorithm ?? "RSA";
  if (algorithm !== "RSA") return `private keys are RSA here, not ${algorithm}`;
  if (spec.issuerRef.kind && spec.issuerRef.kind !== "Issuer") return `${spec.issuerRef.kind} is not served here`;
  const lasts = duration(spec.duration) ?? DEFAULT_SECONDS;
  if ((duration(spec.renewBefore) ?? 0) >= lasts) return "renewBefore must be shorter than the duration";
  if (lasts < 3600) return "duration must be an hour or more";
  return undefined;
}

/** Seconds of a duration as Go writes it. @throws for another notation, as the API refuses it */
export function duration(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const match = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text);
  if (!match || text === "") throw new Error(`${text} is no duration; allowed: e.g. 2160h or 1h30m`);
  const [hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0));
  return hours * 3600 + minutes * 60 + seconds;
}

async function values(objects: Objects, namespace: string, name: string): Promise<Record<string, string> | undefined> {
  const secret = await objects.get<V1Secret>(SECRET, namespace, name);
  return (
    secret &&
    Object.fromEntries(
      Object.entries(secret.data ?? {}).map(([key, value]) => [key, Buffer.from(value, "base64").toString()]),
    )
  );
}

/** Writes the condition Ready when it changed. */
async function ready(
  objects: Objects,
  object: Issuer | Certificate,
  plural: string,
  problem: string | undefined,
): Promise<void> {
  const next = condition(object.status?.conditions, "Ready", !problem, problem);
  const before = object.status?.conditions?.find(({ type }) => type === "Ready");
  if (before?.status === next.status && before.message === next.message) return;
  await objects.status(object, plural, { conditions: [next] });
}
