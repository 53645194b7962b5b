import * as k8s from "@pulumi/kubernetes";
import { ComponentResource, type ComponentResourceOptions, createUrn } from "@pulumi/pulumi";
import { type CustomerBucket, customersConfigMap, customersFile, customersUser } from "../../plan/customers";
import { ports } from "../../plan/ports";
import { jobContainer } from "../../plan/sizing";
import { standbyJobs, standbyRegion, standbySchedules } from "../../plan/standby";
import { cronJob } from "../cron-job";
import { customerAccess } from "../customer-access";
import { policyRule, publicHttps } from "../network-rules";
import { restrictedContainer, restrictedPod } from "../pod-security";
import type { EksCluster } from "./eks-cluster";

/** Arguments of {@link CustomerBuckets}. */
export interface CustomerBucketsArgs {
  cluster: EksCluster;
  /** Image of the services, by digest. */
  image: string;
  buckets: readonly CustomerBucket[];
  /** The standby is active: its API says what it cannot use. */
  suspend: boolean;
}

/**
 * Customers' own buckets (S6): the list that the API reads when the standby is active, and what tries every bucket each morning until
 * then. It runs the API's own code as the API's account, so that an owner who has not let the standby in, or does not any more, is
 * known before the worst day. It reads a name that is not there, and writes nothing.
 */
export class CustomerBuckets extends ComponentResource {
  constructor(name: string, args: CustomerBucketsArgs, opts?: ComponentResourceOptions) {
    super("iconik:aws:CustomerBuckets", name, {}, opts);
    const { cluster, buckets } = args;
    const { namespace } = customersUser;
    const inside = cluster.inside(this);
    const list = new k8s.core.v1.ConfigMap(
      `${name}-list`,
      {
        metadata: { name: customersConfigMap, namespace },
        data: { [customersFile]: JSON.stringify(buckets) },
      },
      { ...inside, aliases: [formerUrn()] },
    );
    const job = standbyJobs.customers;
    const labels = { "app.kubernetes.io/name": job, "app.kubernetes.io/part-of": "iconik" };
    const way = new k8s.networking.v1.NetworkPolicy(
      `${name}-way`,
      {
        metadata: { name: job, namespace },
        spec: {
          podSelector: { matchLabels: labels },
          policyTypes: ["Ingress", "Egress"],
          egress: [policyRule("to", { peers: [publicHttps], ports: [ports.https] })],
        },
      },
      inside,
    );
    new k8s.batch.v1.CronJob(
      `${name}-check`,
      cronJob({
        name: job,
        namespace,
        schedule: standbySchedules.customers,
        suspend: args.suspend,
        pod: { metadata: { labels }, spec: checkPod(args) },
        // It asks several times itself, and tells once.
        tries: 1,
      }),
      { ...inside, dependsOn: [list, way] },
    );
    this.registerOutputs({});
  }
}

function checkPod({ image, buckets }: CustomerBucketsArgs) {
  const { env, mount, volume } = customerAccess(buckets);
  return {
    serviceAccountName: customersUser.name,
    // Whom it asks are others' storages.
    automountServiceAccountToken: false,
    restartPolicy: "Never",
    securityContext: restrictedPod,
    containers: [
      {
        name: "check",
        image,
        args: ["check-customers"],
        env: [{ name: "REGION", value: standbyRegion }, env],
        resources: {
          requests: { cpu: jobContainer.cpuRequest, memory: jobContainer.memoryRequest },
          limits: { memory: jobContainer.memoryRequest },
        },
        terminationMessagePolicy: "FallbackToLogsOnError",
        securityContext: restrictedContainer,
        volumeMounts: [mount],
      },
    ],
    volumes: [volume],
  };
}

/** The list was the services', which are there only while the standby is active. */
function formerUrn() {
  const services = createUrn("services", "iconik:services:Services");
  return createUrn("services-customer-buckets", "kubernetes:core/v1:ConfigMap", services);
}
