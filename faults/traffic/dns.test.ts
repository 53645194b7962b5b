/** The row of the name's health checks, fifty times as fast: what is declared passes, and what is declared wrongly fails. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { DeclaredCheck } from "../../sandbox/cloud/aws/dns/health";
import { runFault } from "../run";
import { dnsFlapping, openDns } from "./dns";

const fast = ({ id, inputs }: DeclaredCheck, more: object = {}) => ({
  id,
  inputs: { ...inputs, ...(inputs.requestInterval ? { requestInterval: 0.2, ...more } : {}) },
});

async function row(more: object) {
  const stage = await openDns((check) => fast(check, more));
  try {
    return await runFault(dnsFlapping, stage);
  } finally {
    stage.close();
  }
}

test("a primary that flaps keeps its users, and one that is gone is left", async () => {
  const { pass, failure, measured } = await row({});
  assert.ok(pass, `${failure} ${JSON.stringify(measured)}`);
});

test("a check that turns at the first bad answer fails the row", async () => {
  const { pass, failure } = await row({ failureThreshold: 1 });
  assert.ok(!pass);
  assert.match(failure ?? "", /turnsWhileFlapping is \d+, 0 is allowed/);
});
