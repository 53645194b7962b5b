/** The worker: brings what has changed into the region's own search index, again and again. */
import { cassandra } from "./cassandra";
import { serve } from "./http";
import { Indexer, OVERLAP_MS } from "./indexer";
import { log } from "./log";
import { search } from "./search";
import type { StoreSettings } from "./settings";

/** How far a new worker looks back: further than the index of a restored site lags behind its tables. */
const FIRST_LOOK_MS = 24 * 3600_000;
/** A worker that got nothing done for this many rounds is restarted. */
const ROUNDS = 60;

/** Works until it is told to end. A round that fails is repeated with what it missed. */
export async function worker(options: StoreSettings & { INTERVAL_SECONDS: number }): Promise<void> {
  const indexer = new Indexer(await cassandra(options), await search(options));
  const started = Date.now();
  let done: number | undefined;
  const late = () => Date.now() - (done ?? started) > ROUNDS * options.INTERVAL_SECONDS * 1000;
  await serve(
    [["GET", /^\/livez$/, async () => (late() ? { status: 503, body: "no round" } : { status: 200, body: "ok" })]],
    options,
  );
  for (;;) {
    const now = Date.now();
    try {
      const since = done === undefined ? now - FIRST_LOOK_MS : done - OVERLAP_MS;
      const assets = await indexer.round(new Date(since), new Date(now));
      if (assets > 0) log({ indexed: assets });
      done = now;
    } catch (error) {
      log({ error: (error as Error).message });
    }
    await new Promise((resolve) => setTimeout(resolve, options.INTERVAL_SECONDS * 1000));
  }
}
