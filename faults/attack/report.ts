/** What the attack found: `reports/latest/attack.json`, the lines that a person reads, and the page of the docs. */
import Table from "cli-table3";
import type { PhaseTime } from "../../drill/report";
import { type Operation, operations, placeOperations, type Verdict } from "./cells";
import type { Cell, Reached } from "./matrix";

/** A run of the attack. */
export interface AttackReport {
  result: "pass" | "fail";
  /** Why it failed; absent when it passed. */
  failure?: string;
  /** ISO-8601, UTC. */
  startedAt: string;
  seconds: number;
  /** `refused` is who was known and refused; `anonymous`, who came without credentials and was. */
  counts: { cells: number; principals: number; places: number; differing: number; anonymous: number } & Record<
    Verdict,
    number
  >;
  /** Who wiped what; null: it did not come to that. */
  wiped: { objects: number; buckets: Reached[] } | null;
  /** What came back of it from what could not be reached. */
  restored: { rows: number; documents: number; digestsMatch: boolean; media: number } | null;
  phases: PhaseTime[];
  rows: Cell[];
}

const atPlaces: ReadonlySet<Operation> = new Set(placeOperations);

/** Counts of cells. */
export function countsOf(cells: readonly Cell[]): AttackReport["counts"] {
  const of = (verdict: Verdict) => cells.filter(({ measured }) => measured === verdict).length;
  const anonymous = cells.filter((cell) => cell.anonymous && cell.measured === "refused").length;
  return {
    cells: cells.length,
    principals: new Set(cells.map(({ principal }) => principal)).size,
    places: new Set(cells.flatMap(({ place, operation }) => (atPlaces.has(operation) ? [place] : []))).size,
    differing: cells.filter(({ pass }) => !pass).length,
    allowed: of("allowed"),
    refused: of("refused") - anonymous,
    anonymous,
    protected: of("protected"),
  };
}

/** A role's name alone, an account with its project. */
const short = (principal: string): string =>
  principal.replace(/^arn:aws:iam::\d+:role\//, "aws: ").replace(/\.iam\.gserviceaccount\.com$/, "");

/** Cells by principal, in the order they came. */
function byPrincipal(cells: readonly Cell[]): Map<string, Cell[]> {
  const found = new Map<string, Cell[]>();
  for (const cell of cells) found.set(cell.principal, [...(found.get(cell.principal) ?? []), cell]);
  return found;
}

/** What somebody may where, e.g. `gs://b/: list read`. Places that allow the same are told together. */
export function mayOf(cells: readonly Cell[]): string[] {
  const places = new Map<string, Operation[]>();
  for (const { place, operation, measured } of cells)
    if (measured !== "refused") places.set(place, [...(places.get(place) ?? []), operation]);
  const same = new Map<string, string[]>();
  for (const [place, may] of places) {
    const kept = cells.filter((cell) => cell.place === place && cell.measured === "protected").map((c) => c.operation);
    const words = operations
      .filter((each) => may.includes(each))
      .map((each) => (kept.includes(each) ? `(${each})` : each))
      .join(", ");
    same.set(words, [...(same.get(words) ?? []), place]);
  }
  return [...same].map(([words, of]) => `${words}: ${of.join(" ")}`);
}

/** The closing lines: a summary by identity, then every cell that differs. */
export function attackTable(report: AttackReport): string {
  const table = new Table({
    head: ["identity", "attempts", "allowed", "protected", "refused", "anonymous", "differ"],
    colAligns: ["left", "right", "right", "right", "right", "right", "right"],
    style: { head: [], border: [] },
  });
  for (const [principal, cells] of byPrincipal(report.rows)) {
    const { cells: all, allowed, protected: kept, refused, anonymous, differing } = countsOf(cells);
    const name = `${differing === 0 ? "✔" : "✘"} ${short(principal)}`;
    table.push([name, all, allowed, kept, refused, anonymous, differing]);
  }
  const differing = report.rows
    .filter(({ pass }) => !pass)
    .map(
      ({ principal, place, operation, expected, measured, status, said }) =>
        `✘ ${short(principal)}: ${operation} at ${place} is ${measured} (${status}), the plan says ${expected}${said ? `: ${said}` : ""}`,
    );
  return [table.toString(), ...differing, ...verdict(report)].join("\n");
}

function verdict({ result, failure, counts, wiped, restored }: AttackReport): string[] {
  const { cells, principals, places, allowed, refused, anonymous, protected: kept } = counts;
  return [
    `attempts   ${cells} by ${principals} identities at ${places} places: ${refused} refused by name, ${anonymous} without credentials, ${kept} kept by retention, ${allowed} allowed as the plan says`,
    ...(wiped
      ? [
          `wiped      ${wiped.objects} objects and versions: ${wiped.buckets.map(({ bucket, by }) => `${bucket} by ${short(by)}`).join(", ")}`,
        ]
      : []),
    ...(restored
      ? [
          `restored   ${restored.rows} rows, ${restored.documents} documents, ${restored.digestsMatch ? "digests match" : "DIGESTS DIFFER"}; ${restored.media} media`,
        ]
      : []),
    result === "pass" ? "PASS" : `FAIL       ${failure}`,
  ];
}

/** The page of the docs. */
export function attackPage(report: AttackReport): string {
  const { counts, wiped, restored, startedAt, seconds, rows } = report;
  const row = ([principal, cells]: [string, Cell[]]) =>
    `| ${short(principal)} | ${cells.length} | ${mayOf(cells).join("; ") || "nothing"} |`;
  return [
    "# Who reaches what, tried",
    "",
    `Measured on the local cloud on ${startedAt.slice(0, 10)} by \`make attack\` in ${Math.round(seconds)} s; \`--page\` writes this page. Every identity that a stack`,
    `makes or names tries ${placeOperations.length} things at every bucket, with credentials of its own: ${placeOperations.join(", ")}. Each asks as well for the`,
    "token of everybody else of its cloud, and each Kubernetes account of the standby exchanges its own at the pools that trust the cluster. To buckets of the other cloud everybody comes without credentials, as anybody could. Before that each asks its cloud who it is: a token that nobody knows would be refused everywhere. What the answer has to be is derived from",
    "the identities of the plan (`plan/identities.ts`), what it is comes from the storages, after `pulumi up` of every stack.",
    "",
    `**${counts.cells} attempts** by ${counts.principals} identities at ${counts.places} places: ${counts.refused} were refused by name, ${counts.anonymous} as anybody without credentials, ${counts.protected} were kept from by a retention`,
    `(in brackets below), ${counts.allowed} were allowed; ${counts.differing} differed from the plan.`,
    "",
    ...(wiped && restored
      ? [
          `Then the strongest identities of production emptied what they reach, policies and soft delete first where they could: ${wiped.objects} objects and versions in`,
          `${wiped.buckets.map(({ bucket, by }) => `\`${bucket}\` (${short(by)})`).join(", ")}. The next night followed none of it. With the site's clusters lost as well, a fresh stack brought`,
          `${restored.rows} rows and ${restored.documents} documents back from the second copies (${restored.digestsMatch ? "digests match" : "digests differ"}), and a restore brought all ${restored.media} media back.`,
          "",
        ]
      : []),
    "| identity | attempts | what it may |",
    "| --- | --: | --- |",
    ...[...byPrincipal(rows)].map(row),
    "",
  ].join("\n");
}
