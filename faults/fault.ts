/**
 * One fault that is injected on purpose, and what became of it: the rows of the fault matrices. A row says what it does,
 * which alert has to tell people and what may be lost at most; its `inject` does it to real parts and answers with what was
 * found. It throws when the plan did not hold.
 */
import type { DisasterId } from "../plan/objectives";
import type { SystemId } from "../plan/systems";

/** What people or monitoring see of a fault: a line of a job's log, or a metric. */
export type Signal =
  /** The job's summary or another line with an `event` of plan/events.ts. */
  | { kind: "log"; command: string; line: Record<string, unknown> }
  /** A metric with the value that makes the alert fire, and how long it was seen to have it, when that was measured. */
  | { kind: "metric"; name: string; value: number; seconds?: number }
  /** A line that a container of a namespace wrote, which is none of our jobs'. */
  | { kind: "text"; namespace: string; text: string }
  /** Google's health checks found an endpoint in another state than before, and logged it. */
  | { kind: "health-check"; state: "UNHEALTHY" | "HEALTHY" }
  /** The storage refused it and wrote so into its audit log. */
  | { kind: "audit"; permission: string; status: number };

/** What became of a fault. Sentences are for the report: short, with figures. */
export interface Outcome {
  /** How it was noticed. */
  noticed: string;
  /** What the alert listens to. */
  signal: Signal;
  /** What brought things back, and what was compared to know. */
  recovered: string;
  /** Age in seconds, at the fault, of the newest data that did not come back; 0: nothing was lost. */
  lostSeconds: number;
  /** Further figures by name, for {@link Fault.bounds} and the report. */
  figures?: Readonly<Record<string, number>>;
}

/** A row of a fault matrix. `Stage` is what it needs to stand on, e.g. a storage or a site that is up. */
export interface Fault<Stage> {
  /** Lower case with hyphens; unique in its matrix. */
  id: string;
  /** What is done, in words. */
  fault: string;
  /** Rows of the plan at stake. */
  rows: readonly (SystemId | DisasterId)[];
  /** Id of the alert in plan/alerts that has to tell; undefined: it harms nothing, so nobody is woken. */
  alert?: string;
  /** Greatest {@link Outcome.lostSeconds}: 0, or the RPO of a disaster. */
  mayLoseSeconds: number;
  /** Greatest values of {@link Outcome.figures}; one that was not measured fails the row. */
  bounds?: Readonly<Record<string, number>>;
  /**
   * Least values of {@link Outcome.figures}, by which a fault that did nothing is told from one that harmed nothing. Asked
   * after the row ran: rates are set by the command line.
   */
  atLeast?(): Readonly<Record<string, number>>;
  /** Is part of the test suite, and not only of the full matrix. */
  small?: true;
  /** @throws when it was not noticed, not recovered, or something else broke */
  inject(stage: Stage): Promise<Outcome>;
}
