/** Which resources a `pulumi up` waited for: the chain of dependencies that ended last, with each one's own time. */
import type { EngineEvent } from "@pulumi/pulumi/automation";

/** When a resource was worked on, in milliseconds of one clock. */
export interface Span {
  start: number;
  end: number;
}

/** A resource on the critical path. */
export interface Step {
  urn: string;
  /** Its own work. */
  seconds: number;
  /** From the end of what it waited for to its start: the engine, the program, or its place in the queue. */
  waited: number;
}

const removes = (op: string | undefined): boolean => op !== undefined && /^(delete|discard)/.test(op);

/** Keeps the times of resources as an update's events come in. */
export class Stopwatch {
  readonly spans = new Map<string, Span>();
  readonly began: number;

  constructor(private readonly now: () => number = Date.now) {
    this.began = now();
  }

  /** To be given to the Automation API as `onEvent`. */
  readonly hear = (event: EngineEvent): void => {
    const before = event.resourcePreEvent?.metadata;
    // The stack itself is worked on from the beginning to the end, and what is removed goes after all that anybody waits for.
    if (before && !before.urn.includes("::pulumi:pulumi:Stack::") && !removes(before.op))
      this.spans.set(before.urn, { start: this.now(), end: Number.NaN });
    const after = event.resOutputsEvent?.metadata;
    const span = after && !removes(after.op) ? this.spans.get(after.urn) : undefined;
    if (span) span.end = this.now();
  };
}

/**
 * The chain from the beginning to the resource that ended last: before each stands the dependency that ended last.
 * @param dependencies by URN; of those without a span nothing is known, so they are passed over
 * @param began when the update began, in the clock of the spans
 */
export function criticalPath(
  spans: ReadonlyMap<string, Span>,
  dependencies: ReadonlyMap<string, readonly string[]>,
  began: number,
): Step[] {
  const ended = new Map([...spans].filter(([, { end }]) => !Number.isNaN(end)));
  const last = (urns: Iterable<string>, until: number) =>
    [...urns]
      .filter((urn) => (ended.get(urn)?.end ?? Number.POSITIVE_INFINITY) <= until)
      .reduce<string | undefined>(
        (a, b) => (a === undefined || ended.get(b)!.end > ended.get(a)!.end ? b : a),
        undefined,
      );
  const path: Step[] = [];
  for (let urn = last(ended.keys(), Number.MAX_VALUE); urn !== undefined; ) {
    const { start, end } = ended.get(urn)!;
    // What ended after it began it did not wait for.
    const before = last(
      (dependencies.get(urn) ?? []).filter((each) => each !== urn),
      start,
    );
    path.unshift({
      urn,
      seconds: (end - start) / 1000,
      waited: (start - (before ? ended.get(before)!.end : began)) / 1000,
    });
    urn = before;
  }
  return path;
}

/** Every resource's dependencies in an exported state, those of single properties and its parent included. */
export function dependenciesOf(deployment: {
  resources?: {
    urn: string;
    parent?: string;
    dependencies?: string[];
    propertyDependencies?: Record<string, string[] | null>;
  }[];
}): Map<string, string[]> {
  return new Map(
    (deployment.resources ?? []).map(({ urn, parent, dependencies, propertyDependencies }) => [
      urn,
      [
        ...new Set([
          ...(parent ? [parent] : []),
          ...(dependencies ?? []),
          ...Object.values(propertyDependencies ?? {}).flatMap((each) => each ?? []),
        ]),
      ],
    ]),
  );
}

/** The steps that took a share of the whole, for people: `name 12.3 s`, in order. */
export function describePath(path: readonly Step[], atLeastSeconds = 1): string {
  return path
    .filter(({ seconds }) => seconds >= atLeastSeconds)
    .map(({ urn, seconds }) => `${urn.split("::").at(-1)} ${seconds.toFixed(0)} s`)
    .join(" → ");
}
