/**
 * Recovery objectives per disaster. The source of the plan gives no numbers: these are ours, measured by the drills
 * (S8) and to be lowered.
 */
export type DisasterId = "D1" | "D2" | "D3" | "D4" | "D5";

/** One disaster with the plan's answer and its bounds, in seconds. */
export interface Objective {
  id: DisasterId;
  disaster: string;
  answer: string;
  /** Longest time from the incident to the service restored. */
  rtoSeconds: number;
  /** Greatest age of the newest data restored. */
  rpoSeconds: number;
}

const minute = 60;
const hour = 60 * minute;

export const objectives: Record<DisasterId, Objective> = {
  D1: {
    id: "D1",
    disaster: "one Kubernetes cluster, or one region, fails",
    answer: "the global load balancer sends traffic to the next-closest region",
    rtoSeconds: 2 * minute,
    rpoSeconds: 1 * minute,
  },
  D2: {
    id: "D2",
    disaster: "several or all Google Cloud regions fail",
    answer: "`pulumi up` of a fresh stack restores Cassandra, Elasticsearch and the Kubernetes configuration",
    rtoSeconds: 8 * hour,
    rpoSeconds: 28 * hour,
  },
  D3: {
    id: "D3",
    disaster: "data is corrupted",
    answer: "two replicas in every region and scheduled repair; beyond repair, restore from a backup",
    rtoSeconds: 8 * hour,
    rpoSeconds: 28 * hour,
  },
  D4: {
    id: "D4",
    disaster: "Google Cloud is lost completely",
    answer: "activate the standby on AWS from the S3 copies",
    rtoSeconds: 12 * hour,
    rpoSeconds: 36 * hour,
  },
  D5: {
    id: "D5",
    disaster: "an active attack with stolen production credentials",
    answer: "the second copies are out of reach; an approved, expiring restore grant opens them read-only",
    rtoSeconds: 24 * hour,
    rpoSeconds: 28 * hour,
  },
};
