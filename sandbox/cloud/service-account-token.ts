/** Tokens of Kubernetes' service accounts, as whoever trusts a cluster's issuer checks them. */
import { createPublicKey } from "node:crypto";
import { jwtVerify } from "jose";
import { CloudError } from "../lib/types";

/** What a token says. */
export interface ServiceAccountToken {
  issuer: string;
  /** `system:serviceaccount:NAMESPACE:NAME`. */
  subject: string;
  audiences: string[];
  namespace: string;
  account: string;
  /** The pod it is bound to; empty for a token of no pod. */
  pod: { name: string; uid: string };
  /** Every claim. */
  claims: Record<string, unknown>;
}

/**
 * Reads a token.
 * @param key PEM of the public key
 * @throws CloudError 400 when the signature, the issuer, the audience or the time is wrong
 */
export async function readToken(
  token: string,
  expected: { key: string; issuers: string[]; audience?: string },
): Promise<ServiceAccountToken> {
  try {
    const { payload } = await jwtVerify(token, createPublicKey(expected.key), {
      algorithms: ["RS256"],
      issuer: expected.issuers,
      ...(expected.audience !== undefined && { audience: expected.audience }),
    });
    const { sub = "", aud = [], iss = "" } = payload;
    const [, namespace = "", account = ""] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(sub) ?? [];
    const bound = (payload["kubernetes.io"] ?? {}) as { pod?: { name: string; uid: string } };
    return {
      issuer: iss,
      subject: sub,
      audiences: [aud].flat(),
      namespace,
      account,
      pod: bound.pod ?? { name: "", uid: "" },
      claims: payload,
    };
  } catch (error) {
    throw new CloudError(400, "InvalidIdentityToken", `The token cannot be used: ${(error as Error).message}`);
  }
}
