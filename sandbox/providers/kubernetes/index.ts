/** The Kubernetes provider of the sandbox. */
import { KubernetesProvider } from "./provider";

export { KubernetesProvider } from "./provider";

/** A provider for {@link ../server}; it is configured by the engine. */
export const kubernetesProvider = (): KubernetesProvider => new KubernetesProvider();
