/** Cloud KMS as a signer. The identity is the pod's (application default credentials). */
import { createHash } from "node:crypto";
import { GoogleAuth } from "google-auth-library";
import type { Signer } from "./envelope";
import { JobError } from "./log";

/** Where the API is, by the environment variable that gcloud itself knows. */
const endpoint = (): string =>
  (process.env.CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS ?? "https://cloudkms.googleapis.com/").replace(/\/$/, "");

/**
 * Signs with a key version of algorithm EC_SIGN_P256_SHA256.
 * @param version full name, `projects/…/cryptoKeyVersions/1`
 */
export function kmsSigner(version: string): Signer {
  const auth = new GoogleAuth({ scopes: "https://www.googleapis.com/auth/cloudkms" });
  return {
    keyId: version,
    async sign(bytes) {
      const sha256 = createHash("sha256").update(bytes).digest("base64");
      try {
        const client = await auth.getClient();
        const { data } = await client.request<{ signature: string; name: string }>({
          url: `${endpoint()}/v1/${version}:asymmetricSign`,
          method: "POST",
          data: { digest: { sha256 } },
          retry: true,
        });
        return Buffer.from(data.signature, "base64");
      } catch (error) {
        throw new JobError(`${version} did not sign: ${(error as Error).message}`, {
          allowed: "an enabled version of a key that this identity may sign with (roles/cloudkms.signer)",
          fix: "see the key in the vault's project; nothing that was copied is lost, and it counts once a marker is signed",
        });
      }
    },
  };
}
