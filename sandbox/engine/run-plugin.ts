/** Runs a policy pack or a provider written for Node.js and passes its output on, beginning with its port. */
import type { ServerWritableStream } from "@grpc/grpc-js";
import { type RunPluginRequest, RunPluginResponse } from "@pulumi/pulumi/proto/language_pb";
import { exitOf, resolveFrom, startNode, tryResolveFrom } from "./node-process";
import { type RuntimeOptions, runtimeOptions } from "./options";

/** The engine's name for policy packs. */
const policyPack = "analyzer";

/** How node is called for a plugin. */
interface Invocation {
  args: string[];
  cwd: string;
  env: Record<string, string>;
}

/** Runs until the plugin ends or the engine cancels the call, which is how it stops plugins. */
export async function runPlugin(call: ServerWritableStream<RunPluginRequest, RunPluginResponse>): Promise<void> {
  const request = call.request;
  const { args, cwd, env } = invocation(request);
  const cancelled = new AbortController();
  call.on("cancelled", () => cancelled.abort());
  const child = startNode(args, {
    cwd,
    env: { ...process.env, ...Object.fromEntries(request.getEnvList().map(splitVariable)), ...env },
    stdio: ["ignore", "pipe", "pipe"],
    signal: cancelled.signal,
    killSignal: "SIGTERM",
  });
  child.stdout?.on("data", (data: Buffer) => call.write(new RunPluginResponse().setStdout(data)));
  child.stderr?.on("data", (data: Buffer) => call.write(new RunPluginResponse().setStderr(data)));
  const exit = await exitOf(child);
  if (!cancelled.signal.aborted) call.write(new RunPluginResponse().setExitcode("code" in exit ? exit.code : 1));
}

function invocation(request: RunPluginRequest): Invocation {
  const info = request.getInfo();
  if (!info) throw new Error("The engine sent no program information; Pulumi 3.200 or later is needed");
  const folder = info.getProgramDirectory();
  const { nodeargs, env } = compilation(folder, runtimeOptions(info));
  if (request.getKind() === policyPack) {
    const script = resolveFrom(folder, "@pulumi/pulumi/cmd/run-policy-pack");
    // Logging flags come before the engine's address; the script would take the address for the value of one.
    const engine = request.getArgsList().at(-1) ?? "";
    // In its own folder, because a pack reads its version from the package.json where it runs.
    return { args: [...nodeargs, script, engine, "."], cwd: folder, env };
  }
  const script = resolveFrom(folder, "@pulumi/pulumi/cmd/run-plugin");
  return { args: [...nodeargs, script, folder, ...request.getArgsList()], cwd: request.getPwd() || folder, env };
}

/**
 * Pulumi compiles plugins with ts-node and its slow type check, and knows no option against it. A plugin that does not
 * ask for that is run with tsx where it is installed; types are what the repository's own checks are for.
 */
function compilation(folder: string, options: RuntimeOptions): { nodeargs: string[]; env: Record<string, string> } {
  if (options.typescript) return { nodeargs: options.nodeargs, env: {} };
  const loader = options.nodeargs.length === 0 ? tryResolveFrom(folder, "tsx") : undefined;
  if (options.nodeargs.length === 0 && !loader) return { nodeargs: [], env: {} };
  const nodeargs = loader ? ["--import", `file://${loader}`] : options.nodeargs;
  // A pattern that is in every path: ts-node leaves all files to the loader above.
  return { nodeargs, env: { TS_NODE_IGNORE: "/" } };
}

function splitVariable(text: string): [string, string] {
  const at = text.indexOf("=");
  return [text.slice(0, at), text.slice(at + 1)];
}
