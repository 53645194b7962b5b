/** The way from the standby into Google Cloud: declared well nobody else gets through, and what is too wide is found. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { SignJWT } from "jose";
import { kubernetesSubject } from "../../plan/names";
import { standbyPool, standbySubject, subjectMember } from "../../plan/state";
import { TokenExchange } from "../../sandbox/cloud/gcp/token-exchange";
import { testCloud } from "../../sandbox/cloud/testing";
import type { CloudError } from "../../sandbox/lib/types";
import { type FederationClient, type KubernetesSubject, type Pool, runFederation } from "./federation";

const PROJECT = "vault-1";
const ISSUER = "https://oidc.example/id/1";
const subjects = ["standby-copier", "failback", "default"].map((name) => ({ namespace: "dr", name }));
const accounts = ["standby-copier", "pruner"].map((id) => `${id}@${PROJECT}.iam.gserviceaccount.com`);

let cloud: ReturnType<typeof testCloud>;
let pool: Pool;
let client: FederationClient;
const create = (type: string, inputs: Record<string, unknown>) =>
  cloud.control.create(`gcp:${type}`, "x", { project: PROJECT, ...inputs }, "me@x");

/** The pool and its accounts, as components/standby-reader.ts declares them. */
async function declare({ condition, members = [] }: { condition?: string; members?: string[] } = {}) {
  const workloadIdentityPoolId = standbyPool.id;
  const { outputs } = await create("iam/workloadIdentityPool:WorkloadIdentityPool", { workloadIdentityPoolId });
  const provider = await create("iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider", {
    workloadIdentityPoolId,
    workloadIdentityPoolProviderId: standbyPool.provider,
    attributeMapping: { "google.subject": "assertion.sub" },
    attributeCondition: condition ?? `assertion.sub == "${standbySubject["standby-copier"]}"`,
    oidc: { issuerUri: ISSUER },
  });
  pool = { provider: String(provider.outputs.name), project: PROJECT, lets: ["standby-copier"] };
  for (const accountId of ["standby-copier", "pruner"]) {
    const { id } = await create("serviceaccount/account:Account", { accountId });
    const own = accountId === "standby-copier" ? [standbySubject["standby-copier"]] : [];
    const bound = [...own, ...members].map((subject) => subjectMember(String(outputs.name), subject));
    if (bound.length > 0)
      await create("serviceaccount/iAMBinding:IAMBinding", {
        serviceAccountId: id,
        role: "roles/iam.workloadIdentityUser",
        members: bound,
      });
  }
}

beforeEach(() => {
  cloud = testCloud();
  const sts = new TokenExchange({
    identityProvider: (name) => cloud.control.identityProvider(name),
    issuerKey: () => cloud.clusters.serviceAccountKey,
    mayActAs: (member, email) => cloud.control.mayActAs(member, email),
  });
  const answered = async <T extends object>(work: () => Promise<T>) => {
    try {
      return { status: 200, body: "", ...(await work()) };
    } catch (error) {
      const { status, message } = error as CloudError;
      return { status, body: message };
    }
  };
  client = {
    exchange: (subject: KubernetesSubject, provider: string) =>
      answered(async () => {
        const audience = `//iam.googleapis.com/${provider}`;
        const subjectToken = await new SignJWT({})
          .setProtectedHeader({ alg: "RS256" })
          .setIssuer(ISSUER)
          .setAudience(audience)
          .setSubject(kubernetesSubject(subject))
          .setExpirationTime("1h")
          .sign(cloud.clusters.keys.privateKey);
        const answer = await sts.exchange({
          grantType: "urn:ietf:params:oauth:grant-type:token-exchange",
          subjectTokenType: "urn:ietf:params:oauth:token-type:jwt",
          audience,
          subjectToken,
        });
        return { token: String(answer.access_token) };
      }),
    mint: (token, email) =>
      answered(async () => {
        sts.checkMayActAs(token, email);
        return {};
      }),
  };
});
afterEach(() => cloud.end());

const run = () => runFederation(client, subjects, [pool], accounts);
const differing = async () =>
  (await run())
    .filter(({ pass }) => !pass)
    .map(({ principal, place, operation, measured }) => `${principal} ${operation} at ${place}: ${measured}`);

test("the declared account gets through to its own account, and nobody else gets in", async () => {
  await declare();
  const cells = await run();
  assert.deepEqual(
    cells.map(({ principal, operation, measured, pass }) => [principal, operation, measured, pass]),
    [
      ["standby: dr/standby-copier", "exchange a token", "allowed", true],
      ["standby: dr/standby-copier", "mint another's token", "allowed", true],
      ["standby: dr/standby-copier", "mint another's token", "refused", true],
      ["standby: dr/failback", "exchange a token", "refused", true],
      ["standby: dr/default", "exchange a token", "refused", true],
    ],
  );
});

test("a pool that lets the whole cluster in is found, whatever is bound behind it", async () => {
  await declare({ condition: 'assertion.sub.startsWith("system:serviceaccount:dr:")' });
  assert.deepEqual(await differing(), [
    `standby: dr/failback exchange a token at ${pool.provider}: allowed`,
    `standby: dr/default exchange a token at ${pool.provider}: allowed`,
  ]);
});

test("a binding too many is found", async () => {
  await declare({ members: [standbySubject["standby-copier"]] });
  assert.deepEqual(await differing(), [
    `standby: dr/standby-copier mint another's token at pruner@${PROJECT}.iam.gserviceaccount.com: allowed`,
  ]);
});

test("a pool that does not let its own in, and one that is not there, are found", async () => {
  await declare({ condition: 'assertion.sub == "nobody"' });
  assert.deepEqual(await differing(), [`standby: dr/standby-copier exchange a token at ${pool.provider}: refused`]);
  pool = { ...pool, provider: pool.provider.replace(standbyPool.id, "another") };
  assert.equal((await differing()).length, subjects.length);
});
