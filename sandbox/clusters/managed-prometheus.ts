/** What GKE installs with managed collection: the kinds by which workloads say what is to be scraped. Nothing scrapes here. */
import {
  ApiException,
  ApiextensionsV1Api,
  type KubeConfig,
  type V1CustomResourceDefinition,
  type V1JSONSchemaProps,
} from "@kubernetes/client-node";
import { waitUntil } from "../lib/process";

const GROUP = "monitoring.googleapis.com";
const loose = { x_kubernetes_preserve_unknown_fields: true };

/** What GKE's own webhook insists on; the rest is as it comes. */
const spec: V1JSONSchemaProps = {
  type: "object",
  required: ["selector", "endpoints"],
  ...loose,
  properties: {
    selector: { type: "object", ...loose },
    endpoints: {
      type: "array",
      minItems: 1,
      items: {
        type: "object",
        required: ["port", "interval"],
        // The client hands `items` on as they are, so that these fields are spelt as the API spells them.
        "x-kubernetes-preserve-unknown-fields": true,
        properties: {
          port: { "x-kubernetes-int-or-string": true },
          interval: { type: "string", pattern: "^(0|(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?)$" },
        },
      },
    },
  },
};

function definition(kind: string, scope: "Namespaced" | "Cluster"): V1CustomResourceDefinition {
  const plural = `${kind.toLowerCase()}s`;
  return {
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope,
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: {
            openAPIV3Schema: {
              type: "object",
              required: ["spec"],
              properties: { spec, status: { type: "object", ...loose } },
            },
          },
        },
      ],
    },
  };
}

/** Installs them, and returns when the API server serves them. May be repeated. */
export async function installManagedPrometheus(config: KubeConfig): Promise<void> {
  const api = config.makeApiClient(ApiextensionsV1Api);
  const all = [definition("PodMonitoring", "Namespaced"), definition("ClusterPodMonitoring", "Cluster")];
  for (const body of all) {
    await api.createCustomResourceDefinition({ body }).catch((error) => {
      if (!(error instanceof ApiException) || error.code !== 409) throw error;
    });
  }
  await waitUntil(
    "the kinds of managed collection",
    async () => {
      const found = await Promise.all(
        all.map(({ metadata }) => api.readCustomResourceDefinition({ name: metadata!.name! })),
      );
      return found.every(({ status }) =>
        status?.conditions?.some(({ type, status: holds }) => type === "Established" && holds === "True"),
      );
    },
    { timeoutMs: 30_000 },
  );
}
