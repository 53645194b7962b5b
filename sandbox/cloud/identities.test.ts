/** What a pod's clients get by themselves: Google's own library finds the token by the environment alone. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { LocalIdentities } from "./identities";
import { Tokens } from "./tokens";

const run = promisify(execFile);

test("Google's library gets a token of the pod's account by the environment alone", async () => {
  const tokens = new Tokens();
  const identities = new LocalIdentities({
    upstream: {} as never,
    versions: {} as never,
    decisions: { mayActAs: (member: string) => member === "serviceAccount:p.svc.id.goog[dr/runner]" } as never,
    tokens,
    kms: "http://127.0.0.1:1/",
    cluster: () => ({ workloadPool: "p.svc.id.goog" }) as never,
  });
  const email = "runner@p.iam.gserviceaccount.com";
  const tokenOf = async (serviceAccount: string) => {
    const pod = await identities.open({
      clusterId: "c",
      namespace: "dr",
      pod: "runner-0",
      uid: "1",
      serviceAccount,
      serviceAccountAnnotation: email,
      podIP: "127.77.13.9",
    });
    const script = 'new (require("google-auth-library").GoogleAuth)().getAccessToken().then((t) => console.log(t))';
    try {
      const { PATH } = process.env;
      return (await run(process.execPath, ["-e", script], { env: { PATH, HOME: "/nonexistent", ...pod.env } })).stdout;
    } finally {
      await pod.close();
    }
  };
  assert.equal(tokens.resolve((await tokenOf("runner")).trim()), email);
  await assert.rejects(tokenOf("somebody"), "not bound, no token");
});
