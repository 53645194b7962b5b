/** Access to an API server as an operator or a kubelet has it: many requests over a few connections. */
import { Agent, type AgentOptions } from "node:https";
import { KubeConfig, type RequestContext } from "@kubernetes/client-node";

/** A configuration whose requests share connections; the library's own opens one for each, which costs more than the request. */
export class SharedConnections extends KubeConfig {
  private agent?: Agent;

  override async applySecurityAuthentication(context: RequestContext): Promise<void> {
    await super.applySecurityAuthentication(context);
    const { options } = context.getAgent() as { options: AgentOptions };
    this.agent ??= new Agent({ ...options, keepAlive: true });
    context.setAgent(this.agent);
  }
}

/** The current context of a kubeconfig. @throws when the text is none */
export function kubeConfigOf(kubeconfig: string): KubeConfig {
  const config = new SharedConnections();
  config.loadFromString(kubeconfig);
  return config;
}
