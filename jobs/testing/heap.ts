/** Runs code under a heap limit, to show that memory does not grow with what it is given. */
import { Worker } from "node:worker_threads";
import { build } from "esbuild";

/**
 * Runs a module as a worker of its own with a small heap.
 * @param entry full path of a module whose default export takes `input` and may answer with a promise
 * @returns what it answered. @throws when it failed; the code is ERR_WORKER_OUT_OF_MEMORY when the heap was not enough
 */
export async function underHeapLimit<T>(entry: string, input: unknown, megabytes: number): Promise<T> {
  const contents = `import run from ${JSON.stringify(entry)};
    import { parentPort, workerData } from "node:worker_threads";
    void Promise.resolve(run(workerData)).then((answer) => parentPort.postMessage(answer));`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: __dirname },
    bundle: true,
    platform: "node",
    write: false,
  });
  const worker = new Worker(outputFiles[0]!.text, {
    eval: true,
    workerData: input,
    resourceLimits: { maxOldGenerationSizeMb: megabytes, maxYoungGenerationSizeMb: 8 },
  });
  try {
    return await new Promise<T>((resolve, reject) => {
      worker.once("message", resolve).once("error", reject);
    });
  } finally {
    await worker.terminate();
  }
}
