/** Stand-in for AWS's load balancer controller: pods of a Service become targets of the group that a TargetGroupBinding names. */
import type { V1Pod, V1Service } from "@kubernetes/client-node";
import { kubeConfigOf } from "../../lib/kube-config";
import type { Operator, OperatorContext, Props } from "../../lib/types";
import { backends, targetPort } from "../../nodes/services";
import { reconcile, together } from "../lib";
import { type CustomObject, Objects } from "../objects";

const KIND = { apiVersion: "elbv2.k8s.aws/v1beta1", kind: "TargetGroupBinding" };
const SERVICE = { apiVersion: "v1", kind: "Service" };
const POD = { apiVersion: "v1", kind: "Pod" };

type Binding = CustomObject<{
  serviceRef: { name: string; port: number | string };
  targetGroupARN?: string;
  targetType?: string;
}>;

/** Registers targets as the controller's own role. @throws CloudError as AWS refuses */
export type RegisterTargets = (
  pod: { clusterId: string; namespace: string; account: string },
  groupArn: string,
  targets: { host: string; port: number }[],
) => void;

export function loadBalancerOperator(register: RegisterTargets): Operator {
  return {
    charts: ["aws-load-balancer-controller"],
    start: async ({ cluster, release, log }) => {
      const objects = new Objects(kubeConfigOf(cluster.adminKubeconfig));
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
          if (binding.metadata?.deletionTimestamp) return register(self, targetGroupARN, []);
          const service = await objects.get<V1Service>(SERVICE, namespace, serviceRef.name);
          if (!service) throw new Error(`Service ${namespace}/${serviceRef.name} not found`);
          const port = service.spec?.ports?.find(
            (each) => each.port === serviceRef.port || each.name === serviceRef.port,
          );
          if (!port) throw new Error(`Service ${namespace}/${serviceRef.name} has no port ${serviceRef.port}`);
          const pods = await objects.list<V1Pod>(POD, namespace);
          const targets = backends(service, pods)
            .filter(({ ready }) => ready)
            .flatMap((backend) => {
              const at = targetPort(backend, port.targetPort ?? port.port);
              return at === undefined ? [] : [{ host: backend.address, port: at }];
            });
          register(self, targetGroupARN, targets);
        },
      });
      return together(loop, objects);
    },
  };
}

function accountOf({ values, name }: OperatorContext["release"]): string {
  return String((values.serviceAccount as Props | undefined)?.name ?? name);
}
