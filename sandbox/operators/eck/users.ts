/**
 * Users besides `elastic`: those of the Secrets that the resource names, with what their roles allow. Of a role only the
 * right to watch the cluster and the names of its indices count here.
 */
import type { V1Secret } from "@kubernetes/client-node";
import { parse } from "yaml";
import { ownedBy } from "../lib";
import type { Objects } from "../objects";
import { type Elasticsearch, labelsOf, namesOf } from "./types";

/** What the proxy in front of a node has to know of a user. */
export interface User {
  password: string;
  /** May watch the cluster. */
  monitor: boolean;
  /** Patterns of the indices that it uses. */
  indices: string[];
}

interface Role {
  cluster?: string[];
  indices?: { names: string | string[] }[];
}

/** Writes the users to a Secret. A Secret that is not there yet is left out, as ECK does: the next look finds it. */
export async function writeUsers(objects: Objects, cluster: Elasticsearch): Promise<void> {
  const { fileRealm = [], roles = [] } = cluster.spec?.auth ?? {};
  const users = usersOf(await read(objects, cluster, fileRealm), await read(objects, cluster, roles));
  const namespace = cluster.metadata?.namespace ?? "";
  await objects.apply<V1Secret>({
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: namesOf(cluster).fileRealm,
      namespace,
      labels: labelsOf(cluster),
      ownerReferences: ownedBy(cluster),
    },
    data: { "users.json": Buffer.from(JSON.stringify(users)).toString("base64") },
  });
}

/** Users by name, from Secrets of type basic-auth and Secrets with a `roles.yml`. */
export function usersOf(realms: Record<string, string>[], files: Record<string, string>[]): Record<string, User> {
  const known: Record<string, Role> = Object.assign({}, ...files.map((file) => parse(file["roles.yml"] ?? "{}") ?? {}));
  return Object.fromEntries(
    realms
      .filter(({ username, password }) => username && password)
      .map(({ username = "", password = "", roles = "" }) => {
        const own = roles.split(",").flatMap((role) => known[role.trim()] ?? []);
        const may = own.flatMap(({ cluster = [] }) => cluster);
        return [
          username,
          {
            password,
            monitor: may.some((privilege) => ["monitor", "manage", "all"].includes(privilege)),
            indices: own.flatMap(({ indices = [] }) => indices.flatMap(({ names }) => names)),
          },
        ];
      }),
  );
}

async function read(
  objects: Objects,
  cluster: Elasticsearch,
  references: { secretName?: string }[],
): Promise<Record<string, string>[]> {
  const found = await Promise.all(
    references.map(({ secretName = "" }) =>
      objects.get<V1Secret>({ apiVersion: "v1", kind: "Secret" }, cluster.metadata?.namespace ?? "", secretName),
    ),
  );
  return found.flatMap((secret) =>
    secret
      ? [
          Object.fromEntries(
            Object.entries(secret.data ?? {}).map(([key, value]) => [key, Buffer.from(value, "base64").toString()]),
          ),
        ]
      : [],
  );
}
