/** The parts of cert-manager's resources that the stand-in reads and writes. */
import type { Condition } from "../lib";
import type { CustomObject } from "../objects";

export const ISSUER = { apiVersion: "cert-manager.io/v1", kind: "Issuer" };
export const CERTIFICATE = { apiVersion: "cert-manager.io/v1", kind: "Certificate" };
export const SECRET = { apiVersion: "v1", kind: "Secret" };

/** Signs with the authority in a Secret: keys `tls.crt` and `tls.key`. Issuers of other kinds are not served. */
export type Issuer = CustomObject<{ ca?: { secretName: string } }, { conditions?: Condition[] }>;

export interface CertificateSpec {
  secretName: string;
  issuerRef: { name: string; kind?: string; group?: string };
  commonName?: string;
  dnsNames?: string[];
  usages?: string[];
  /** As Go writes durations, e.g. `2160h`. Default: 90 days, renewed after two thirds. */
  duration?: string;
  renewBefore?: string;
  privateKey?: { algorithm?: string; size?: number };
  keystores?: {
    pkcs12?: { create: boolean; passwordSecretRef?: { name: string; key: string } };
  } & Record<string, unknown>;
}

export type Certificate = CustomObject<
  CertificateSpec,
  { conditions?: Condition[]; notAfter?: string; renewalTime?: string }
>;
