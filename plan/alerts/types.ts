/** What an alert is: typed data, from which Cloud Monitoring's policies and docs/alerts.md are made. */
import type { DisasterId } from "../objectives";
import type { SystemId } from "../systems";

/** The stack that declares it. What watches production must not be lost with it: the vault watches the sites' backups. */
export type Owner = "vault" | "site" | "foundation";

/** Cloud Monitoring's own: CRITICAL wakes somebody, ERROR is for today, WARNING for this week. */
export type Severity = "CRITICAL" | "ERROR" | "WARNING";

/**
 * How often Cloud Monitoring tells of an incident, and when it ends by itself. Of a metric: again while a CRITICAL one is open, and
 * closed when its series is gone. Of a log: Cloud Monitoring has no repetition, and tells of new entries once in a while.
 */
export const repetition = {
  metric: { againSeconds: 4 * 3600, closesSeconds: 7 * 86_400 },
  log: { atMostEverySeconds: 3600, closesSeconds: 86_400 },
} as const;

/** A PromQL expression; each series that it returns is an incident once it did so for `seconds`. */
export interface PromqlCondition {
  kind: "promql";
  query: string;
  /** Multiple of 60. */
  seconds: number;
}

/** A Cloud Monitoring filter whose aggregated series is above a value for `seconds`. */
export interface ThresholdCondition {
  kind: "threshold";
  filter: string;
  /** Multiple of 60. */
  alignmentSeconds: number;
  aligner: string;
  reducer?: string;
  groupBy?: string[];
  above: number;
  /** Multiple of 60. */
  seconds: number;
}

/** A series that was there and is not any more for `seconds`. */
export interface AbsentCondition {
  kind: "absent";
  filter: string;
  groupBy: string[];
  /** Multiple of 60, up to 23.5 hours. */
  seconds: number;
}

/** A log entry that matches; the project's logs alone are looked at. */
export interface LogCondition {
  kind: "log";
  filter: string;
}

export type Condition = PromqlCondition | ThresholdCondition | AbsentCondition | LogCondition;

/** One alert. `S` is what its condition has to know of the stack. */
export interface Alert<S = unknown> {
  /** Unique; part of resource names and the anchor in docs/alerts.md. */
  id: string;
  owner: Owner;
  title: string;
  /** Rows of the plan that are at stake. */
  rows: readonly (SystemId | DisasterId)[];
  severity: Severity;
  /** What it watches and when it fires, in words. */
  watches: string;
  /** What is lost when nobody acts. */
  why: string;
  /** What to do, in order. */
  steps: readonly string[];
  /** A runbook that goes further; a path in the repository, with the section that it is about. */
  runbook?: string;
  /** It watches what a restore suspends, and is off meanwhile. */
  pausedByRestore?: true;
  condition: (scope: S) => Condition;
}

/** What the vault's conditions have to know. */
export interface VaultScope {
  copiesBucket: string;
  /** Every repository that has to be backed up and copied. */
  repositories: readonly { site: string; repository: string }[];
}

/** What a site's conditions have to know. */
export interface SiteScope {
  /** Names of its GKE clusters. */
  clusters: string[];
  /** Number of its regions that are saved: each has its own snapshots. */
  regions: number;
  /** Number of those that write canaries: it joins or is being taken out where there are none. */
  canaries: number;
  backupBucket: string;
}

/** What the foundation's conditions have to know. */
export interface FoundationScope {
  mediaBuckets: string[];
  /** Host of the uptime check. */
  host: string;
}

/** Hours, or minutes below two hours, for a person. */
export function span(seconds: number): string {
  return seconds < 7200 ? `${Math.round(seconds / 60)} minutes` : `${Math.round(seconds / 360) / 10} h`;
}

/** A filter's parts, all of which hold. */
export const every = (...parts: string[]): string => parts.join(" AND ");

/** A filter's parts, one of which holds. */
export const any = (...parts: string[]): string => parts.map((part) => `(${part})`).join(" OR ");

/** `"a" OR "b"` for a filter's value. */
export const quoted = (values: readonly string[]): string => values.map((value) => `"${value}"`).join(" OR ");
