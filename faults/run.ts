/** Runs the rows of a fault matrix, each on the stage it needs; one that fails holds up none of the others. */
import type { Fault, Outcome } from "./fault";
import { deaf, firesAfter } from "./signals";

/** Rows that share a stage, which is opened when the first of them runs and closed after the last. */
export interface Group<Stage> {
  /** What the rows stand on, in words. */
  stage: string;
  open(): Promise<Stage>;
  close(stage: Stage): Promise<void>;
  faults: readonly Fault<Stage>[];
}

/** A group whatever its stage is. */
// biome-ignore lint/suspicious/noExplicitAny: a list of groups has many types of stages, each known inside its group alone.
export type AnyGroup = Group<any>;

/** One row of the report. */
export interface Row {
  id: string;
  fault: string;
  rows: readonly string[];
  alert: string;
  expected: { lostSeconds: number } & Record<string, number>;
  /** Least values of figures; absent: none has one. */
  atLeast?: Readonly<Record<string, number>>;
  measured: Omit<Outcome, "signal"> | null;
  /** Seconds after which its alert would be raised, when the fault was shorter than that. */
  wouldFireAfterSeconds?: number;
  seconds: number;
  /** When it began, ISO-8601, UTC. */
  startedAt: string;
  pass: boolean;
  /** Why it did not pass. */
  failure?: string;
}

/** Which rows to run: all, the suite's part, or those of these ids. */
export interface Choice {
  small?: boolean;
  only?: readonly string[];
}

/** Every row, in order. */
export const faultsOf = (groups: readonly AnyGroup[]): Fault<never>[] => groups.flatMap(({ faults }) => faults);
/** Their names. */
export const idsOf = (groups: readonly AnyGroup[]): string[] => faultsOf(groups).map(({ id }) => id);

/** The groups with their chosen rows; empty groups are left out. @throws when an id is unknown */
export function choose(groups: readonly AnyGroup[], { small, only }: Choice): AnyGroup[] {
  const ids = idsOf(groups);
  const unknown = only?.filter((id) => !ids.includes(id)) ?? [];
  if (unknown.length > 0) throw new Error(`no fault "${unknown.join('", "')}"; allowed: ${ids.join(", ")}`);
  const chosen = ({ id, small: isSmall }: Fault<unknown>) => (only ? only.includes(id) : !small || isSmall === true);
  return groups
    .map((group) => ({ ...group, faults: group.faults.filter(chosen) }))
    .filter(({ faults }) => faults.length > 0);
}

/** Runs every row of the groups, in order. `tell` hears of each as it ends. Never rejects for a row. */
export async function runFaults(groups: readonly AnyGroup[], tell: (row: Row) => void): Promise<Row[]> {
  const rows: Row[] = [];
  for (const group of groups) {
    let stage: unknown;
    let unopened: Error | undefined;
    try {
      stage = await group.open();
    } catch (error) {
      unopened = error as Error;
    }
    for (const fault of group.faults) {
      const row = unopened
        ? rowOf(fault, Date.now(), undefined, new Error(`${group.stage} did not come up: ${unopened.message}`))
        : await runFault(fault, stage);
      rows.push(row);
      tell(row);
    }
    if (!unopened) await group.close(stage);
  }
  return rows;
}

/** Runs one row. */
export async function runFault<Stage>(fault: Fault<Stage>, stage: Stage): Promise<Row> {
  const started = Date.now();
  try {
    const outcome = await fault.inject(stage);
    return rowOf(fault, started, outcome, judge(fault, outcome));
  } catch (error) {
    return rowOf(fault, started, undefined, error as Error);
  }
}

/** Why an outcome is not what the plan promises, or undefined. */
export function judge(fault: Fault<never>, outcome: Outcome): Error | undefined {
  const problem = fault.alert === undefined ? undefined : deaf(fault.alert, outcome.signal);
  return problem ? new Error(problem) : beyond(fault, outcome);
}

/** Which figure of an outcome is beyond what is allowed today, or undefined; also of one that an earlier run measured. */
export function beyond(
  fault: Pick<Fault<never>, "mayLoseSeconds" | "bounds" | "atLeast">,
  { lostSeconds, figures }: Omit<Outcome, "signal">,
): Error | undefined {
  if (!(lostSeconds <= fault.mayLoseSeconds))
    return new Error(`${lostSeconds} s of data were lost, ${fault.mayLoseSeconds} s are allowed`);
  for (const [name, bound] of Object.entries(fault.bounds ?? {})) {
    const value = figures?.[name] ?? Number.NaN;
    if (!(value <= bound)) return new Error(`${name} is ${value}, ${bound} is allowed`);
  }
  for (const [name, bound] of Object.entries(fault.atLeast?.() ?? {})) {
    const value = figures?.[name] ?? Number.NaN;
    if (!(value >= bound))
      return new Error(`${name} is ${value}, at least ${bound} is expected: the fault may have done nothing`);
  }
  return undefined;
}

function rowOf(fault: Fault<never>, started: number, outcome?: Outcome, failure?: Error): Row {
  const later = outcome && fault.alert !== undefined ? firesAfter(fault.alert, outcome.signal) : undefined;
  const measured = outcome && { ...outcome, noticed: noticed(outcome, later), signal: undefined };
  return {
    id: fault.id,
    fault: fault.fault,
    rows: fault.rows,
    alert: fault.alert ?? "none: it harms nothing",
    expected: { lostSeconds: fault.mayLoseSeconds, ...fault.bounds },
    ...(fault.atLeast && { atLeast: fault.atLeast() }),
    measured: measured ?? null,
    ...(later !== undefined && { wouldFireAfterSeconds: later }),
    seconds: (Date.now() - started) / 1000,
    startedAt: new Date(started).toISOString(),
    pass: failure === undefined,
    ...(failure && { failure: failure.message }),
  };
}

function noticed({ noticed, signal }: Outcome, later: number | undefined): string {
  if (later === undefined || signal.kind !== "metric") return noticed;
  return `${noticed}; the alert would fire after ${later} s, and this lasted ${Math.round(signal.seconds ?? 0)} s`;
}
