/** Google's APIs beside storage: what `tokeninfo` knows. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { tokenInfo } from "./google-apis";
import { Tokens } from "./tokens";

test("tokeninfo says whose a token is, and knows no other", () => {
  const tokens = new Tokens();
  const { accessToken } = tokens.issue("a@p.iam.gserviceaccount.com");
  assert.equal(tokenInfo(tokens, accessToken).email, "a@p.iam.gserviceaccount.com");
  for (const other of [null, "", `${accessToken}x`])
    assert.throws(() => tokenInfo(tokens, other), { status: 400, reason: "invalid_token" });
});
