/**
 * Signed documents: envelopes of DSSE (Dead Simple Signing Envelope, as in-toto and Sigstore use it), one object with the
 * document and its signature. The signature is over the document's exact bytes and its type. Pure but for the signer.
 */
import { createPublicKey, verify } from "node:crypto";
import { z } from "zod";

/** Signs bytes with ECDSA P-256 and SHA-256. */
export interface Signer {
  /** Name of the key that signs, for people: whether it is believed, the reader's own keys say. */
  keyId: string;
  /** @returns the signature in DER */
  sign(bytes: Buffer): Promise<Buffer>;
}

const envelopeSchema = z.object({
  payloadType: z.string(),
  payload: z.base64(),
  signatures: z.array(z.object({ keyid: z.string(), sig: z.base64() })).min(1),
});

/** What is signed: DSSE's pre-authentication encoding. */
function encoded(type: string, payload: Buffer): Buffer {
  const head = `DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

/** Puts a document into a signed envelope. */
export async function seal(type: string, document: string, signer: Signer): Promise<string> {
  const payload = Buffer.from(document);
  const sig = await signer.sign(encoded(type, payload));
  const signatures = [{ keyid: signer.keyId, sig: sig.toString("base64") }];
  return JSON.stringify({ payloadType: type, payload: payload.toString("base64"), signatures });
}

/**
 * Takes a document out of its envelope.
 * @param keys public keys in PEM; one of them has to have signed
 * @throws Error that says why it is not believed
 */
export function unseal(type: string, text: string, keys: readonly string[]): string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error("it is no JSON");
  }
  const result = envelopeSchema.safeParse(value);
  if (!result.success) throw new Error("it is not signed: no envelope of DSSE");
  const { payloadType, signatures } = result.data;
  if (payloadType !== type) throw new Error(`it is signed as "${payloadType}", not as "${type}"`);
  const payload = Buffer.from(result.data.payload, "base64");
  const bytes = encoded(type, payload);
  const signed = signatures.some(({ sig }) =>
    keys.some((key) => verify("sha256", bytes, createPublicKey(key), Buffer.from(sig, "base64"))),
  );
  if (!signed)
    throw new Error(
      `its signature (key ${signatures.map(({ keyid }) => keyid).join(", ")}) is not of a key that is trusted`,
    );
  return payload.toString("utf8");
}

/** Why a text is no public key for {@link unseal}; undefined when it is one. */
export function keyProblem(pem: string): string | undefined {
  try {
    const { asymmetricKeyType, asymmetricKeyDetails, type } = createPublicKey(pem);
    if (pem.includes("PRIVATE KEY")) return "a private key, which belongs nowhere but in Cloud KMS";
    if (type !== "public" || asymmetricKeyType !== "ec" || asymmetricKeyDetails?.namedCurve !== "prime256v1")
      return "no public key on the curve P-256";
    return undefined;
  } catch {
    return "no public key in PEM";
  }
}
