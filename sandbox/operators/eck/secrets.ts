/** The elastic user's password and the certificates of the HTTP layer: made once, then kept. */
import { randomBytes } from "node:crypto";
import type { V1Secret } from "@kubernetes/client-node";
import { authority, issue } from "../../lib/certificates";
import { ownedBy } from "../lib";
import type { Objects } from "../objects";
import { type Elasticsearch, labelsOf, namesOf } from "./types";

const SECRET = { apiVersion: "v1", kind: "Secret" };

/** Makes the Secrets that are missing. Returns the password and the authority's certificate. */
export async function ensureSecrets(
  objects: Objects,
  cluster: Elasticsearch,
): Promise<{ password: string; ca: string }> {
  const names = namesOf(cluster);
  const namespace = cluster.metadata?.namespace ?? "";
  const user = await ensure(objects, cluster, names.user, async () => ({
    elastic: randomBytes(18).toString("base64url"),
  }));
  const internal = await ensure(objects, cluster, names.internalCertificates, () =>
    certificates(names.http, namespace),
  );
  const ca = internal["ca.crt"] ?? "";
  await ensure(objects, cluster, names.publicCertificates, async () => ({
    "ca.crt": ca,
    "tls.crt": internal["tls.crt"] ?? "",
  }));
  return { password: user.elastic ?? "", ca };
}

async function ensure(
  objects: Objects,
  cluster: Elasticsearch,
  name: string,
  make: () => Promise<Record<string, string>>,
): Promise<Record<string, string>> {
  const namespace = cluster.metadata?.namespace ?? "";
  const found = await objects.get<V1Secret>(SECRET, namespace, name);
  const decode = (data: Record<string, string> = {}) =>
    Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, "base64").toString()]));
  if (found) return decode(found.data);
  const values = await make();
  await objects.create<V1Secret>({
    ...SECRET,
    metadata: { name, namespace, labels: labelsOf(cluster), ownerReferences: ownedBy(cluster) },
    stringData: values,
  });
  return values;
}

/** An authority and a certificate for the Service's names, as ECK makes them. */
async function certificates(service: string, namespace: string): Promise<Record<string, string>> {
  const host = `${service}.${namespace}`;
  const ca = await authority(service);
  const server = await issue(ca, {
    commonName: `${host}.svc`,
    dnsNames: [service, host, `${host}.svc`, `${host}.svc.cluster.local`, `*.${host}.svc`],
    usages: ["server auth"],
  });
  return { "ca.crt": ca.certificate, "tls.crt": server.certificate, "tls.key": server.key };
}
