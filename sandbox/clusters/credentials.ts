/** Keys and tokens of the sandbox's API servers: made once per sandbox, readable by its owner only. */
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface ClusterCredentials {
  /** Bearer token of the daemon's own controllers. */
  adminToken: string;
  /** Bearer token of whoever deploys: what `gke-gcloud-auth-plugin` prints. Administrator of every cluster, as in a project one owns. */
  deployerToken: string;
  /** Files for the API server's flags; the second is for clusters that ask somebody else who deploys. */
  tokenFile: string;
  adminTokenFile: string;
  serviceAccountPublicKey: string;
  serviceAccountPrivateKey: string;
}

/** Makes the credentials below `dir`, or reads those of an earlier start. */
export function clusterCredentials(dir: string): ClusterCredentials {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const adminToken = kept(join(dir, "admin-token"), () => randomBytes(24).toString("hex"));
  const deployerToken = kept(join(dir, "deployer-token"), () => randomBytes(24).toString("hex"));
  const tokenFile = join(dir, "tokens.csv");
  kept(tokenFile, () =>
    [
      `${adminToken},sandbox-admin,sandbox-admin,"system:masters"`,
      `${deployerToken},deployer,deployer,"system:masters"`,
    ].join("\n"),
  );
  const adminTokenFile = join(dir, "admin-tokens.csv");
  kept(adminTokenFile, () => `${adminToken},sandbox-admin,sandbox-admin,"system:masters"`);
  const privateKey = join(dir, "service-account.key");
  const publicKey = join(dir, "service-account.pub");
  if (!existsSync(publicKey)) {
    const pair = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs1", format: "pem" },
    });
    writeFileSync(privateKey, pair.privateKey, { mode: 0o600 });
    writeFileSync(publicKey, pair.publicKey);
  }
  return {
    adminToken,
    deployerToken,
    tokenFile,
    adminTokenFile,
    serviceAccountPublicKey: publicKey,
    serviceAccountPrivateKey: privateKey,
  };
}

function kept(path: string, make: () => string): string {
  if (!existsSync(path)) writeFileSync(path, make(), { mode: 0o600 });
  return readFileSync(path, "utf8");
}
