/** A list of API objects that is kept current, whatever happens to the connection. */
import {
  type KubeConfig,
  type KubernetesListObject,
  type KubernetesObject,
  makeInformer,
} from "@kubernetes/client-node";

/** Objects of one path, as the API server has them now. */
export interface Watched<T> {
  list(): readonly T[];
  stop(): Promise<void>;
}

/** Pause before a broken watch is opened again. */
const RETRY_MS = 500;

/** Lists and watches `path` and calls `onChange` after each change with the object that changed. Resolves after the first list. */
export async function watchAll<T extends KubernetesObject>(
  config: KubeConfig,
  path: string,
  list: () => Promise<KubernetesListObject<T>>,
  onChange: (object: T, gone: boolean) => void,
): Promise<Watched<T>> {
  const informer = makeInformer<T>(config, path, list);
  let stopped = false;
  informer.on("add", (object) => onChange(object, false));
  informer.on("update", (object) => onChange(object, false));
  informer.on("delete", (object) => onChange(object, true));
  informer.on("error", () => {
    if (!stopped) setTimeout(() => void informer.start().catch(() => undefined), RETRY_MS).unref();
  });
  await informer.start();
  return {
    list: () => informer.list(),
    stop: async () => {
      stopped = true;
      await informer.stop();
    },
  };
}
