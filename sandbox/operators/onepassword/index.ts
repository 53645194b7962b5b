/** Stand-in for 1Password's operator: OnePasswordItem becomes a Secret. */
import type { V1Secret } from "@kubernetes/client-node";
import { kubeConfigOf } from "../../lib/kube-config";
import type { Operator, OperatorContext, Props } from "../../lib/types";
import { type Condition, condition, ownedBy, reconcile, together } from "../lib";
import { type CustomObject, Objects } from "../objects";
import { findItem, type OnePassword } from "./items";

const KIND = { apiVersion: "onepassword.com/v1", kind: "OnePasswordItem" };

type Item = CustomObject<{ itemPath: string }, { conditions?: Condition[] }> & { type?: string };

export function onePasswordOperator(store: OnePassword): Operator {
  return {
    charts: ["connect"],
    start: async ({ cluster, release, log }) => {
      const objects = new Objects(kubeConfigOf(cluster.adminKubeconfig));
      const loop = reconcile<Item>({
        objects,
        kind: KIND,
        log,
        work: async (item) => {
          if (!watches(release, item.metadata?.namespace ?? "")) return;
          const problem = (await tokenProblem(objects, release, store)) ?? (await serve(objects, item, store));
          const next = condition(item.status?.conditions, "Ready", !problem, problem);
          const before = item.status?.conditions?.find(({ type }) => type === "Ready");
          if (before?.status === next.status && before.message === next.message) return;
          await objects.status(item, "onepassworditems", { conditions: [next] });
        },
      });
      return together(loop, objects);
    },
  };
}

function watches(release: OperatorContext["release"], namespace: string): boolean {
  const watched = (release.values.operator as Props | undefined)?.watchNamespace as string[] | undefined;
  return !watched?.length || watched.includes(namespace);
}

/** Why the operator cannot read the vaults, or undefined when its token opens them. */
async function tokenProblem(
  objects: Objects,
  release: OperatorContext["release"],
  store: OnePassword,
): Promise<string | undefined> {
  const reference = ((release.values.operator as Props | undefined)?.serviceAccountToken ?? {}) as {
    name?: string;
    key?: string;
  };
  const [name, key] = [reference.name ?? "onepassword-service-account-token", reference.key ?? "token"];
  const secret = await objects.get<V1Secret>({ apiVersion: "v1", kind: "Secret" }, release.namespace, name);
  if (!secret) return `Secret ${release.namespace}/${name} with the service account token does not exist`;
  const token = Buffer.from(secret.data?.[key] ?? "", "base64").toString("utf8");
  return token === store.token ? undefined : "the service account token is not valid";
}

/** Writes the item's Secret. Returns why it cannot, or undefined. */
async function serve(objects: Objects, item: Item, store: OnePassword): Promise<string | undefined> {
  const path = item.spec?.itemPath ?? "";
  const fields = findItem(store, path);
  if (!fields) return `item ${path} was not found`;
  await objects.apply<V1Secret>({
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: item.metadata?.name,
      namespace: item.metadata?.namespace,
      annotations: { "operator.1password.io/item-path": path },
      ownerReferences: ownedBy(item),
    },
    type: item.type || "Opaque",
    data: Object.fromEntries(
      Object.entries(fields).map(([key, value]) => [key, Buffer.from(value).toString("base64")]),
    ),
  });
  return undefined;
}
