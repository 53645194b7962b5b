/** Versions of asymmetric keys: real keys on disk, which only their owner's account can read. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { p256 } from "@noble/curves/p256";
import { invalid } from "./checks";

/** The one algorithm that the sandbox signs with. */
export const ALGORITHM = "EC_SIGN_P256_SHA256";

/** Private keys by the full names of their versions. */
export class KeyVersions {
  private readonly dir: string;

  /** @param dir state folder */
  constructor(dir: string) {
    this.dir = join(dir, "key-versions");
  }

  /** Makes a version's key; one that is there stays. */
  make(name: string): void {
    mkdirSync(this.dir, { recursive: true, mode: 0o700 });
    if (existsSync(this.file(name))) return;
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    writeFileSync(this.file(name), privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  }

  destroy(name: string): void {
    rmSync(this.file(name), { force: true });
  }

  publicKey(name: string): string {
    return createPublicKey(this.privateKey(name)).export({ type: "spki", format: "pem" }) as string;
  }

  /** Signs a SHA-256 digest; DER. @throws CloudError 400 when it is none */
  sign(name: string, digest: Buffer): Buffer {
    if (digest.length !== 32) throw invalid(`The digest of ${ALGORITHM} has 32 bytes, not ${digest.length}.`);
    const secret = Buffer.from(this.privateKey(name).export({ format: "jwk" }).d!, "base64url");
    return Buffer.from(p256.sign(digest, secret, { prehash: false, lowS: false }).toBytes("der"));
  }

  private privateKey(name: string) {
    return createPrivateKey(readFileSync(this.file(name), "utf8"));
  }

  private file(name: string): string {
    return join(this.dir, `${createHash("sha256").update(name).digest("hex")}.pem`);
  }
}
