/** Stand-in for AWS's load balancer controller: pods of a Service become targets of the group that a TargetGroupBinding names. */
import { CoreV1Api, setHeaderOptions, type V1Pod, type V1Service } from "@kubernetes/client-node";
import type { Target } from "../../cloud/aws/balancers/targets";
import { kubeConfigOf } from "../../lib/kube-config";
import type { Operator, OperatorContext, Props } from "../../lib/types";
import { type Backend, backends, isTrue, targetPort } from "../../nodes/services";
import { type Condition, condition, reconcile, together } from "../lib";
import { type CustomObject, Objects } from "../objects";

const KIND = { apiVersion: "elbv2.k8s.aws/v1beta1", kind: "TargetGroupBinding" };
/** Readiness gate that says of a pod whether its target is healthy, before the name of the binding. */
const GATE = "target-health.elbv2.k8s.aws/";
const SERVICE = { apiVersion: "v1", kind: "Service" };
const POD = { apiVersion: "v1", kind: "Pod" };

type Binding = CustomObject<{
  serviceRef: { name: string; port: number | string };
  targetGroupARN?: string;
  targetType?: string;
}>;

/** What the controller does to target groups, as its own role. */
export interface TargetGroups {
  /** Makes these the targets of a group. @throws CloudError as AWS refuses */
  set(pod: { clusterId: string; namespace: string; account: string }, groupArn: string, targets: Target[]): void;
  /** Targets that get requests. */
  healthy(groupArn: string): Target[];
}

export function loadBalancerOperator(groups: TargetGroups): Operator {
  return {
    charts: ["aws-load-balancer-controller"],
    start: async ({ cluster, release, log }) => {
      const config = kubeConfigOf(cluster.adminKubeconfig);
      const objects = new Objects(config);
      const core = config.makeApiClient(CoreV1Api);
      const self = { clusterId: cluster.spec.id, namespace: release.namespace, account: accountOf(release) };
      const loop = reconcile<Binding>({
        objects,
        kind: KIND,
        log,
        work: async (binding) => {
          const namespace = binding.metadata?.namespace ?? "";
          const {
            serviceRef,
            targetGroupARN = "",
            targetType = "instance",
          } = binding.spec ?? { serviceRef: { name: "", port: 0 } };
          if (targetType !== "ip")
            throw new Error(`targets of type ${targetType} are not served here; write targetType: ip`);
          if (binding.metadata?.deletionTimestamp) return groups.set(self, targetGroupARN, []);
          const service = await objects.get<V1Service>(SERVICE, namespace, serviceRef.name);
          if (!service) throw new Error(`Service ${namespace}/${serviceRef.name} not found`);
          const port = service.spec?.ports?.find(
            (each) => each.port === serviceRef.port || each.name === serviceRef.port,
          );
          if (!port) throw new Error(`Service ${namespace}/${serviceRef.name} has no port ${serviceRef.port}`);
          const pods = await objects.list<V1Pod>(POD, namespace);
          const gate = `${GATE}${binding.metadata?.name}`;
          const found = backends(service, pods)
            .filter((backend) => backend.ready || waits(backend, gate))
            .flatMap((backend) => {
              const at = targetPort(backend, port.targetPort ?? port.port);
              return at === undefined ? [] : [{ pod: backend.pod, target: { host: backend.address, port: at } }];
            });
          groups.set(
            self,
            targetGroupARN,
            found.map(({ target }) => target),
          );
          const healthy = groups.healthy(targetGroupARN);
          for (const { pod, target } of found.filter((each) => gatedBy(each.pod, gate)))
            await tell(
              core,
              pod,
              gate,
              healthy.some(({ host, port: at }) => host === target.host && at === target.port),
            );
        },
      });
      return together(loop, objects);
    },
  };
}

const gatedBy = ({ spec }: V1Pod, gate: string) =>
  (spec?.readinessGates ?? []).some(({ conditionType }) => conditionType === gate);

/** Is a pod a target before it is ready, as it waits for being one? */
const waits = ({ pod }: Backend, gate: string) =>
  gatedBy(pod, gate) && isTrue(pod, "ContainersReady") && !pod.metadata?.deletionTimestamp;

/** Writes into a pod whether its target is healthy; what stands there already is not written again. */
async function tell(core: CoreV1Api, { metadata, status }: V1Pod, gate: string, holds: boolean): Promise<void> {
  const old = status?.conditions as Condition[] | undefined;
  const wanted = condition(old, gate, holds);
  if (old?.some(({ type, status }) => type === gate && status === wanted.status)) return;
  const { name = "", namespace = "" } = metadata ?? {};
  await core.patchNamespacedPodStatus(
    { name, namespace, body: { status: { conditions: [wanted] } } },
    // Conditions of others stay.
    setHeaderOptions("Content-Type", "application/strategic-merge-patch+json"),
  );
}

function accountOf({ values, name }: OperatorContext["release"]): string {
  return String((values.serviceAccount as Props | undefined)?.name ?? name);
}
