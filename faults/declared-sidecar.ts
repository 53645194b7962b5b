/** The throwaway server beside a deep verification, as its pod declares it, for stages that run it without a cluster. */
import { verificationPod } from "../components/verification";
import { schedules } from "../plan/schedules";

/** What a stage runs of it. */
export interface Sidecar {
  command: string[];
  /** A value that only a pod has, its address, is undefined. */
  env: { name: string; value?: string }[];
}

/** @param markerKey PEM of the key that signs markers */
export function declaredSidecar(repository: string, copiesBucket: string, markerKey: string): Sidecar {
  const { initContainers } = verificationPod("prod", repository, {
    copiesBucket,
    image: "i",
    mirror: "m",
    markerKeys: [markerKey],
    schedule: schedules.verification,
  }).spec;
  return initContainers![0] as Sidecar;
}
