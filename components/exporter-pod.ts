import type { JobCommand } from "../jobs/config";
import { exporterContainer } from "../plan/sizing";
import { type JobPodArgs, jobPod } from "./job-pod";

/** A job's pod that runs on and serves metrics on a port, as a Deployment's template. */
export function exporterPod<C extends JobCommand>({ port, ...args }: JobPodArgs<C> & { port: number }) {
  const { metadata, spec } = jobPod(args);
  const alive = { httpGet: { path: "/healthz", port: "metrics" } };
  return {
    metadata,
    spec: {
      ...spec,
      restartPolicy: "Always",
      containers: spec.containers.map((container) => ({
        ...container,
        env: [...container.env, { name: "POD_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } }],
        ports: [{ name: "metrics", containerPort: port }],
        readinessProbe: { ...alive, periodSeconds: 5 },
        livenessProbe: { ...alive, periodSeconds: 60, timeoutSeconds: 5 },
        resources: {
          requests: { cpu: exporterContainer.cpuRequest, memory: exporterContainer.memoryRequest },
          limits: { memory: exporterContainer.memoryLimit },
        },
      })),
    },
  };
}
