import { createHash } from "node:crypto";
import * as k8s from "@pulumi/kubernetes";
import {
  ComponentResource,
  type ComponentResourceOptions,
  type CustomResourceOptions,
  type Resource,
} from "@pulumi/pulumi";
import { type CustomerBucket, customersFile, customersUser } from "../plan/customers";
import { namespaces, regionConfigMap, serviceItems } from "../plan/names";
import type { Cluster } from "./cluster";
import { customerAccess } from "./customer-access";
import { SecretItem } from "./secret-item";

/** A Kubernetes object as its file in git has it. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace: string; [field: string]: unknown };
  [field: string]: unknown;
}

/** Arguments of {@link Services}. */
export interface ServicesArgs {
  cluster: Cluster;
  /** Every object of services/manifests. */
  manifests: Manifest[];
  /** Image by digest that stands wherever a manifest says {@link imagePlaceholder}. */
  image: string;
  /** Zones of the region: a service that scales has a pod in each. */
  zones: number;
  /** What the services are told of the region, as environment variables. */
  config: Record<string, string>;
  /** 1Password vault with their credentials. */
  onePasswordVault: string;
  /** Conditions that a Deployment's pods wait for beside their own probes, by its name. Default: none. */
  readinessGates?: Record<string, string[]>;
  /**
   * Customers' own buckets that the services use by what is said of each (plan/customers.ts); the list is there already
   * (components/aws/customer-buckets.ts). Default: none.
   */
  customerBuckets?: readonly CustomerBucket[];
}

/** The image in manifests; which one it is depends on the stack. */
export const imagePlaceholder = "services";

type ResourceClass = new (name: string, manifest: Manifest, opts: CustomResourceOptions) => Resource;

/** What has to be there before anything runs, by version and kind. Their shape is Kubernetes' to check. */
const parts: Record<string, unknown> = {
  "v1 ServiceAccount": k8s.core.v1.ServiceAccount,
  "v1 Service": k8s.core.v1.Service,
  "networking.k8s.io/v1 NetworkPolicy": k8s.networking.v1.NetworkPolicy,
  "rbac.authorization.k8s.io/v1 Role": k8s.rbac.v1.Role,
  "rbac.authorization.k8s.io/v1 RoleBinding": k8s.rbac.v1.RoleBinding,
  "policy/v1 PodDisruptionBudget": k8s.policy.v1.PodDisruptionBudget,
};

/** What runs, and what looks after it. */
const workloads: Record<string, unknown> = {
  "apps/v1 Deployment": k8s.apps.v1.Deployment,
  "autoscaling/v2 HorizontalPodAutoscaler": k8s.autoscaling.v2.HorizontalPodAutoscaler,
};

/**
 * The services of one region (S4), as their manifests in git say. The stack adds what depends on it: the image, a pod per
 * zone, and what they have to know of the region. Done when every Deployment is ready.
 */
export class Services extends ComponentResource {
  constructor(name: string, args: ServicesArgs, opts?: ComponentResourceOptions) {
    super("iconik:services:Services", name, {}, opts);
    const { cluster, manifests, config } = args;
    const inside = cluster.inside(this);
    const namespace = namespaces.services;
    const credentials = serviceItems.map(
      (item) =>
        new SecretItem(`${name}-${item}`, { cluster, namespace, vault: args.onePasswordVault, item }, { parent: this }),
    );
    const region = new k8s.core.v1.ConfigMap(
      `${name}-region`,
      { metadata: { name: regionConfigMap, namespace }, data: config },
      inside,
    );
    for (const manifest of manifests) checkKind(manifest);
    const make = (from: Record<string, unknown>, options: CustomResourceOptions) =>
      manifests.flatMap((manifest) => {
        const found = from[kindOf(manifest)] as ResourceClass | undefined;
        const child = `${name}-${manifest.kind.toLowerCase()}-${manifest.metadata.name}`;
        return found ? [new found(child, fitted(manifest, args), options)] : [];
      });
    const before = make(parts, inside);
    make(workloads, { ...inside, dependsOn: [region, ...credentials, ...before] });
    this.registerOutputs({});
  }
}

const kindOf = ({ apiVersion, kind }: Manifest) => `${apiVersion} ${kind}`;

/** @throws Error for a kind that the component does not declare */
function checkKind(manifest: Manifest): void {
  const allowed = Object.keys({ ...parts, ...workloads });
  if (allowed.includes(kindOf(manifest))) return;
  throw new Error(
    `services/manifests has ${kindOf(manifest)} ${manifest.metadata?.name}; allowed: ${allowed.join(", ")}; ` +
      "change it, or teach components/services.ts the kind",
  );
}

interface Container {
  image: string;
  env?: unknown[];
  volumeMounts?: unknown[];
}

interface PodTemplate {
  metadata: Record<string, unknown>;
  spec: { containers: Container[]; volumes?: unknown[] };
}

/** A manifest with what depends on the stack. */
export function fitted(
  manifest: Manifest,
  args: Pick<ServicesArgs, "image" | "zones" | "config" | "readinessGates" | "customerBuckets">,
): Manifest {
  if (manifest.kind === "HorizontalPodAutoscaler") {
    const spec = manifest.spec as { minReplicas: number };
    return { ...manifest, spec: { ...spec, minReplicas: Math.max(spec.minReplicas, args.zones) } };
  }
  if (manifest.kind !== "Deployment") return manifest;
  const spec = manifest.spec as { template: PodTemplate };
  const { metadata, spec: given } = spec.template;
  const buckets = manifest.metadata.name === customersUser.name ? (args.customerBuckets ?? []) : [];
  const pod = withCustomers(given, buckets);
  const containers = pod.containers.map((container) => ({
    ...container,
    image: container.image === imagePlaceholder ? args.image : container.image,
  }));
  const gates = args.readinessGates?.[manifest.metadata.name];
  const readiness = gates && { readinessGates: gates.map((conditionType) => ({ conditionType })) };
  // Pods read their environment once: another configuration makes other pods.
  const read = buckets.length > 0 ? { ...args.config, [customersFile]: JSON.stringify(buckets) } : args.config;
  const annotations = { "iconik.io/region-config": digest(read) };
  return {
    ...manifest,
    spec: { ...spec, template: { metadata: { ...metadata, annotations }, spec: { ...pod, ...readiness, containers } } },
  };
}

/** A pod that is told of customers' buckets. */
function withCustomers(pod: PodTemplate["spec"], buckets: readonly CustomerBucket[]): PodTemplate["spec"] {
  if (buckets.length === 0) return pod;
  const { env, mount, volume } = customerAccess(buckets);
  return {
    ...pod,
    containers: pod.containers.map((container) => ({
      ...container,
      env: [...(container.env ?? []), env],
      volumeMounts: [...(container.volumeMounts ?? []), mount],
    })),
    volumes: [...(pod.volumes ?? []), volume],
  };
}

function digest(config: Record<string, string>): string {
  return createHash("sha256")
    .update(JSON.stringify(Object.entries(config).sort()))
    .digest("hex")
    .slice(0, 16);
}
