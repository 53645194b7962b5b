/** Certificates and keystores that the stand-in issues, as Java and Node read them. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { authority, issue, type KeyPair } from "../../lib/certificates";
import { javaRuntimes } from "../../toolchain/jre";
import { duration, refusal } from ".";
import { keystore, truststore } from "./keystores";
import type { CertificateSpec } from "./types";

const PASSWORD = "a password";
const keytool = join(javaRuntimes().cassandra ?? "", "..", "keytool");

describe("keystores", () => {
  const dir = mkdtempSync(join(tmpdir(), "keystores-"));
  after(() => rmSync(dir, { recursive: true }));
  let ca: KeyPair;
  let pair: KeyPair;
  before(async () => {
    ca = await authority("an authority");
    pair = await issue(ca, {
      commonName: "a node",
      dnsNames: ["node.example"],
      usages: ["server auth", "client auth"],
    });
  });

  const listed = (store: Buffer, password: string) => {
    const path = join(dir, "store.p12");
    writeFileSync(path, store);
    return execFileSync(keytool, ["-list", "-v", "-keystore", path, "-storepass", password], { encoding: "utf8" });
  };

  test("a certificate is its authority's and serves both sides", () => {
    const certificate = new X509Certificate(pair.certificate);
    assert.ok(certificate.verify(new X509Certificate(ca.certificate).publicKey));
    assert.ok(!new X509Certificate(pair.certificate).ca);
    assert.equal(certificate.subject, "CN=a node");
    assert.equal(certificate.subjectAltName, "DNS:node.example");
    assert.deepEqual(certificate.keyUsage, ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
  });

  test("the keystore has the key and the chain", () => {
    const text = listed(keystore(pair, ca.certificate, PASSWORD), PASSWORD);
    assert.match(text, /Entry type: PrivateKeyEntry/);
    assert.match(text, /Certificate chain length: 2/);
  });

  test("Java trusts the truststore's authority and opens no store without its password", async () => {
    const store = await truststore(keytool, ca.certificate, PASSWORD);
    assert.match(listed(store, PASSWORD), /Entry type: trustedCertEntry/);
    assert.throws(() => listed(store, "another"));
  });
});

test("durations are Go's", () => {
  assert.equal(duration(undefined), undefined);
  assert.equal(duration("2160h"), 90 * 24 * 3600);
  assert.equal(duration("1h30m5s"), 5405);
  for (const text of ["90d", "", "h", "2160"])
    assert.throws(() => duration(text), /no duration; allowed: e\.g\. 2160h/);
});

const spec = (change: Partial<CertificateSpec>): CertificateSpec => ({
  secretName: "s",
  commonName: "a node",
  issuerRef: { name: "i" },
  ...change,
});

test("what cert-manager does not issue is refused", () => {
  assert.equal(refusal(spec({})), undefined);
  assert.equal(refusal(spec({ commonName: undefined, dnsNames: ["n"] })), undefined);
  const cases: [Partial<CertificateSpec>, RegExp][] = [
    [{ commonName: undefined }, /at least one of commonName and dnsNames/],
    [{ commonName: undefined, dnsNames: [] }, /at least one of commonName and dnsNames/],
    [{ commonName: "n".repeat(65) }, /longer than 64/],
    [{ duration: "48h", renewBefore: "48h" }, /renewBefore must be shorter/],
    [{ duration: "30m" }, /an hour or more/],
    [{ issuerRef: { name: "i", kind: "ClusterIssuer" } }, /ClusterIssuer is not served/],
    [{ privateKey: { algorithm: "ECDSA" } }, /RSA here, not ECDSA/],
  ];
  for (const [change, message] of cases) assert.match(refusal(spec(change)) ?? "", message);
});
