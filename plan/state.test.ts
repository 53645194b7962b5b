/** Whose tokens of GitHub are let in, what deployers may do, and where states lie. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Environment } from "@marcbachmann/cel-js";
import {
  bucketPermissions,
  type DeployedRole,
  grantedByStacks,
  projectRoles,
  type Service,
  servicesOf,
} from "./deployers";
import { multiRegions, regions } from "./regions";
import {
  githubCondition,
  githubEnvironment,
  githubPool,
  keyLocation,
  secretsProvider,
  standbyPool,
  stateBucketName,
} from "./state";

const deploy = {
  repository_id: "7",
  repository: "o/r",
  ref: "refs/heads/main",
  event_name: "push",
  environment: "deploy-prod",
};
const preview = {
  ...deploy,
  ref: "refs/pull/1/merge",
  event_name: "pull_request",
  base_ref: "main",
  environment: "preview-prod",
};
const accepts = (assertion: Record<string, string | undefined>): boolean => {
  const program = new Environment()
    .registerVariable("assertion", "map")
    .parse(githubCondition({ name: "o/r", id: "7" }));
  try {
    return program({ assertion: JSON.parse(JSON.stringify(assertion)) }) === true;
  } catch {
    // A claim that is absent is an error, which refuses.
    return false;
  }
};

test("main deploys and publishes, a pull request to main previews", () => {
  assert.ok(accepts(deploy));
  assert.ok(accepts({ ...deploy, environment: "publish-vault", event_name: "workflow_dispatch" }));
  assert.ok(accepts(preview));
});

const strangers: [what: string, token: Record<string, string | undefined>][] = [
  ["another repository of the same owner", { ...deploy, repository_id: "8", repository: "o/s" }],
  ["a repository that took over the name", { ...deploy, repository_id: "8" }],
  ["the repository under another name", { ...deploy, repository: "x/r" }],
  ["another branch", { ...deploy, ref: "refs/heads/feature" }],
  ["a tag called main", { ...deploy, ref: "refs/tags/main" }],
  ["a pull request that wants to deploy", { ...preview, environment: "deploy-prod" }],
  ["a pull request to another branch", { ...preview, base_ref: "feature" }],
  ["a pull request run with the base's rights", { ...preview, event_name: "pull_request_target" }],
  ["main without an environment", { ...deploy, environment: undefined }],
  ["an environment of another kind", { ...deploy, environment: "docs" }],
  ["main in a preview's environment", { ...deploy, environment: "preview-prod" }],
];
for (const [what, token] of strangers) {
  test(`${what} is not let in`, () => assert.equal(accepts(token), false));
}

test("a key lies where its bucket lies, or nowhere", () => {
  assert.equal(keyLocation("EU"), "europe");
  assert.equal(keyLocation("europe-west6"), "europe-west6");
  assert.equal(keyLocation("EUR7"), undefined);
  for (const code of multiRegions.keys()) assert.ok(!regions.has(keyLocation(code) ?? ""), code);
  assert.equal(stateBucketName("p", "prod"), "p-state-prod");
  assert.equal(
    secretsProvider("p", "europe", "prod"),
    "gcpkms://projects/p/locations/europe/keyRings/pulumi-state/cryptoKeys/prod",
  );
  assert.equal(githubEnvironment("deploy", "prod"), "deploy-prod");
});

const stackOf: Record<string, DeployedRole> = {
  prod: "site",
  "rebuild-1": "site",
  vault: "vault",
  "vault-granting": "vault",
  foundation: "foundation",
};

for (const [stack, role] of Object.entries(stackOf)) {
  test(`the deployer of ${stack} has a role for everything that it declares`, () => {
    const path = join(__dirname, "..", "tests", "golden", `${stack}.json`);
    assert.ok(existsSync(path), path);
    const inventory = JSON.parse(readFileSync(path, "utf8")) as { type: string; inputs?: { role?: string } }[];
    const services = new Set(
      inventory.flatMap(({ type }) =>
        type.startsWith("kubernetes:") ? "kubernetes" : (/^gcp:([^/]+)\//.exec(type)?.[1] ?? []),
      ),
    );
    const known = servicesOf[role] as readonly Service[];
    for (const service of services)
      assert.ok(known.includes(service as Service), `add "${service}" to servicesOf.${role} in plan/deployers.ts`);
    for (const { type, inputs } of inventory) {
      if (!type.startsWith("gcp:projects/iAM") || !inputs?.role) continue;
      assert.ok(
        grantedByStacks.includes(inputs.role),
        `add "${inputs.role}" to grantedByStacks in plan/deployers.ts: the deployer may not grant it`,
      );
    }
  });
}

test("roles are predefined, neither basic nor of objects; previewers only look", () => {
  for (const role of Object.keys(servicesOf) as DeployedRole[]) {
    const names = projectRoles(role, "deploy").map((each) => each.role);
    assert.equal(new Set(names).size, names.length);
    for (const name of names) assert.doesNotMatch(name, /^roles\/(owner|editor|viewer|storage\.)/);
    for (const { role: name, grants } of projectRoles(role, "preview")) {
      assert.match(name, /([vV]iewer|reader|Reviewer)$/);
      assert.equal(grants, undefined);
    }
  }
  assert.ok(
    bucketPermissions.every((each) => each.startsWith("storage.buckets.") && each !== "storage.buckets.delete"),
  );
});

test("ids of pools and providers are such that Google takes them", () => {
  for (const id of [githubPool.id, githubPool.provider, standbyPool.id, standbyPool.provider])
    assert.match(id, /^(?!gcp-)[a-z0-9-]{4,32}$/);
});
