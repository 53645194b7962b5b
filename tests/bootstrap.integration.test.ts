/** A bootstrap under the real engine: it comes up at once, its accounts exist before they are named, and it is stable. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { buildProviders } from "../sandbox/providers/build";
import { LocalProject } from "./lib/local-project";

const STACK = "drill-bootstrap";
const config = {
  role: "bootstrap",
  project: "iconik-drill-bootstrap",
  deployer: "group:people@iconik.io",
  deletionProtection: false,
  github: { repository: "iconik/iconik-dr", repositoryId: "100000001" },
  stacks: [
    { name: "foundation", role: "foundation", project: "iconik-drill-foundation", stateLocation: "EU" },
    { name: "prod", role: "site", project: "iconik-drill-prod", stateLocation: "europe-west6" },
  ],
};

let project: LocalProject;
before(async () => {
  await buildProviders();
  project = await LocalProject.open();
  await project.init(STACK, config);
});
after(() => project.close());

test("up, an empty second preview, a refresh without drift", async () => {
  await project.succeed("up", "--yes", "--skip-preview", "--stack", STACK);
  await project.succeed("preview", "--expect-no-changes", "--diff", "--stack", STACK);
  await project.succeed("refresh", "--yes", "--skip-preview", "--expect-no-changes", "--stack", STACK);
});

test("its outputs are what the stacks are initialized with", async () => {
  const { states, workloadIdentityProvider } = JSON.parse(
    await project.succeed("stack", "output", "--json", "--stack", STACK),
  );
  assert.match(
    workloadIdentityProvider,
    /^projects\/\d+\/locations\/global\/workloadIdentityPools\/github\/providers\/actions$/,
  );
  assert.deepEqual(states.prod, {
    backend: "gs://iconik-drill-bootstrap-state-prod",
    secretsProvider:
      "gcpkms://projects/iconik-drill-bootstrap/locations/europe-west6/keyRings/pulumi-state/cryptoKeys/prod",
    deploy: "serviceAccount:deployer@iconik-drill-prod.iam.gserviceaccount.com",
    preview: "serviceAccount:previewer@iconik-drill-prod.iam.gserviceaccount.com",
  });
});

test("in the cloud a pipeline reaches its own state alone", () => {
  const { control } = project.cloud;
  const may = (account: string, permission: string, stack: string) =>
    control.allows(
      `serviceAccount:${account}.iam.gserviceaccount.com`,
      permission,
      `iconik-drill-bootstrap-state-${stack}`,
      "x",
    );
  const [deployer, previewer] = ["deployer@iconik-drill-prod", "previewer@iconik-drill-prod"];
  for (const action of ["create", "get", "delete"]) {
    assert.ok(may(deployer, `storage.objects.${action}`, "prod"));
    assert.ok(!may(deployer, `storage.objects.${action}`, "foundation"));
    assert.ok(!may(deployer, `storage.objects.${action}`, STACK));
    assert.equal(may(previewer, `storage.objects.${action}`, "prod"), action === "get");
  }
  assert.ok(!may(deployer, "storage.buckets.update", "prod"), "it cannot switch versions off");
});

test("break-glass comes and goes by the configuration", async () => {
  const until = new Date(Date.now() + 3600_000).toISOString();
  project.configure(STACK, { ...config, breakGlass: { member: "group:oncall@iconik.io", until } });
  assert.match(await project.succeed("up", "--yes", "--skip-preview", "--stack", STACK), /\+ 2 created/);
  project.configure(STACK, config);
  assert.match(await project.succeed("up", "--yes", "--skip-preview", "--stack", STACK), /- 2 deleted/);
});
