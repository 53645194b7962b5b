/** The provider as a plugin of the real Pulumi, with a control plane that keeps resources in memory. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { stringify } from "yaml";
import { CloudError, type CloudResource, type Props } from "../../lib/types";
import { loadTools } from "../../toolchain";
import { providerBin } from "../build";
import { fakeControl } from "../testing";

const PROGRAM = `
import * as gcp from "@pulumi/gcp";
import * as random from "@pulumi/random";
import { Config, secret } from "@pulumi/pulumi";
const config = new Config();
const word = new random.RandomPassword("word", { length: 12 });
const writer = new gcp.serviceaccount.Account("writer", { displayName: config.get("display") ?? "Writer" });
const bucket = new gcp.storage.Bucket("backup",
  { name: "site-backups", location: config.get("location") ?? "EU", labels: { token: secret("hush-hush") } });
new gcp.storage.BucketIAMPolicy("policy", { bucket: bucket.name, policyData: writer.email.apply((email) => {
  if (!email) throw new Error("an email that is not known was handed out");
  return JSON.stringify({ bindings: [{ role: "roles/storage.admin", members: ["serviceAccount:" + email] }] });
}) });
new gcp.container.Cluster("site",
  { location: "europe-west1", initialNodeCount: 1, deletionProtection: config.getBoolean("protect") ?? true });
export const email = writer.email;
export const password = word.result;
`;

const tools = loadTools();
const folder = mkdtempSync(join(tmpdir(), "gcp-engine-"));
const resources = new Map<string, CloudResource>();
let control: Awaited<ReturnType<typeof fakeControl>>;

before(async () => {
  control = await fakeControl(answer);
  mkdirSync(join(folder, "state"));
  symlinkSync(join(__dirname, "..", "..", "..", "node_modules"), join(folder, "node_modules"));
  const runtime = { name: "nodejs", options: { typescript: false, nodeargs: "--import tsx" } };
  writeFileSync(join(folder, "Pulumi.yaml"), stringify({ name: "engine", runtime }));
  writeFileSync(join(folder, "index.ts"), PROGRAM);
  await succeed("stack", "init", "dev");
  await succeed("config", "set", "gcp:project", "my-project");
});
after(() => {
  control.close();
  rmSync(folder, { recursive: true, force: true });
});

function answer(path: string, body: Props): unknown {
  const { type, id = `${body.type}/${body.name}`, inputs } = body as { type: string; id?: string; inputs: Props };
  if (path === "/resources/create") {
    const outputs = type.includes("Account") ? { email: `${inputs.accountId}@my-project` } : {};
    resources.set(id, { type, id, inputs, outputs });
    return { id, outputs };
  }
  const found = resources.get(id);
  if (!found) throw new CloudError(404, "notFound", `no ${id}`);
  if (path === "/resources/update") resources.set(id, { ...found, inputs });
  if (path === "/resources/delete") resources.delete(id);
  return found;
}

function pulumi(...args: string[]): Promise<{ code: number | null; text: string }> {
  const child = spawn(tools.pulumi, ["--non-interactive", ...args], {
    cwd: folder,
    env: {
      ...process.env,
      PATH: [providerBin, tools.languageHost, process.env.PATH].filter(Boolean).join(":"),
      PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "test",
      PULUMI_HOME: join(folder, "home"),
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      SANDBOX_SOCKET: control.socket,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (text += chunk));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, text })));
}

async function succeed(...args: string[]): Promise<string> {
  const { code, text } = await pulumi(...args);
  assert.equal(code, 0, text);
  return text;
}

test("a preview makes nothing and hands out nothing that is not known", async () => {
  assert.match(await succeed("preview"), /\+ 6 to create/);
  assert.equal(resources.size, 0);
});

test("an update makes everything, keeps secrets secret, and a second preview is empty", async () => {
  await succeed("up", "--yes", "--skip-preview");
  assert.match(await succeed("stack", "output", "email"), /^writer-[0-9a-f]{7}@my-project$/m);
  const state = await succeed("stack", "export");
  assert.ok(!state.includes("hush-hush"), "a secret input is a secret output");
  const password = (await succeed("stack", "output", "--show-secrets", "password")).trim();
  assert.equal(password.length, 12);
  assert.ok(!state.includes(JSON.stringify(password)), "a password is a secret");
  await succeed("preview", "--expect-no-changes");
  await succeed("refresh", "--yes", "--skip-preview", "--expect-no-changes");
});

test("a preview of an update keeps what the update leaves alone", async () => {
  await succeed("config", "set", "display", "Another");
  const text = await succeed("preview", "--diff");
  assert.match(text, /displayName: "Writer" => "Another"/);
  assert.match(text, /~ 1 to update/);
});

test("what the cloud would refuse fails the preview", async () => {
  await succeed("config", "set", "location", "EUROPE");
  const { code, text } = await pulumi("preview");
  assert.notEqual(code, 0);
  assert.match(text, /property location value \{EUROPE\} has a problem: "EUROPE" is not a location of buckets/);
  await succeed("config", "rm", "location");
});

test("a protected cluster is not destroyed until its protection is off", async () => {
  const refused = await pulumi("destroy", "--yes", "--skip-preview");
  assert.match(refused.text, /cannot destroy cluster site without setting deletionProtection=false/);
  await succeed("config", "set", "protect", "false");
  await succeed("up", "--yes", "--skip-preview");
  await succeed("destroy", "--yes", "--skip-preview");
  assert.equal(resources.size, 0);
});
