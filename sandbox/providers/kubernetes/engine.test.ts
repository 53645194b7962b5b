/** The provider as a plugin of the real Pulumi, with credentials from an `exec` plugin, against a real API server. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { parse, stringify } from "yaml";
import { loadTools } from "../../toolchain";
import { providerBin } from "../build";
import { configMap, startCluster, type TestCluster } from "./testing";

const tools = loadTools();
const folder = mkdtempSync(join(tmpdir(), "kubernetes-engine-"));
let cluster: TestCluster;

before(async () => {
  cluster = await startCluster();
  for (const name of ["state", "bin", "crds"]) mkdirSync(join(folder, name));
  symlinkSync(join(__dirname, "..", "..", "..", "node_modules"), join(folder, "node_modules"));
  const runtime = { name: "nodejs", options: { typescript: false, nodeargs: "--import tsx" } };
  writeFileSync(join(folder, "Pulumi.yaml"), stringify({ name: "engine", runtime }));
  writeFileSync(join(folder, "index.ts"), PROGRAM);
  writeFileSync(join(folder, "kubeconfig.json"), execKubeconfig());
  await succeed("stack", "init", "dev");
});
after(async () => {
  await cluster.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The namespace, the chart's kind and the objects in them all come in one update. */
const PROGRAM = `
import { readFileSync } from "node:fs";
import * as k8s from "@pulumi/kubernetes";
import { Config, secret } from "@pulumi/pulumi";
const config = new Config();
const provider = new k8s.Provider("cluster", { kubeconfig: readFileSync("kubeconfig.json", "utf8") });
const namespace = new k8s.core.v1.Namespace("jobs", { metadata: { name: "jobs" } }, { provider });
const inside = { provider, dependsOn: namespace };
new k8s.core.v1.Secret("token", { metadata: { namespace: "jobs" }, stringData: { token: secret("hush-hush") } }, inside);
const secrets = new k8s.helm.v3.Release("external-secrets",
  { chart: "oci://registry.example/external-secrets", version: "1.0.0", namespace: "jobs" }, inside);
new k8s.apiextensions.CustomResource("store", {
  apiVersion: "external-secrets.io/v1", kind: "SecretStore", metadata: { namespace: "jobs" },
  spec: { provider: { fake: { data: [{ key: "a", value: "b" }] } } } }, { provider, dependsOn: secrets });
const job = new k8s.batch.v1.CronJob("nightly", { metadata: { name: "nightly", namespace: "jobs" }, spec: {
  schedule: config.get("schedule") ?? "0 1 * * *", ...config.getObject<object>("more"),
  jobTemplate: { spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "a", image: "b" }] } } } } } }, inside);
export const uid = job.metadata.uid;
export const schedule = job.spec.schedule;
`;

/** The cluster's kubeconfig with its token behind a credential plugin found on PATH. */
function execKubeconfig(): string {
  const config = parse(cluster.kubeconfig);
  const status = { token: config.users[0].user.token };
  const credential = JSON.stringify({ apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential", status });
  writeFileSync(join(folder, "bin", "print-credential"), `#!/bin/sh\ncat <<'END'\n${credential}\nEND\n`, {
    mode: 0o755,
  });
  config.users[0].user = {
    exec: { apiVersion: "client.authentication.k8s.io/v1", command: "print-credential", interactiveMode: "Never" },
  };
  return JSON.stringify(config);
}

function pulumi(...args: string[]): Promise<{ code: number | null; text: string }> {
  const child = spawn(tools.pulumi, ["--non-interactive", ...args], {
    cwd: folder,
    env: {
      ...process.env,
      PATH: [join(folder, "bin"), providerBin, tools.languageHost, process.env.PATH].join(":"),
      PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "test",
      PULUMI_HOME: join(folder, "home"),
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      SANDBOX_CRDS: join(folder, "crds"),
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, text })));
}

async function succeed(...args: string[]): Promise<string> {
  const { code, text } = await pulumi(...args);
  assert.equal(code, 0, text);
  return text;
}

async function output(name: string): Promise<string> {
  return (await succeed("stack", "output", name)).trim();
}

test("up, up again without a change, a change in place, a wrong field, drift and destroy", async () => {
  await succeed("preview");
  await succeed("up", "--yes", "--skip-preview");
  assert.match(await output("uid"), /^[0-9a-f-]{36}$/);
  const state = readFileSync(join(folder, "state/.pulumi/stacks/engine/dev.json"), "utf8");
  for (const leaked of ["hush-hush", Buffer.from("hush-hush").toString("base64")]) {
    assert.ok(!state.includes(leaked), `${leaked} is readable in the state`);
  }
  await succeed("up", "--yes", "--skip-preview", "--expect-no-changes");
  await succeed("refresh", "--yes", "--skip-preview", "--expect-no-changes");

  await succeed("config", "set", "schedule", "0 2 * * *");
  const uid = await output("uid");
  assert.match(await succeed("preview"), /1 to update/);
  await succeed("up", "--yes", "--skip-preview");
  assert.deepEqual([await output("schedule"), await output("uid")], ["0 2 * * *", uid]);

  await succeed("config", "set", "--path", "more.concurencyPolicy", "Forbid");
  const refused = await pulumi("preview");
  assert.notEqual(refused.code, 0);
  assert.match(refused.text, /concurencyPolicy/);
  await succeed("config", "rm", "more");

  await succeed("destroy", "--yes", "--skip-preview");
  const job = { ...configMap("nightly", "jobs"), apiVersion: "batch/v1", kind: "CronJob" };
  assert.equal(await cluster.rest.get(job), undefined);
});
