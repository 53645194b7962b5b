/** Stand-in for 1Password's operator: OnePasswordItem becomes a Secret. */
import type { V1Secret } from "@kubernetes/client-node";
import { kubeConfigOf } from "../../lib/kube-config";
import type { Operator, OperatorContext, Props } from "../../lib/types";
import { type Condition, condition, ownedBy, reconcile, together } from "../lib";
import { type CustomObject, Objects } from "../objects";
import { errorLine, operatorLog, retrievalError, write } from "./log";
import type { OnePasswordService } from "./server";

const KIND = { apiVersion: "onepassword.com/v1", kind: "OnePasswordItem" };

/** An answer is good for so long: items are looked at much more often than there is news. */
const FRESH_MS = 5_000;

type Fetch = (itemPath: string, token: string) => Promise<Record<string, string>>;

/** Asks once in a while for each item and token; what failed is asked again. */
function remembering(fetch: Fetch): Fetch {
  const known = new Map<string, { until: number; fields: Record<string, string> }>();
  return async (itemPath, token) => {
    const key = `${token} ${itemPath}`;
    const found = known.get(key);
    if (found && found.until > Date.now()) return found.fields;
    const fields = await fetch(itemPath, token);
    known.set(key, { until: Date.now() + FRESH_MS, fields });
    return fields;
  };
}

type Item = CustomObject<{ itemPath: string }, { conditions?: Condition[] }> & { type?: string };

/** @param dir of the sandbox, for its logs */
export function onePasswordOperator(service: OnePasswordService, dir: string): Operator {
  return {
    charts: ["connect"],
    start: async ({ cluster, release, log }) => {
      const objects = new Objects(kubeConfigOf(cluster.adminKubeconfig));
      const path = operatorLog(dir, cluster.spec);
      const fetch = remembering((itemPath, token) => service.fetch(itemPath, token));
      const loop = reconcile<Item>({
        objects,
        kind: KIND,
        log,
        work: async (item) => {
          if (!watches(release, item.metadata?.namespace ?? "")) return;
          const problem = await serve(objects, item, release, fetch);
          const next = condition(item.status?.conditions, "Ready", !problem, problem);
          const before = item.status?.conditions?.find(({ type }) => type === "Ready");
          if (before?.status === next.status && before.message === next.message) return;
          const { namespace = "", name = "" } = item.metadata ?? {};
          if (problem) write(path, errorLine({ namespace, name }, problem));
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

/** The operator's token. @throws naming the Secret when there is none */
async function tokenOf(objects: Objects, release: OperatorContext["release"]): Promise<string> {
  const reference = ((release.values.operator as Props | undefined)?.serviceAccountToken ?? {}) as {
    name?: string;
    key?: string;
  };
  const [name, key] = [reference.name ?? "onepassword-service-account-token", reference.key ?? "token"];
  const secret = await objects.get<V1Secret>({ apiVersion: "v1", kind: "Secret" }, release.namespace, name);
  if (!secret) throw new Error(`Secret ${release.namespace}/${name} with the service account token does not exist`);
  return Buffer.from(secret.data?.[key] ?? "", "base64").toString("utf8");
}

/** Writes the item's Secret. Returns why it cannot, or undefined. */
async function serve(
  objects: Objects,
  item: Item,
  release: OperatorContext["release"],
  fetch: Fetch,
): Promise<string | undefined> {
  const path = item.spec?.itemPath ?? "";
  let fields: Record<string, string>;
  try {
    fields = await fetch(path, await tokenOf(objects, release));
  } catch (error) {
    return retrievalError(path, (error as Error).message);
  }
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
