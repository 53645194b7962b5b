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

/** Contents of reports/latest/bench.json. */
export interface BenchReport {
  result: "pass" | "fail";
  empty: Row;
  prod: Row;
  /** With the policy pack, as a pull request's preview runs; outside of the bound. */
  withPolicies?: Row;
  perResourceMs: number;
  boundMsPerResource: number;
  boundSeconds: number;
}

const row = (samples: Sample[]): Row => ({
  seconds: median(samples.map(({ seconds }) => seconds)),
  cpuSeconds: median(samples.map(({ cpuSeconds }) => cpuSeconds)),
  resources: samples[0]?.resources ?? 0,
  memoryMiB: Math.round(median(samples.map(({ memoryMiB }) => memoryMiB))),
  runs: samples.map(({ seconds }) => Math.round(seconds * 1000) / 1000),
});

/** Medians of alternating runs, held against the bound. Throws when prod's preview showed no resource. */
export function summarize(samples: { empty: Sample[]; prod: Sample[]; withPolicies?: Sample[] }): BenchReport {
  const [empty, prod] = [row(samples.empty), row(samples.prod)];
  if (prod.resources === 0) throw new Error("prod's preview showed no resource: it measured nothing");
  const perResourceMs = Math.round(((prod.seconds - empty.seconds) * 100_000) / prod.resources) / 100;
  return {
    result: perResourceMs <= BOUND_MS_PER_RESOURCE ? "pass" : "fail",
    empty,
    prod,
    ...(samples.withPolicies && { withPolicies: row(samples.withPolicies) }),
    perResourceMs,
    boundMsPerResource: BOUND_MS_PER_RESOURCE,
    boundSeconds: empty.seconds + (prod.resources * BOUND_MS_PER_RESOURCE) / 1000,
  };
}

/** The report as a table. */
export function table(report: BenchReport): string {
  const out = new Table({
    head: ["preview", "median", "CPU", "resources", "memory", "runs"],
    style: { head: [], border: [] },
  });
  const rows = { "empty program": report.empty, prod: report.prod, "prod, with policies": report.withPolicies };
  for (const [name, each] of Object.entries(rows)) {
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
  const verdict = report.result === "pass" ? "within" : "beyond";
  return `${out}\n${report.perResourceMs} ms per resource, ${verdict} the bound of ${report.boundMsPerResource} ms (${report.boundSeconds.toFixed(2)} s in all)`;
}
