/** The worker: brings what has changed into the region's own search index, again and again. */
import { cassandra } from "./cassandra";
import { serve } from "./http";
import { Indexer } from "./indexer";
import { log } from "./log";
import { search } from "./search";
import type { StoreSettings } from "./settings";

/** A worker that got nothing done for this many rounds is restarted. */
const ROUNDS = 60;

/**
 * Works until it is told to end. A new worker, and one that has failed, goes through the older minutes without a pause: the index of a
 * restored site lags behind its tables. After that each round looks at some of them.
 */
export async function worker(options: StoreSettings & { INTERVAL_SECONDS: number }): Promise<void> {
  const indexer = new Indexer(await cassandra(options), await search(options));
  const interval = options.INTERVAL_SECONDS * 1000;
  let done = Date.now();
  const late = () => Date.now() - done > ROUNDS * interval;
  await serve(
    [["GET", /^\/livez$/, async () => (late() ? { status: 503, body: "no round" } : { status: 200, body: "ok" })]],
    options,
  );
  for (let caughtUp = false; ; ) {
    let failed = false;
    try {
      const recent = await indexer.recent(new Date());
      const { indexed, whole } = await indexer.older(new Date());
      if (recent + indexed > 0) log({ indexed: recent + indexed });
      caughtUp ||= whole;
      done = Date.now();
    } catch (error) {
      log({ error: (error as Error).message });
      indexer.again();
      [caughtUp, failed] = [false, true];
    }
    if (caughtUp || failed) await new Promise((resolve) => setTimeout(resolve, interval));
  }
}
