/** A pod's status computed from what its containers do, by the rules of a kubelet. */
import type {
  V1Container,
  V1ContainerStateTerminated,
  V1ContainerStatus,
  V1Pod,
  V1PodCondition,
  V1PodStatus,
} from "@kubernetes/client-node";

/** What one container does now. Exactly one of waiting, runningSince and terminated is set. */
export interface ContainerSnapshot {
  waiting?: { reason: string; message?: string };
  runningSince?: Date;
  terminated?: V1ContainerStateTerminated;
  /** How the run before this one ended. */
  lastTerminated?: V1ContainerStateTerminated;
  restarts: number;
  /** Its startup probe has passed, or it has none and runs. */
  started: boolean;
  /** Its readiness probe passes, or it has none and runs. */
  ready: boolean;
}

/** A container that nothing has been done for yet. */
export const created = (): ContainerSnapshot => ({
  waiting: { reason: "ContainerCreating" },
  restarts: 0,
  started: false,
  ready: false,
});

/** True for an init container that keeps running beside the others. */
export const isSidecar = (container: V1Container) => container.restartPolicy === "Always";

/**
 * The status of a pod.
 *
 * @param snapshots by container name; a container without one has not been created
 * @param now moment of the conditions that changed; unchanged ones keep theirs
 */
export function podStatus(
  pod: V1Pod,
  podIP: string,
  startTime: Date,
  snapshots: ReadonlyMap<string, ContainerSnapshot>,
  now: Date,
): V1PodStatus {
  const inits = pod.spec?.initContainers ?? [];
  const containers = pod.spec?.containers ?? [];
  const of = (container: V1Container) => snapshots.get(container.name) ?? created();
  // A sidecar that has ended was started once: it ends after the containers beside it.
  const wasStarted = ({ started, terminated, lastTerminated }: ContainerSnapshot) =>
    started || terminated !== undefined || lastTerminated !== undefined;
  const initialized = inits.every((container) =>
    isSidecar(container) ? wasStarted(of(container)) : of(container).terminated?.exitCode === 0,
  );
  const phase = podPhase(pod, snapshots, initialized);
  const watched = [...containers, ...inits.filter(isSidecar)];
  const ready = phase === "Running" && watched.every((container) => of(container).ready);
  const before = pod.status?.conditions ?? [];
  const gated = (pod.spec?.readinessGates ?? []).every(({ conditionType }) =>
    before.some(({ type, status }) => type === conditionType && status === "True"),
  );
  const condition = (type: string, holds: boolean, reason: string): V1PodCondition => {
    const old = before.find((each) => each.type === type);
    const status = holds ? "True" : "False";
    const lastTransitionTime = old?.status === status ? old.lastTransitionTime : now;
    return { type, status, lastTransitionTime, ...(holds ? {} : { reason }) };
  };
  const unready = phase === "Succeeded" ? "PodCompleted" : "ContainersNotReady";
  return {
    phase,
    podIP,
    podIPs: [{ ip: podIP }],
    hostIP: "127.0.0.1",
    hostIPs: [{ ip: "127.0.0.1" }],
    startTime,
    conditions: [
      ...before.filter(({ type }) => !["Initialized", "ContainersReady", "Ready"].includes(type)),
      condition("Initialized", initialized, "ContainersNotInitialized"),
      condition("ContainersReady", ready, unready),
      condition("Ready", ready && gated, ready ? "ReadinessGatesNotReady" : unready),
    ],
    initContainerStatuses: inits.map((container) => containerStatus(container, of(container))),
    containerStatuses: containers.map((container) => containerStatus(container, of(container))),
  };
}

/** Pending until every container was started once; then Running until none of them will run again. */
function podPhase(pod: V1Pod, snapshots: ReadonlyMap<string, ContainerSnapshot>, initialized: boolean): string {
  const policy = pod.spec?.restartPolicy ?? "Always";
  const initFailed = (pod.spec?.initContainers ?? []).some((container) => {
    const code = snapshots.get(container.name)?.terminated?.exitCode;
    return !isSidecar(container) && code !== undefined && code !== 0 && policy === "Never";
  });
  if (initFailed) return "Failed";
  if (!initialized) return "Pending";
  const states = (pod.spec?.containers ?? []).map((container) => snapshots.get(container.name) ?? created());
  if (states.some((state) => state.waiting && !state.lastTerminated)) return "Pending";
  const codes = states.map((state) => state.terminated?.exitCode);
  if (codes.some((code) => code === undefined) || policy === "Always") return "Running";
  if (codes.every((code) => code === 0)) return "Succeeded";
  return policy === "Never" ? "Failed" : "Running";
}

function containerStatus(container: V1Container, state: ContainerSnapshot): V1ContainerStatus {
  return {
    name: container.name,
    image: container.image ?? "",
    imageID: "",
    ready: state.ready,
    started: state.started,
    restartCount: state.restarts,
    state: {
      ...(state.waiting ? { waiting: state.waiting } : {}),
      ...(state.runningSince ? { running: { startedAt: state.runningSince } } : {}),
      ...(state.terminated ? { terminated: state.terminated } : {}),
    },
    lastState: state.lastTerminated ? { terminated: state.lastTerminated } : {},
  };
}
