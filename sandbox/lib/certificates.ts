/** Certificate authorities and what they sign, in PEM. */
import { generate } from "selfsigned";

/** A certificate with its private key. */
export interface KeyPair {
  certificate: string;
  key: string;
}

/** What a certificate is for. */
export interface CertificateRequest {
  commonName: string;
  dnsNames?: string[];
  ipAddresses?: string[];
  /** Purposes as cert-manager names them; others are part of every certificate or of none. Default: server auth. */
  usages?: string[];
  /** Bits of the RSA key. Default: 2048. */
  keySize?: number;
  /** Until when it counts, from now. Default: a year. */
  seconds?: number;
}

const YEAR_SECONDS = 365 * 24 * 3600;
const DNS = 2;
const IP = 7;

/** A new authority that signs itself, for ten years. */
export async function authority(commonName: string): Promise<KeyPair> {
  const made = await generate([{ name: "commonName", value: commonName }], {
    algorithm: "sha256",
    keySize: 2048,
    notAfterDate: after(10 * YEAR_SECONDS),
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  return { certificate: made.cert, key: made.private };
}

/** A certificate of an authority. */
export async function issue(ca: KeyPair, request: CertificateRequest): Promise<KeyPair> {
  const { commonName, dnsNames = [], ipAddresses = [], usages = ["server auth"] } = request;
  const altNames = [
    ...dnsNames.map((value) => ({ type: DNS as 2, value })),
    ...ipAddresses.map((ip) => ({ type: IP as 7, ip })),
  ];
  const made = await generate([{ name: "commonName", value: commonName }], {
    algorithm: "sha256",
    keySize: request.keySize ?? 2048,
    notAfterDate: after(request.seconds ?? YEAR_SECONDS),
    ca: { key: ca.key, cert: ca.certificate },
    extensions: [
      { name: "basicConstraints", cA: false, critical: true },
      { name: "keyUsage", digitalSignature: true, keyEncipherment: true, critical: true },
      { name: "extKeyUsage", serverAuth: usages.includes("server auth"), clientAuth: usages.includes("client auth") },
      ...(altNames.length > 0 ? [{ name: "subjectAltName" as const, altNames }] : []),
    ],
  });
  return { certificate: made.cert, key: made.private };
}

const after = (seconds: number) => new Date(Date.now() + seconds * 1000);
