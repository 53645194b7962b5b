/** 1Password over the network, and what the operator logs of it. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { deaf } from "../../../faults/signals";
import { namespaces } from "../../../plan/names";
import { errorLine, retrievalError } from "./log";
import { OnePasswordService } from "./server";

const PATH = "vaults/v/items/i";
let service: OnePasswordService;
before(async () => {
  service = await OnePasswordService.start({ token: "right", vaults: { v: { i: { user: "me" } } } });
});
after(() => service.close());

test("an item comes with the right token alone", async () => {
  assert.deepEqual(await service.fetch(PATH, "right"), { user: "me" });
  await assert.rejects(service.fetch(PATH, "ended"), /the service account token is not valid/);
  await assert.rejects(service.fetch("vaults/v/items/other", "right"), /item vaults\/v\/items\/other was not found/);
});

test("refused connections and silence are told apart, and both end", async () => {
  await service.set("refuses");
  await assert.rejects(service.fetch(PATH, "right"), /ECONNREFUSED/);
  await service.set("hangs");
  await assert.rejects(service.fetch(PATH, "right"), /no answer within 5 s/);
  await service.set("answers");
  assert.deepEqual(await service.fetch(PATH, "right"), { user: "me" });
});

test("a line is as controller-runtime writes it, and the alert hears it", () => {
  const error = retrievalError(PATH, "no answer within 5 s");
  const text = errorLine({ namespace: "dr", name: "x" }, error, new Date("2026-11-30T06:44:10.123Z"));
  const [at, level, message, fields = ""] = text.split("\t");
  assert.deepEqual([at, level, message], ["2026-11-30T06:44:10Z", "ERROR", "Reconciler error"]);
  assert.match(fields, /^\{"controller": "onepassworditem", /);
  assert.match(fields, /"OnePasswordItem": \{"name":"x","namespace":"dr"\}, "namespace": "dr", "name": "x", /);
  assert.match(JSON.parse(fields).error, /^failed to retrieve item: .*'v'.* 1Password SDK: no answer within 5 s$/);
  assert.equal(deaf("secrets-not-synced", { kind: "text", namespace: namespaces.onepassword, text }), undefined);
  const calm = text.replace("ERROR", "INFO").replace("Reconciler error", "Reconciling");
  assert.ok(deaf("secrets-not-synced", { kind: "text", namespace: namespaces.onepassword, text: calm }));
});
