/** Runs a Pulumi program: node with the SDK's `cmd/run`, which registers the program's resources with the engine. */
import { type RunRequest, RunResponse } from "@pulumi/pulumi/proto/language_pb";
import { type Exit, exitOf, resolveFrom, startNode } from "./node-process";
import { type RuntimeOptions, runtimeOptions } from "./options";

/** With this code the SDK says that it has already shown the error: nothing is left to report. */
const alreadyReported = 32;

/** Runs the program to its end. `cancelled` is aborted when the engine no longer wants the answer. */
export async function runProgram(request: RunRequest, engine: string, cancelled: AbortSignal): Promise<RunResponse> {
  const info = request.getInfo();
  if (!info) throw new Error("The engine sent no program information; Pulumi 3.200 or later is needed");
  const options = runtimeOptions(info);
  const child = startNode(
    [
      ...options.nodeargs,
      resolveFrom(info.getProgramDirectory(), "@pulumi/pulumi/cmd/run"),
      ...flags(request, info.getRootDirectory(), engine),
      info.getEntryPoint(),
      ...request.getArgsList(),
    ],
    {
      cwd: request.getPwd(),
      env: { ...process.env, ...environment(request, options) },
      // The engine shows what this host prints after its port, so the program may print right there.
      stdio: ["ignore", "inherit", "inherit"],
      signal: cancelled,
      killSignal: "SIGTERM",
    },
  );
  return response(await exitOf(child));
}

function flags(request: RunRequest, root: string, engine: string): string[] {
  const given = {
    monitor: request.getMonitorAddress(),
    engine,
    organization: request.getOrganization(),
    project: request.getProject(),
    stack: request.getStack(),
    pwd: request.getPwd(),
    "root-directory": root,
    parallel: `${request.getParallel()}`,
  };
  const texts = Object.entries(given).flatMap(([name, value]) => (value ? [`--${name}=${value}`] : []));
  return request.getDryrun() ? [...texts, "--dry-run"] : texts;
}

function environment(request: RunRequest, options: RuntimeOptions): Record<string, string> {
  return {
    PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().toArray())),
    PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
    PULUMI_NODEJS_TYPESCRIPT: `${options.typescript ?? true}`,
    ...(options.tsconfig ? { PULUMI_NODEJS_TSCONFIG_PATH: options.tsconfig } : {}),
  };
}

function response(exit: Exit): RunResponse {
  const answer = new RunResponse();
  if ("signal" in exit) answer.setError(`the program was ended by ${exit.signal}`);
  else if (exit.code === alreadyReported) answer.setBail(true);
  else if (exit.code !== 0) answer.setError(`the program exited with non-zero exit code ${exit.code}`);
  return answer;
}
