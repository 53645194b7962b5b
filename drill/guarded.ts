/** Work that ends in time, or is ended and says why. */
import { killChildren } from "./kill-tree";

/** How long an update that was interrupted may take to say what it waited for, in minutes. */
const LAST_WORDS_MINUTES = 1.5;

/**
 * Waits for work, and no longer than the limit: an update that hangs is interrupted, says what it waited for, and is ended with
 * all that it started. What fails meanwhile in this process and nobody waits for fails the work too: it would end the drill
 * without a word, and leave its cloud running.
 * @param minutes the limit
 * @param patience minutes that an interrupted update has to end
 * @throws what the work throws; of late work after the words that it is late
 */
export async function guarded(work: Promise<void>, minutes: number, patience = LAST_WORDS_MINUTES): Promise<void> {
  let fail = (_: Error) => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const unforeseen = (error: Error) => fail(new Error(`nobody waited for what failed: ${error?.stack ?? error}`));
  const late = `it did not end within ${minutes} minutes`;
  let overdue = false;
  const end = () => {
    killChildren("pulumi");
    fail(new Error(late));
  };
  let timer = setTimeout(() => {
    overdue = true;
    const hears = killChildren("pulumi", "SIGINT") > 0;
    timer = setTimeout(end, hears ? patience * 60_000 : 0);
  }, minutes * 60_000);
  process.on("uncaughtException", unforeseen);
  try {
    await Promise.race([work, failed]);
    if (overdue) throw new Error("it ended when it was interrupted");
  } catch (error) {
    throw overdue && (error as Error).message !== late ? new Error(`${late}; ${(error as Error).message}`) : error;
  } finally {
    clearTimeout(timer);
    process.off("uncaughtException", unforeseen);
  }
}
