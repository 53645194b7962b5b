/** The sandbox's command line: starts and ends the local cloud, prints its environment, makes its faults. */
import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { ControlClient, type Fault, faultStates, type Status } from "./cloud/api";
import { projectNumber } from "./cloud/gcp/federation";
import { buildImages } from "./config";
import { behindProxy, daemonLog, environment, PROJECT_ROOT, sandboxDir, socketOf } from "./environment";
import { reapLeftovers, sleep } from "./lib/process";
import { buildProviders } from "./providers/build";
import { ensureTools, loadTools } from "./toolchain";

const START_TIMEOUT_MS = 180_000;

const dir = sandboxDir();
const client = new ControlClient(socketOf(dir));

/** The daemon's status, or undefined when none listens. */
const running = (): Promise<Status | undefined> => client.status().catch(() => undefined);

async function up(options: { fresh?: boolean }): Promise<void> {
  const started = await running();
  if (started && !options.fresh) {
    console.log(`the sandbox runs already (process ${started.pid})`);
    return;
  }
  await ensureTools((line) => console.log(line));
  // Clusters do not outlive their daemon, so what an earlier one left cannot be taken up again.
  await remove();
  await buildProviders();
  await buildImages();
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const log = openSync(daemonLog(dir), "a");
  const daemon = spawn(process.execPath, ["--import", "tsx", join(PROJECT_ROOT, "sandbox", "daemon.ts")], {
    cwd: PROJECT_ROOT,
    env: { ...process.env, SANDBOX_DIR: dir },
    detached: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  daemon.unref();
  let ended = false;
  daemon.once("exit", () => {
    ended = true;
  });
  for (const deadline = Date.now() + START_TIMEOUT_MS; !(await running()); await sleep(100)) {
    if (ended || Date.now() > deadline)
      throw new Error(`the sandbox did not start; ${daemonLog(dir)} ends with\n${lastLines(daemonLog(dir), 15)}`);
  }
  console.log(`the sandbox runs (process ${daemon.pid}); eval "$(make -s env)" points pulumi to it`);
}

/** Ends the daemon if one runs, kills what a crashed one left, removes all state. */
async function remove(): Promise<void> {
  await end();
  rmSync(dir, { recursive: true, force: true });
}

async function end(): Promise<void> {
  const status = await running();
  if (status) {
    await client.stop();
    for (let tries = 0; tries < 300 && existsSync(`/proc/${status.pid}`); tries++) await sleep(100);
  }
  if (existsSync(dir)) await reapLeftovers(dir);
  if (existsSync(socketOf(dir))) unlinkSync(socketOf(dir));
}

async function printEnvironment(options: { json?: boolean; proxy?: boolean }): Promise<void> {
  const status = await client.status();
  const values = {
    ...environment(dir, loadTools(), status),
    ...(options.proxy && behindProxy(dir, status, await client.traffic())),
  };
  if (options.json) console.log(JSON.stringify(values));
  else for (const [key, value] of Object.entries(values)) console.log(`export ${key}=${quoted(value)}`);
}

const quoted = (value: string) => `'${value.replaceAll("'", "'\\''")}'`;

async function makeFault(kind: string, target: string, state: string): Promise<void> {
  const states = (faultStates as Record<string, readonly string[]>)[kind];
  if (!states?.includes(state)) {
    const choices = Object.entries(faultStates).map(([name, each]) => `${name} NAME ${each.join("|")}`);
    throw new Error(`"${kind} ${target} ${state}" is no fault; allowed: ${choices.join(", ")}`);
  }
  await client.fault({ kind, target, state } as Fault);
}

function lastLines(path: string, count: number): string {
  return existsSync(path) ? readFileSync(path, "utf8").trimEnd().split("\n").slice(-count).join("\n") : "";
}

const program = new Command("sandbox").description("the local cloud");
program
  .command("up")
  .description("start it; nothing happens when it runs")
  .option("--fresh", "end a running one first")
  .action(up);
program
  .command("down")
  .description("end it")
  .option("--purge", "remove its state too")
  .action((options) => (options.purge ? remove() : end()));
program
  .command("env")
  .description("print the environment for pulumi")
  .option("--json", "as JSON")
  .option("--proxy", "as where public addresses are reached through a proxy alone")
  .action(printEnvironment);
program
  .command("status")
  .description("what runs")
  .action(async () => console.log(JSON.stringify(await client.status(), null, 2)));
program
  .command("traffic")
  .description("front ends, where they answer here, and whom their health checks find healthy")
  .action(async () => console.log(JSON.stringify(await client.traffic(), null, 2)));
program
  .command("token <email>")
  .description("an access token of a service account, as somebody who took it over would have")
  .action(async (email) => console.log((await client.token(email)).accessToken));
program
  .command("health-checks")
  .description("states of Route 53's health checks")
  .action(async () => console.log(JSON.stringify(await client.healthChecks(), null, 2)));
program
  .command("locate <address> <port>")
  .description("what stands for a public address and port on this machine")
  .action(async (address, port) => console.log(JSON.stringify(await client.locate(address, Number(port)))));
program
  .command("project-number <project>")
  .description("the number that a project of Google Cloud has here")
  .action((project) => console.log(projectNumber(project)));
program
  .command("aws-credentials <roleArn>")
  .description("credentials of a role of AWS, as somebody who took it over would have, as environment variables")
  .action(async (roleArn) => {
    const { accessKeyId, secretAccessKey, sessionToken } = await client.awsCredentials(roleArn);
    console.log(`export AWS_ACCESS_KEY_ID=${quoted(accessKeyId)}`);
    console.log(`export AWS_SECRET_ACCESS_KEY=${quoted(secretAccessKey)}`);
    console.log(`export AWS_SESSION_TOKEN=${quoted(sessionToken)}`);
  });
program
  .command("fault <kind> <target> <state>")
  .description(
    Object.entries(faultStates)
      .map(([kind, states]) => `${kind} NAME ${states.join("|")}`)
      .join(", "),
  )
  .action(makeFault);

program
  .command("clock <days>")
  .description("move the cloud's clock forward by days; it never goes back. Clusters and tokens keep real time")
  .action(async (days) => console.log((await client.moveClock(Number(days) * 24 * 3600)).toISOString()));

program.parseAsync().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
