/** What the workflows may do: pinned actions, the least permissions, no identity for strangers, and the stacks there are. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { servicesOf } from "../plan/deployers";
import { images, published, type ThirdPartyImage } from "../plan/images";
import { registries, serviceAccountEmail } from "../plan/names";
import { ecrHost, ownImages, standbyBackend, standbyRegion } from "../plan/standby";
import { backendUrl, githubEnvironment } from "../plan/state";
import { charts } from "../plan/versions";
import type { BootstrapConfig, SiteConfig, StandbyConfig, VaultConfig } from "../stacks/config";
import { stackConfig } from "./lib/stack-file";

const ROOT = join(__dirname, "..");
const GITHUB = join(ROOT, ".github");

interface Step {
  if?: string;
  uses?: string;
  run?: string;
  env?: Record<string, string>;
  with?: Record<string, unknown>;
}
interface Job {
  if?: string;
  needs?: string | string[];
  uses?: string;
  with?: Record<string, string>;
  secrets?: unknown;
  environment?: string;
  env?: Record<string, string>;
  outputs?: Record<string, string>;
  permissions?: Record<string, string>;
  concurrency?: { group: string; "cancel-in-progress": boolean };
  strategy?: { matrix: { include: Record<string, string>[] } };
  "runs-on"?: string;
  "timeout-minutes"?: number;
  steps?: Step[];
}
interface Workflow {
  on: Record<string, unknown>;
  permissions?: Record<string, string>;
  concurrency?: { group: string; "cancel-in-progress": boolean };
  jobs: Record<string, Job>;
}

const workflows = Object.fromEntries(
  readdirSync(join(GITHUB, "workflows")).map((file) => [
    file.replace(/\.yml$/, ""),
    parse(readFileSync(join(GITHUB, "workflows", file), "utf8")) as Workflow,
  ]),
);
const actions = Object.fromEntries(
  readdirSync(join(GITHUB, "actions")).map((name) => [
    name,
    parse(readFileSync(join(GITHUB, "actions", name, "action.yml"), "utf8")) as { runs: { steps: Step[] } },
  ]),
);
const jobs = Object.entries(workflows).flatMap(([workflow, { jobs: all }]) =>
  Object.entries(all).map(([name, job]) => ({ workflow, name, job, steps: job.steps ?? [] })),
);
const everyStep = [...jobs.flatMap(({ steps }) => steps), ...Object.values(actions).flatMap(({ runs }) => runs.steps)];

/** How a workflow becomes a role of AWS. */
const AWS_LOGIN = "./.github/actions/aws";
const standby = stackConfig("aws-standby") as StandbyConfig;
const pipelineRoles: Record<string, string | undefined> = {
  preview: standby.previewer,
  deploy: standby.deployer,
  publish: standby.publishers[0],
};
const ecr = ecrHost(standby.account);

/** Stacks that a pipeline deploys, with the bootstrap stack that prepared them. */
const deployed = ["bootstrap-vault", "bootstrap"].flatMap((name) => {
  const { project, stacks } = stackConfig(name) as BootstrapConfig;
  return stacks
    .filter(({ name: stack }) => hasFile(stack))
    .map((entry) => ({ ...entry, backend: backendUrl(project, entry.name) }));
});

function hasFile(stack: string): boolean {
  return readdirSync(ROOT).includes(`Pulumi.${stack}.yaml`);
}

test("every action is pinned by commit, with its version beside", () => {
  const texts = [
    ...Object.keys(workflows).map((name) => join(GITHUB, "workflows", `${name}.yml`)),
    ...Object.keys(actions).map((name) => join(GITHUB, "actions", name, "action.yml")),
  ].map((path) => readFileSync(path, "utf8"));
  const lines = texts.flatMap((text) => text.split("\n")).filter((line) => /^\s*(- )?uses: /.test(line));
  assert.ok(lines.length > 10);
  const versions = new Map<string, string>();
  for (const line of lines) {
    const target = line.replace(/^\s*(- )?uses: /, "");
    if (target.startsWith("./.github/")) continue;
    const [, action, sha] = /^([\w./-]+)@([0-9a-f]{40}) # v\d+(?:\.\d+){0,2}$/.exec(target) ?? [];
    assert.ok(action && sha, `${target}: write OWNER/NAME@40 hex digits # vN.N.N`);
    assert.equal(versions.get(action) ?? sha, sha, `${action} has two versions`);
    versions.set(action, sha);
  }
});

test("a workflow reads, and a job says what else it needs", () => {
  for (const [name, { permissions }] of Object.entries(workflows))
    assert.deepEqual(permissions, { contents: "read" }, name);
  const more = jobs.flatMap(({ workflow, name, job }) =>
    Object.entries(job.permissions ?? {})
      .filter(([, access]) => access !== "read")
      .map(([scope]) => `${workflow}/${name} ${scope}`),
  );
  assert.deepEqual(more.sort(), [
    "deploy/aws-standby id-token",
    "deploy/foundation id-token",
    "deploy/prod id-token",
    "deploy/vault id-token",
    "images/propose contents",
    "images/propose pull-requests",
    "images/push id-token",
    "images/standby id-token",
    "mirror/copy id-token",
    "mirror/standby id-token",
    "preview/inventory pull-requests",
    "preview/preview id-token",
    "preview/preview pull-requests",
    "up/up id-token",
  ]);
});

test("code of a pull request never meets an identity or a secret unless it is the repository's own", () => {
  for (const [name, { on }] of Object.entries(workflows)) {
    assert.ok(!("pull_request_target" in on) && !("workflow_run" in on), name);
  }
  for (const { workflow, name, job } of jobs.filter((each) => "pull_request" in workflows[each.workflow]!.on)) {
    const trusted = job.permissions?.["id-token"] !== undefined || JSON.stringify(job).includes("secrets.");
    if (!trusted) continue;
    assert.equal(job.if, "github.event.pull_request.head.repo.full_name == github.repository", `${workflow}/${name}`);
  }
});

test("whoever has an identity has an environment, and it is the account's own", () => {
  const holders = jobs.filter(({ job, steps }) => job.permissions?.["id-token"] && steps.length > 0);
  assert.equal(holders.length, 6);
  for (const { workflow, job, steps } of holders) {
    const account = String(
      steps.find(({ uses }) => uses?.startsWith("google-github-actions/auth@"))?.with?.service_account,
    );
    const purpose = { previewer: "preview", deployer: "deploy", publisher: "publish" }[account.split("@")[0]!];
    assert.ok(job.environment?.startsWith(`${purpose}-`), `${workflow}: ${job.environment} and ${account}`);
    const role = steps.find(({ uses }) => uses === AWS_LOGIN)?.with?.role;
    // A role that is handed in is looked at where it is.
    if (role !== undefined && !/^\$\{\{ (matrix|inputs)\.role \}\}$/.test(String(role)))
      assert.equal(role, pipelineRoles[purpose!], `${workflow}: ${role}`);
  }
});

test("no text of a pull request gets into a script", () => {
  for (const { run } of everyStep) assert.doesNotMatch(run ?? "", /\$\{\{/, "hand it over in env");
});

test("credentials of checkouts stay out of what runs, except where a branch is pushed", () => {
  for (const { workflow, name, steps } of jobs) {
    for (const step of steps.filter(({ uses }) => uses?.startsWith("actions/checkout@"))) {
      const pushes = steps.some(({ run }) => run?.includes("git push"));
      assert.equal(step.with?.["persist-credentials"], pushes ? undefined : false, `${workflow}/${name}`);
    }
  }
});

test("jobs end by themselves", () => {
  for (const { workflow, name, job } of jobs) assert.ok(job.uses || job["timeout-minutes"], `${workflow}/${name}`);
});

test("what reaches a cluster runs where the repository says, and everything else at GitHub's", () => {
  for (const { workflow, name, job, steps } of jobs.filter((each) => each.steps.length > 0)) {
    const reaches = steps.some(({ uses }) => uses?.startsWith("pulumi/actions@"));
    const expected = reaches ? "${{ vars.RUNNER || 'ubuntu-24.04' }}" : "ubuntu-24.04";
    assert.equal(job["runs-on"], expected, `${workflow}/${name}`);
  }
});

test("an update may take as long as GitHub lets it, and its credentials of AWS as long as the update", () => {
  const { steps = [], "timeout-minutes": minutes = 0 } = workflows.up!.jobs.up!;
  assert.equal(minutes, 360);
  const seconds = Number(steps.find(({ uses }) => uses === AWS_LOGIN)?.with?.seconds);
  assert.equal(seconds, minutes * 60);
  // IAM allows twelve hours.
  assert.ok(seconds <= 43_200);
  const adr = readFileSync(join(ROOT, "docs", "adr", "0030-the-standbys-state-is-awss.md"), "utf8");
  assert.match(adr, new RegExp(`MaxSessionDuration\\S* ${seconds}\\b`));
});

describe("stacks", () => {
  const matrix = workflows.preview!.jobs.preview!.strategy!.matrix.include;

  test("each stack is previewed", () => {
    assert.deepEqual(matrix, [
      ...deployed.map(({ name, project, backend }) => ({ stack: name, project, backend })),
      { stack: "aws-standby", role: pipelineRoles.preview, backend: standbyBackend },
    ]);
    assert.equal(
      workflows.preview!.jobs.preview!.environment,
      `${githubEnvironment("preview", "")}\${{ matrix.stack }}`,
    );
  });

  test("each stack is deployed after the suite, one after the other, the vault first", () => {
    const { test: suite, "aws-standby": ofAws, ...stacks } = workflows.deploy!.jobs;
    // It has to come up when Google does not.
    assert.equal(ofAws?.needs, "test");
    assert.deepEqual(ofAws?.with, { stack: "aws-standby", role: pipelineRoles.deploy, backend: standbyBackend });
    assert.equal(suite?.uses, "./.github/workflows/test.yml");
    assert.deepEqual(
      Object.values(stacks).map((job) => job.with),
      deployed.map(({ name, project, backend }) => ({ stack: name, project, backend })),
    );
    const names = Object.keys(stacks);
    assert.deepEqual(
      Object.values(stacks).map(({ needs }) => needs),
      ["test", ...names.slice(0, -1)],
    );
    assert.equal(stackConfig(names[0]!).role, "vault");
    assert.ok(deployed.every(({ role }) => role in servicesOf));
    assert.equal(workflows.up!.jobs.up!.environment, `${githubEnvironment("deploy", "")}\${{ inputs.stack }}`);
  });

  test("a running update is never cancelled, and two never run at once", () => {
    const { concurrency } = workflows.up!.jobs.up!;
    assert.deepEqual(concurrency, { group: "deploy-${{ inputs.stack }}", "cancel-in-progress": false });
    assert.equal(workflows.deploy!.concurrency, undefined, "a workflow's own would drop waiting updates");
  });

  test("policies hold in previews and updates", () => {
    const runs = everyStep.filter(({ uses }) => uses?.startsWith("pulumi/actions@"));
    assert.deepEqual(
      runs.map((step) => [step.with?.command, step.with?.policyPacks]),
      [
        ["preview", "policies"],
        ["up", "policies"],
      ],
    );
  });

  test("images go where the stacks take them from, by an account that the vault lets push", () => {
    const { env = {}, outputs = {}, steps = [] } = workflows.images!.jobs.push!;
    const vault = stackConfig("vault") as VaultConfig;
    assert.ok(env.REGISTRY?.endsWith(`/${vault.project}/${registries.images}`));
    // Those of others come to the mirror without a build.
    const { mirror, ...images } = (stackConfig("prod") as SiteConfig).images;
    assert.equal(mirror, env.REGISTRY?.replace(/[^/]+$/, registries.mirror));
    assert.equal(images.jobs.split("@")[0], vault.images.jobs.split("@")[0]);
    const script = steps.find(({ run }) => run?.includes("docker buildx"))?.run ?? "";
    const [, built] = /^for name in (.+); do$/m.exec(script) ?? [];
    assert.deepEqual(built?.split(" "), Object.keys(images));
    for (const [name, image] of Object.entries(images)) {
      assert.equal(image.split("@")[0], `${env.REGISTRY}/${name}`);
      assert.ok(existsSync(join(ROOT, name, "Dockerfile")), name);
      assert.ok(steps.some(({ run }) => run?.includes(`npm run build:${name}`)));
      assert.equal(outputs[name], `\${{ steps.build.outputs.${name} }}`);
    }
    const publisher = serviceAccountEmail("publisher", vault.project);
    assert.ok(vault.publishers.includes(`serviceAccount:${publisher}`));
    assert.equal(
      steps.find(({ uses }) => uses?.startsWith("google-github-actions/auth@"))?.with?.service_account,
      publisher,
    );
    assert.equal(workflows.images!.jobs.push!.environment, githubEnvironment("publish", "vault"));
  });

  test("the standby gets the same images and charts, in repositories that it declares", () => {
    const copied = workflows.images!.jobs.standby!;
    assert.equal(copied.env?.ECR, `${ecr}/${registries.images}`);
    for (const [name, image] of Object.entries({ jobs: standby.images.jobs, services: standby.images.services }))
      assert.equal(image.split("@")[0], `${copied.env?.ECR}/${name}`);
    assert.deepEqual(
      ownImages,
      ["jobs", "services"].map((name) => `${registries.images}/${name}`),
    );
    assert.deepEqual(workflows.images!.jobs.propose!.needs, ["push", "standby"]);
    const mirror = workflows.mirror!.jobs.standby!;
    assert.equal(mirror.env?.REGISTRY, workflows.mirror!.jobs.copy!.env?.REGISTRY);
    assert.equal(standby.images.mirror, `${mirror.env?.ECR}/${registries.mirror}`);
    assert.equal(standby.charts.repository, `oci://${mirror.env?.ECR}/${registries.charts}`);
    const scripts = (mirror.steps ?? []).map(({ run }) => run ?? "").join("\n");
    assert.match(scripts, /target="\$ECR\/mirror\/\$image"/);
    assert.match(scripts, /helm push "\$name-\$version\.tgz" "oci:\/\/\$ECR\/charts"/);
    for (const job of [copied, mirror]) assert.equal(job.environment, githubEnvironment("publish", "vault"));
  });

  test("a pipeline of the standby needs nothing of Google's", () => {
    for (const [steps, what] of [
      [workflows.up!.jobs.up!.steps, "inputs"],
      [workflows.preview!.jobs.preview!.steps, "matrix"],
    ] as const) {
      const of = (uses: string) => (steps ?? []).find((step) => step.uses?.startsWith(uses));
      assert.equal(of("google-github-actions/auth@")?.if, `${what}.project`);
      assert.equal(of(AWS_LOGIN)?.if, `${what}.role`);
      assert.deepEqual(of("./.github/actions/prepare")?.with, { google: `\${{ ${what}.project != '' }}` });
    }
    const google = actions.prepare!.runs.steps.filter(({ run }) => run?.includes("packages.cloud.google.com"));
    assert.deepEqual(
      google.map((step) => step.if),
      ["inputs.google == 'true'"],
    );
    const [login] = actions.aws!.runs.steps;
    assert.equal(login?.env?.AWS_REGION, standbyRegion);
  });

  test("images and charts of others go where the sites take them from, once either is named anew", () => {
    const { on, jobs } = workflows.mirror!;
    const { env = {}, steps = [], environment } = jobs.copy!;
    const { images, charts } = stackConfig("prod") as SiteConfig;
    assert.equal(images.mirror, `${env.REGISTRY}/${registries.mirror}`);
    assert.equal(charts.repository, `oci://${env.REGISTRY}/${registries.charts}`);
    const scripts = steps.map(({ run }) => run ?? "").join("\n");
    assert.match(scripts, /target="\$REGISTRY\/mirror\/\$\{image#\*\/\}"/);
    assert.match(scripts, /helm push "\$name-\$version\.tgz" "oci:\/\/\$REGISTRY\/charts"/);
    for (const file of (on.push as { paths: string[] }).paths) assert.ok(existsSync(join(ROOT, file)), file);
    assert.equal(environment, githubEnvironment("publish", "vault"));
  });

  test("what a workflow asks the plan for is there", () => {
    const askedIn = (job: string) =>
      (workflows.mirror!.jobs[job]!.steps ?? []).flatMap(
        ({ run }) => /^node --import tsx --print '(.+)' > (\S+)$/m.exec(run ?? "")?.slice(1, 3) ?? [],
      );
    const [asked, askedAgain] = [askedIn("copy"), askedIn("standby")];
    for (const each of [asked, askedAgain]) assert.deepEqual([each[1], each[3]], ["images.txt", "charts.txt"]);
    const lines = (script: string) =>
      execFileSync(process.execPath, ["--import", "tsx", "--print", script], { cwd: ROOT, encoding: "utf8" })
        .trim()
        .split("\n");
    assert.deepEqual(lines(asked[0]!), Object.values<ThirdPartyImage>(images).map(published));
    assert.deepEqual(
      lines(asked[2]!),
      Object.values(charts).map(({ name, version, publisher }) => `${name} ${version} ${publisher}`),
    );
    assert.deepEqual(
      lines(askedAgain[0]!),
      lines(asked[0]!).map((image) => image.replace(/^[^/]+\//, "")),
    );
    assert.deepEqual(
      lines(askedAgain[2]!),
      lines(asked[2]!).map((line) => line.split(" ").slice(0, 2).join(" ")),
    );
  });
});
