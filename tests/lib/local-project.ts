/**
 * The repository's own programs under the real engine and the sandbox's providers, against a control plane in this
 * process: its clusters and objects are in memory, so that whole lives of stacks without clusters take seconds.
 */
import { spawn } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parse, stringify } from "yaml";
import { serveControl } from "../../sandbox/cloud/server";
import { testCloud } from "../../sandbox/cloud/testing";
import { providerBin } from "../../sandbox/providers/build";
import { loadTools } from "../../sandbox/toolchain";

const ROOT = join(__dirname, "..", "..");

/** How a command of Pulumi ended. */
export interface Ended {
  code: number | null;
  /** Both outputs, as they came. */
  text: string;
  /** Standard output alone. */
  stdout: string;
  seconds: number;
}

/** A folder that is a Pulumi project, with a backend and a cloud of its own. */
export class LocalProject {
  readonly folder = mkdtempSync(join(tmpdir(), "local-project-"));
  readonly state = join(this.folder, "state");
  readonly cloud = testCloud();
  private readonly socket = join(this.folder, "control.sock");
  private readonly tools = loadTools();
  private server: Server | undefined;

  /** @param program text of the program; absent: the repository's own programs */
  static async open(program?: string): Promise<LocalProject> {
    const project = new LocalProject();
    const { folder } = project;
    for (const name of ["state", "home"]) mkdirSync(join(folder, name));
    for (const name of ["node_modules", "package.json", "tsconfig.json"])
      symlinkSync(join(ROOT, name), join(folder, name));
    if (program === undefined) {
      copyFileSync(join(ROOT, "Pulumi.yaml"), join(folder, "Pulumi.yaml"));
      for (const name of ["stacks", "policies", "recovery"]) symlinkSync(join(ROOT, name), join(folder, name));
    } else {
      project.write(program);
      const runtime = { name: "nodejs", options: { typescript: false, nodeargs: "--import tsx" } };
      writeFileSync(join(folder, "Pulumi.yaml"), stringify({ name: "local", runtime }));
    }
    project.server = await serveControl(project.socket, project.cloud.control, {
      token: async (email) => ({ accessToken: email, expiresAt: new Date(Date.now() + 3600_000).toISOString() }),
      healthChecks: () => [],
      forward: () => undefined,
      eksToken: async () => Promise.reject(new Error("there is no AWS here")),
      awsCredentials: async () => Promise.reject(new Error("there is no AWS here")),
      moveClock: async () => project.cloud.control.now(),
      status: () => ({
        pid: process.pid,
        storageEndpoint: "",
        s3Endpoint: "",
        s3PlainEndpoint: "",
        stsEndpoint: "",
        googleEndpoint: "",
        dnsEndpoint: "",
        proxyEndpoint: "",
        clusters: [],
        resources: project.cloud.control.size,
      }),
      stop: async () => undefined,
    });
    return project;
  }

  /** Replaces the program of a project that has one of its own. */
  write(program: string): void {
    writeFileSync(join(this.folder, "index.ts"), program);
  }

  /** Ends the cloud and removes everything. */
  close(): void {
    this.server?.closeAllConnections();
    this.server?.close();
    this.cloud.end();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Makes a stack with this configuration (keys without namespace). */
  async init(stack: string, config: Record<string, unknown> = {}): Promise<void> {
    await this.succeed("stack", "init", stack);
    this.configure(stack, config);
  }

  /** Replaces a stack's configuration. */
  configure(stack: string, config: Record<string, unknown>): void {
    const values = Object.fromEntries(
      Object.entries(config).map(([key, value]) => [key.includes(":") ? key : `iconik-dr:${key}`, value]),
    );
    const path = join(this.folder, `Pulumi.${stack}.yaml`);
    // The salt that `stack init` wrote stays.
    const settings = existsSync(path) ? (parse(readFileSync(path, "utf8")) ?? {}) : {};
    writeFileSync(path, stringify({ ...settings, config: values }));
  }

  /** Runs a command of Pulumi; `onStart` gets its process id. */
  run(args: string[], onStart?: (pid: number) => void): Promise<Ended> {
    return this.start(this.tools.pulumi, ["--non-interactive", "--color", "never", ...args], {}, onStart);
  }

  /** Runs lines of a runbook as somebody would who answers yes. @throws when one of them fails */
  async script(lines: string, variables: Record<string, string>): Promise<string> {
    const env = { ...variables, PULUMI_SKIP_CONFIRMATIONS: "true" };
    const { code, text } = await this.start("bash", ["-euo", "pipefail", "-c", lines], env);
    if (code !== 0) throw new Error(`these lines ended with ${code}:\n${lines}\n${text}`);
    return text;
  }

  private start(
    program: string,
    args: string[],
    more: Record<string, string>,
    onStart?: (pid: number) => void,
  ): Promise<Ended> {
    const began = performance.now();
    const child = spawn(program, args, {
      cwd: this.folder,
      env: {
        ...process.env,
        ...more,
        PATH: [providerBin, this.tools.languageHost, dirname(this.tools.pulumi), process.env.PATH]
          .filter(Boolean)
          .join(":"),
        PULUMI_BACKEND_URL: `file://${this.state}?metadata=skip`,
        PULUMI_CONFIG_PASSPHRASE: "test",
        PULUMI_HOME: join(this.folder, "home"),
        PULUMI_SKIP_UPDATE_CHECK: "true",
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        SANDBOX_SOCKET: this.socket,
        OP_SERVICE_ACCOUNT_TOKEN: "token",
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    if (child.pid !== undefined) onStart?.(child.pid);
    let text = "";
    let stdout = "";
    child.stdout.on("data", (chunk) => {
      text += chunk;
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      text += chunk;
    });
    return new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) => resolve({ code, text, stdout, seconds: (performance.now() - began) / 1000 }));
    });
  }

  /** Runs a command that has to succeed; its standard output. */
  async succeed(...args: string[]): Promise<string> {
    const ended = await this.run(args);
    if (ended.code !== 0) throw new Error(`pulumi ${args.join(" ")} ended with ${ended.code}\n${ended.text}`);
    return ended.stdout;
  }

  /** Runs a command that has to fail; everything that it printed. */
  async refuse(...args: string[]): Promise<string> {
    const ended = await this.run(args);
    if (ended.code === 0) throw new Error(`pulumi ${args.join(" ")} was not refused\n${ended.text}`);
    return ended.text;
  }
}
