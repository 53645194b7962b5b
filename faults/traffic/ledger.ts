/** What the loads of one row were answered: every request in a file, every acknowledged write to be looked for afterwards. */
import { createWriteStream, mkdirSync, type WriteStream } from "node:fs";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import type { Group } from "../run";
import type { Acknowledged } from "./findings";
import { type Answered, Load, type LoadOptions, succeeded } from "./load";
import type { Entry, TrafficStage } from "./stage";

/** Not among the logs of a failed drill: those are emptied whenever a stage does not come up. */
const REQUESTS = join(__dirname, "..", "..", "reports", "latest", "requests");
/** Requests that a row's file takes, three times what the longest row sends; how many more there were is its last line. */
const MOST = 100_000;

/** Of one row. */
export class Ledger {
  /** Every write that was answered well, of whatever load: one that warms up and one that was begun anew as well. */
  readonly acknowledged: Acknowledged[] = [];
  private taken = 0;

  /** @param file takes a line of JSON for each request; absent: nobody wants to read them */
  constructor(private readonly file?: WriteStream) {}

  /** Hears of one request of users near a region. */
  take(answer: Answered, from: string): void {
    const { at, ms, writes, region } = answer;
    if (writes && succeeded(answer)) this.acknowledged.push({ id: writes, at, answeredAt: at + ms, by: region });
    if (++this.taken > MOST) return;
    const line = { ...answer, at: new Date(at).toISOString(), ms: Math.round(ms), from, ok: succeeded(answer) };
    this.file?.write(`${JSON.stringify(line)}\n`);
  }

  /** Ends the file. */
  async close(): Promise<void> {
    if (!this.file) return;
    if (this.taken > MOST) this.file.write(`${JSON.stringify({ leftOut: this.taken - MOST })}\n`);
    this.file.end();
    await finished(this.file);
  }
}

/** By the way in, which copies of a stage share. */
const ledgers = new WeakMap<Entry, Ledger>();

/** What was answered in the row that runs on a stage. A row that runs outside a group has no file. */
export function ledgerOf({ entry }: TrafficStage): Ledger {
  const ledger = ledgers.get(entry) ?? new Ledger();
  ledgers.set(entry, ledger);
  return ledger;
}

/** Begins a load that the row's ledger hears of. Loads of rows begin here: what another one wrote, nobody would look for. */
export function loadOn(stage: TrafficStage, options: LoadOptions): Load {
  const ledger = ledgerOf(stage);
  return Load.start(stage.entry, options, (answer) => ledger.take(answer, options.from));
}

/** A group whose rows have a ledger each, in the folder as `ROW.jsonl`. */
export function recorded<Stage extends TrafficStage>(group: Group<Stage>, folder = REQUESTS): Group<Stage> {
  return {
    ...group,
    faults: group.faults.map((fault) => ({
      ...fault,
      inject: async (stage) => {
        mkdirSync(folder, { recursive: true });
        const ledger = new Ledger(createWriteStream(join(folder, `${fault.id}.jsonl`)));
        ledgers.set(stage.entry, ledger);
        try {
          return await fault.inject(stage);
        } finally {
          ledgers.delete(stage.entry);
          await ledger.close();
        }
      },
    })),
  };
}
