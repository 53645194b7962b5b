/** The runtime options of Pulumi.yaml and PulumiPolicy.yaml that concern how Node.js is started. */
import type { ProgramInfo } from "@pulumi/pulumi/proto/language_pb";

/** `runtime.options` of a project, checked. */
export interface RuntimeOptions {
  /** Whether Pulumi compiles TypeScript by itself (with ts-node); undefined when the project says nothing. */
  typescript?: boolean;
  /** Arguments for node. */
  nodeargs: string[];
  /** Another tsconfig.json for Pulumi's own compilation. */
  tsconfig?: string;
}

/** Options of Pulumi's own host that change nothing here: programs run with the installed packages as they are. */
const ignored = new Set(["packagemanager"]);

/** Reads the options the engine sends; rejects what this host would otherwise silently not do. */
export function runtimeOptions(info: ProgramInfo | undefined): RuntimeOptions {
  const options: RuntimeOptions = { nodeargs: [] };
  for (const [name, value] of Object.entries(info?.getOptions()?.toJavaScript() ?? {})) {
    if (name === "typescript" && typeof value === "boolean") options.typescript = value;
    else if (name === "nodeargs" && typeof value === "string") options.nodeargs = splitArguments(value);
    else if (name === "tsconfig" && typeof value === "string") options.tsconfig = value;
    else if (!ignored.has(name)) {
      throw new Error(
        `Runtime option ${name}: ${JSON.stringify(value)} is not understood; ` +
          "allowed are typescript (true or false), nodeargs (text) and tsconfig (path)",
      );
    }
  }
  return options;
}

/** Splits as a shell does: at white space outside quotes. */
export function splitArguments(text: string): string[] {
  const words = text.match(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g) ?? [];
  return words.map((word) => word.replace(/"([^"]*)"|'([^']*)'/g, (_all, double, single) => double ?? single));
}
