import assert from "node:assert/strict";
import { after, test } from "node:test";
import { refused, testCloud } from "../testing";
import { projectNumber } from "./federation";
import { TokenExchange } from "./token-exchange";

const cloud = testCloud();
after(cloud.end);
const create = (type: string, inputs: Record<string, unknown>) =>
  cloud.control.create(type, "x", { project: "site-1", ...inputs }, "me@x");
const POOL = "gcp:iam/workloadIdentityPool:WorkloadIdentityPool";
const PROVIDER = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider";
const provider = {
  workloadIdentityPoolId: "github",
  workloadIdentityPoolProviderId: "actions",
  attributeMapping: { "google.subject": "assertion.sub" },
  attributeCondition: 'assertion.repository == "o/r"',
  oidc: { issuerUri: "https://token.actions.githubusercontent.com" },
};

test("a provider needs its pool, a subject and, of a shared issuer, a condition", async () => {
  await refused(create(PROVIDER, provider), 404, /Pool .*github was not found/);
  const pool = await create(POOL, { workloadIdentityPoolId: "github" });
  assert.equal(pool.id, "projects/site-1/locations/global/workloadIdentityPools/github");
  assert.equal(pool.outputs.name, `projects/${projectNumber("site-1")}/locations/global/workloadIdentityPools/github`);
  await refused(create(PROVIDER, { ...provider, attributeMapping: {} }), 400, /google\.subject is required/);
  await refused(create(PROVIDER, { ...provider, attributeCondition: undefined }), 400, /must reference one of/);
  await refused(create(PROVIDER, { ...provider, aws: { accountId: "1" } }), 400, /exactly one of/);
  const made = await create(PROVIDER, provider);
  assert.equal(made.outputs.name, `${pool.outputs.name}/providers/actions`);
  await refused(create(PROVIDER, provider), 409, /already exists/);
});

test("members of a pool are bound only while it exists, and its id is not free again", async () => {
  const account = await create("gcp:serviceaccount/account:Account", { accountId: "deployer" });
  const bind = (pool: string, role = "roles/iam.workloadIdentityUser") =>
    create("gcp:serviceaccount/iAMBinding:IAMBinding", {
      serviceAccountId: account.id,
      role,
      members: [`principalSet://iam.googleapis.com/${pool}/attribute.environment/prod`],
    });
  const pool = `projects/${projectNumber("site-1")}/locations/global/workloadIdentityPools/github`;
  await refused(bind(pool.replace("github", "gitlab")), 400, /Identity Pool does not exist/);
  await bind(pool);
  await cloud.control.delete(POOL, "projects/site-1/locations/global/workloadIdentityPools/github", "me@x");
  await refused(bind(pool, "roles/iam.serviceAccountTokenCreator"), 400, /Identity Pool does not exist/);
  await refused(create(POOL, { workloadIdentityPoolId: "github" }), 409, /kept for 30 days/);
});

test("a token of an account mints another's where a binding of the account or of its project says so", async () => {
  const [mine, other] = ["account-a", "account-b"].map((id) => `${id}@site-1.iam.gserviceaccount.com`) as [
    string,
    string,
  ];
  for (const accountId of ["account-a", "account-b"]) await create("gcp:serviceaccount/account:Account", { accountId });
  const exchange = new TokenExchange({
    identityProvider: () => undefined,
    issuerKey: () => undefined,
    mayActAs: (member, email) => cloud.control.mayActAs(member, email),
    memberOfToken: (token) => (token === "own" ? `serviceAccount:${mine}` : undefined),
  });
  assert.throws(() => exchange.checkMayActAs("nobody's", other), { status: 401 });
  assert.throws(() => exchange.checkMayActAs("own", other), { status: 403 });
  await create("gcp:projects/iAMMember:IAMMember", {
    role: "roles/iam.serviceAccountTokenCreator",
    member: `serviceAccount:${mine}`,
  });
  exchange.checkMayActAs("own", other);
});
