/** What users saw of a fault, from what their requests were answered. */
import { type Answered, succeeded } from "./load";

/** How long things are waited for; a test over plain servers, which answer at once, sets less. */
export const patience = {
  /** Load before the fault, so that connections are open and caches are warm; none of it may fail. */
  beforeMs: 10_000,
  /** How long front ends may take to see what was well before. */
  healthySeconds: 30,
  /** How long a region's stores may lag behind what was acknowledged. */
  storesMs: 60_000,
  /** How long a front end may keep back what it logs: Envoy writes its files every 10 s. */
  logMs: 12_000,
};

/** A write that was answered well. */
export interface Acknowledged {
  id: string;
  /** When it was sent, and answered, in milliseconds since 1970. */
  at: number;
  answeredAt: number;
  /** Region that answered. */
  by?: string;
}

/** What users saw. Times are in seconds from the fault. */
export interface Findings {
  requests: number;
  /** As they were sent. */
  requestsPerSecond: number;
  failed: number;
  /** Failed requests that were sent after the health checks had seen the fault, or at any time when they are not to. */
  failedAfterDetection: number;
  /** Undefined: there was nothing to see. */
  detectionSeconds?: number;
  /** Until the last request was sent that failed; 0: none did. */
  recoverySeconds: number;
  /** Until the last request that failed was given up: one that nobody answers is waited for. 0: none failed. */
  failureEndSeconds: number;
  /** The longest time in which no request was sent that got what it asked for. */
  darkSeconds: number;
  /** Regions that answered after the detection, or after the fault. */
  answeredBy: string[];
  /** The 99th percentile of answers before the fault, and after the detection, in milliseconds. */
  latencyMs: { before: number; after: number };
  /** By how much the median of answers after the detection is above that before the fault. */
  slowedMs: number;
  /** Writes of this load that were answered; the row's ledger has those of all loads. */
  acknowledged: Acknowledged[];
  injectedAt: number;
  /** Kinds of failures, for people. */
  examples: string[];
}

/** The figures of a run, from the last turn before the fault on; of acknowledged writes from all of it. */
export function findings(all: readonly Answered[], injectedAt: number, detectedAt?: number): Findings {
  const answers = all.filter(({ at }) => at >= injectedAt - patience.beforeMs);
  const failed = answers.filter((each) => !succeeded(each));
  const since = detectedAt ?? injectedAt;
  const before = answers.filter(({ at }) => at < injectedAt);
  const after = answers.filter(({ at }) => at >= since);
  const seconds = (at: number) => Math.max(0, (at - injectedAt) / 1000);
  return {
    requests: answers.length,
    requestsPerSecond: Math.round(
      answers.length / Math.max(1, ((answers.at(-1)?.at ?? 0) - (answers[0]?.at ?? 0)) / 1000),
    ),
    failed: failed.length,
    failedAfterDetection: after.filter((each) => !succeeded(each)).length,
    ...(detectedAt === undefined ? {} : { detectionSeconds: seconds(detectedAt) }),
    recoverySeconds: seconds(failed.at(-1)?.at ?? injectedAt),
    failureEndSeconds: seconds(Math.max(injectedAt, ...failed.map(({ at, ms }) => at + ms))),
    darkSeconds: longestGap(answers),
    answeredBy: [...new Set(after.flatMap(({ region }) => region ?? []))].sort(),
    latencyMs: { before: percentile(before, 0.99), after: percentile(after, 0.99) },
    slowedMs: percentile(after, 0.5) - percentile(before, 0.5),
    acknowledged: all.flatMap((each) =>
      each.writes && succeeded(each)
        ? [{ id: each.writes, at: each.at, answeredAt: each.at + each.ms, by: each.region }]
        : [],
    ),
    injectedAt,
    examples: kinds(failed, seconds),
  };
}

/** Kinds of failures that are told. */
const KINDS = 4;

/** The most frequent failures, each with how often, when, and how long it was waited for. */
function kinds(failed: readonly Answered[], seconds: (at: number) => number): string[] {
  const byKind = new Map<string, Answered[]>();
  for (const each of failed) {
    // Without the request and the connection, which are another each time.
    const what = (each.error || String(each.status)).replace(/^\w+ "[^"]*": /, "").replace(/ \S+->\S+:/, "");
    const all = byKind.get(what);
    if (all) all.push(each);
    else byKind.set(what, [each]);
  }
  const found = [...byKind];
  const told = found
    .sort(([, one], [, other]) => other.length - one.length)
    .slice(0, KINDS)
    .map(([what, all]) => {
      const slowest = Math.round(Math.max(...all.map(({ ms }) => ms)));
      return `${all.length} from ${seconds(all[0]!.at).toFixed(1)} s on: ${what} after ${slowest} ms at most`;
    });
  return found.length > KINDS ? [...told, `${found.length - KINDS} more kinds`] : told;
}

function longestGap(answers: readonly Answered[]): number {
  const times = [...answers.filter(succeeded), ...answers.slice(-1)].map(({ at }) => at);
  return Math.max(0, ...times.map((at, index) => at - (times[index - 1] ?? answers[0]!.at))) / 1000;
}

/** The time within which this share of the successful answers came, in milliseconds; NaN: there was none. */
export function percentile(answers: readonly Answered[], share: number): number {
  const times = answers
    .filter(succeeded)
    .map(({ ms }) => ms)
    .sort((a, b) => a - b);
  return Math.round(times[Math.floor(times.length * share)] ?? Number.NaN);
}

/** What users of two places saw, as one. */
export function together(one: Findings, other: Findings): Findings {
  const sum = (figure: "requests" | "requestsPerSecond" | "failed" | "failedAfterDetection") =>
    one[figure] + other[figure];
  return {
    ...one,
    requests: sum("requests"),
    requestsPerSecond: sum("requestsPerSecond"),
    failed: sum("failed"),
    failedAfterDetection: sum("failedAfterDetection"),
    recoverySeconds: Math.max(one.recoverySeconds, other.recoverySeconds),
    failureEndSeconds: Math.max(one.failureEndSeconds, other.failureEndSeconds),
    darkSeconds: Math.max(one.darkSeconds, other.darkSeconds),
    latencyMs: {
      before: Math.max(one.latencyMs.before, other.latencyMs.before),
      after: Math.max(one.latencyMs.after, other.latencyMs.after),
    },
    answeredBy: [...new Set([...one.answeredBy, ...other.answeredBy])].sort(),
    acknowledged: [...one.acknowledged, ...other.acknowledged],
    examples: [...one.examples, ...other.examples],
  };
}
