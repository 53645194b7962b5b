/** What the measurements mean. */
import Table from "cli-table3";
import { median } from "./measure";

/** Bound of a preview beyond an empty program's, per resource. */
export const BOUND_MS_PER_RESOURCE = 20;

/** One preview. */
export interface Sample {
  seconds: number;
  /** CPU time of the engine, the program and the providers together: what a busy machine does not change. */
  cpuSeconds: number;
  /** Resources that it would create, the stack itself left out. */
  resources: number;
  /** Greatest resident size of the program's process. */
  memoryMiB: number;
}

/** Medians of one program. */
interface Row {
  seconds: number;
  cpuSeconds: number;
  resources: number;
  memoryMiB: number;
  runs: number[];
}

/** A stack's previews. */
interface StackRow {
  preview: Row;
  /** With the policy pack, as a pull request's preview runs; outside of the bound. */
  withPolicies?: Row;
  perResourceMs: number;
  boundSeconds: number;
}

/** Contents of reports/latest/bench.json. */
export interface BenchReport {
  result: "pass" | "fail";
  empty: Row;
  /** By name of the stack. */
  stacks: Record<string, StackRow>;
  boundMsPerResource: number;
}

/** Previews of a stack, alternating with an empty program's. */
export interface StackSamples {
  preview: Sample[];
  withPolicies?: Sample[];
}

const row = (samples: Sample[]): Row => ({
  seconds: median(samples.map(({ seconds }) => seconds)),
  cpuSeconds: median(samples.map(({ cpuSeconds }) => cpuSeconds)),
  resources: samples[0]?.resources ?? 0,
  memoryMiB: Math.round(median(samples.map(({ memoryMiB }) => memoryMiB))),
  runs: samples.map(({ seconds }) => Math.round(seconds * 1000) / 1000),
});

/** Medians of alternating runs, held against the bound. Throws when a stack's preview showed no resource. */
export function summarize(emptySamples: Sample[], samples: Record<string, StackSamples>): BenchReport {
  const empty = row(emptySamples);
  const stacks = Object.fromEntries(
    Object.entries(samples).map(([name, { preview: previews, withPolicies }]): [string, StackRow] => {
      const preview = row(previews);
      if (preview.resources === 0) throw new Error(`the preview of ${name} showed no resource: it measured nothing`);
      return [
        name,
        {
          preview,
          ...(withPolicies && { withPolicies: row(withPolicies) }),
          perResourceMs: Math.round(((preview.seconds - empty.seconds) * 100_000) / preview.resources) / 100,
          boundSeconds: empty.seconds + (preview.resources * BOUND_MS_PER_RESOURCE) / 1000,
        },
      ];
    }),
  );
  const within = Object.values(stacks).every(({ perResourceMs }) => perResourceMs <= BOUND_MS_PER_RESOURCE);
  return { result: within ? "pass" : "fail", empty, stacks, boundMsPerResource: BOUND_MS_PER_RESOURCE };
}

/** The report as a table. */
export function table({ empty, stacks, boundMsPerResource }: BenchReport): string {
  const out = new Table({
    head: ["preview", "median", "CPU", "resources", "memory", "runs"],
    style: { head: [], border: [] },
  });
  const rows: [string, Row | undefined][] = [
    ["empty program", empty],
    ...Object.entries(stacks).flatMap(([name, { preview, withPolicies }]): [string, Row | undefined][] => [
      [name, preview],
      [`${name}, with policies`, withPolicies],
    ]),
  ];
  for (const [name, each] of rows) {
    if (each)
      out.push([
        name,
        `${each.seconds.toFixed(2)} s`,
        `${each.cpuSeconds.toFixed(2)} s`,
        each.resources,
        `${each.memoryMiB} MiB`,
        each.runs.join(" "),
      ]);
  }
  const verdicts = Object.entries(stacks).map(([name, { perResourceMs, boundSeconds }]) => {
    const verdict = perResourceMs <= boundMsPerResource ? "within" : "beyond";
    return `${name}: ${perResourceMs} ms per resource, ${verdict} the bound of ${boundMsPerResource} ms (${boundSeconds.toFixed(2)} s in all)`;
  });
  return [String(out), ...verdicts].join("\n");
}
