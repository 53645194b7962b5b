/** Java keystores as cert-manager adds them to a certificate's Secret, in PKCS #12. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { asn1, pkcs12, pki } from "node-forge";
import type { KeyPair } from "../../lib/certificates";

const run = promisify(execFile);

/** The certificate with its key and its authority. */
export function keystore(pair: KeyPair, authority: string, password: string): Buffer {
  const chain = [pair.certificate, authority].map((pem) => pki.certificateFromPem(pem));
  const store = pkcs12.toPkcs12Asn1(pki.privateKeyFromPem(pair.key), chain, password, {
    algorithm: "aes256",
    friendlyName: "certificate",
  });
  return Buffer.from(asn1.toDer(store).getBytes(), "binary");
}

/** The authority alone. Java trusts only entries with a mark of its own, so its own program writes them. */
export async function truststore(keytool: string, authority: string, password: string): Promise<Buffer> {
  const dir = await mkdtemp(join(tmpdir(), "truststore-"));
  try {
    const [pem, store] = [join(dir, "ca.crt"), join(dir, "truststore.p12")];
    await writeFile(pem, authority);
    const flags = ["-importcert", "-noprompt", "-alias", "ca", "-file", pem];
    await run(keytool, [...flags, "-keystore", store, "-storetype", "PKCS12", "-storepass:env", "STORE_PASSWORD"], {
      env: { ...process.env, STORE_PASSWORD: password },
    });
    return await readFile(store);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
