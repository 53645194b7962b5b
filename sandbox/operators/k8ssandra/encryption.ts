/** Encryption between nodes as k8ssandra-operator sets it up: stores from Secrets in each datacenter's cluster. */
import type { V1Secret, V1Volume } from "@kubernetes/client-node";
import type { Objects } from "../objects";
import { type CassandraTemplate, type EncryptionStores, kinds } from "./types";

const OPTIONS = "server_encryption_options";
const stores = ["keystore", "truststore"] as const;
type Store = (typeof stores)[number];

/** True when stores are given and the nodes are told to use them; one without the other encrypts nothing. */
export function encrypted(template: CassandraTemplate): boolean {
  const options = template.config?.cassandraYaml?.[OPTIONS] as Record<string, unknown> | undefined;
  const between = options?.internode_encryption ?? "none";
  return template.serverEncryptionStores !== undefined && between !== "none";
}

/** Volumes with the stores, each mounted at its {@link storePath}. */
export function storeVolumes({ serverEncryptionStores: from }: CassandraTemplate): V1Volume[] {
  return stores.map((store) => ({
    name: `server-${store}`,
    secret: {
      secretName: reference(from, store).name,
      items: [{ key: reference(from, store).key ?? store, path: store }],
    },
  }));
}

/** Folder of a store in the node's container. */
export const storePath = (volume: string) => `/mnt/${volume}`;

/**
 * cassandra.yaml with the stores' paths and passwords, which are read in the datacenter's cluster.
 * @throws when a Secret is not there (yet)
 */
export async function withStores(
  template: CassandraTemplate,
  remote: Objects,
  namespace: string,
): Promise<Record<string, unknown>> {
  const yaml = template.config?.cassandraYaml ?? {};
  const filled: Record<string, unknown> = {};
  for (const store of stores) {
    filled[store] = `${storePath(`server-${store}`)}/${store}`;
    filled[`${store}_password`] = await password(template.serverEncryptionStores, store, remote, namespace);
  }
  return { ...yaml, [OPTIONS]: { ...filled, ...(yaml[OPTIONS] as Record<string, unknown>) } };
}

function reference(from: EncryptionStores | undefined, store: Store) {
  const found = from?.[`${store}SecretRef`];
  if (!found?.name) throw new Error(`serverEncryptionStores.${store}SecretRef is required to encrypt between nodes`);
  return found;
}

/** Without a reference of its own, the password is beside the store; under the store's key when one is named. */
async function password(
  from: EncryptionStores | undefined,
  store: Store,
  remote: Objects,
  namespace: string,
): Promise<string> {
  const own = from?.[`${store}PasswordSecretRef`];
  const { name, key = `${store}-password` } = own ?? reference(from, store);
  const secret = await remote.get<V1Secret>(kinds.secret, namespace, name);
  if (!secret) throw new Error(`Secret ${namespace}/${name} with the password of the ${store} does not exist`);
  return Buffer.from(secret.data?.[key] ?? "", "base64").toString("utf8");
}
