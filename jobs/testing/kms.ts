/** A Cloud KMS for tests: one key that signs, and the metadata server that a job gets its token from. */
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { p256 } from "@noble/curves/p256";
import type { Signer } from "../lib/envelope";

/** Name of the test's key version. */
export const signingKey =
  "projects/iconik-vault/locations/europe-west6/keyRings/copies/cryptoKeys/markers/cryptoKeyVersions/1";

/** A key of its own: its public half, and a signer without any network. */
export function testKey(): Signer & { pem: string } {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return {
    pem: publicKey.export({ type: "spki", format: "pem" }) as string,
    keyId: signingKey,
    sign: async (bytes) => sign("sha256", bytes, privateKey),
  };
}

/** A running KMS; `env` leads a job to it. */
export interface TestKms extends Signer {
  pem: string;
  env: Record<string, string>;
  /** Signatures so far. */
  signatures: number;
  /** Refuses to sign, as for an identity without the right. */
  refuses: boolean;
  stop(): Promise<void>;
}

/** Signs a digest as it is; node's own crypto would hash it again. */
function signDigest(key: KeyObject, sha256: string): string {
  const secret = Buffer.from(key.export({ format: "jwk" }).d!, "base64url");
  const signature = p256.sign(Buffer.from(sha256, "base64"), secret, { prehash: false, lowS: false });
  return Buffer.from(signature.toBytes("der")).toString("base64");
}

/** Starts it on a free port of 127.0.0.1. */
export async function startKms(): Promise<TestKms> {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const server = createServer(async (request, response) => {
    const path = request.url ?? "";
    const send = (status: number, body: unknown) =>
      response
        .writeHead(status, { "content-type": "application/json", "metadata-flavor": "Google" })
        .end(JSON.stringify(body));
    if (path.startsWith("/computeMetadata/v1/instance/service-accounts/default/token"))
      return send(200, { access_token: "ya29.test", expires_in: 3600, token_type: "Bearer" });
    if (path.startsWith("/computeMetadata")) return send(200, {});
    const denied = { error: { code: 403, message: "Permission 'cloudkms.cryptoKeyVersions.useToSign' denied" } };
    if (kms.refuses || request.headers.authorization !== "Bearer ya29.test") return send(403, denied);
    if (path !== `/v1/${signingKey}:asymmetricSign`) return send(404, { error: { code: 404, message: "not found" } });
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { digest } = JSON.parse(Buffer.concat(chunks).toString()) as { digest: { sha256: string } };
    kms.signatures++;
    send(200, { name: signingKey, signature: signDigest(privateKey, digest.sha256) });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const kms: TestKms = {
    keyId: signingKey,
    sign: async (bytes) => sign("sha256", bytes, privateKey),
    pem: publicKey.export({ type: "spki", format: "pem" }) as string,
    env: {
      CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS: `http://${host}/`,
      GCE_METADATA_HOST: host,
      GOOGLE_APPLICATION_CREDENTIALS: "",
      CLOUDSDK_CONFIG: "/nonexistent",
    },
    signatures: 0,
    refuses: false,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return kms;
}
