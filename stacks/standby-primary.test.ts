/** Who serves is not turned by accident: neither to a standby while the primary serves, nor back while the standby does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Server, trafficContent } from "../plan/failover";
import { stackConfig } from "../tests/lib/stack-file";
import { ConfigError, type StandbyConfig } from "./config";
import { notServed, notServing } from "./standby-primary";

const primary = { site: "prod", address: "192.0.2.2" };
const config = (changes: Record<string, unknown> = {}) => stackConfig("aws-standby", changes) as StandbyConfig;

/** The refusal's lines below its head; empty when nothing is refused. */
async function refusal(checked: Promise<void>): Promise<string> {
  const error = await checked.then(
    () => undefined,
    (thrown: Error) => thrown,
  );
  assert.ok(error === undefined || error instanceof ConfigError, error?.message);
  return error?.message.split("\n  - ")[1] ?? "";
}

/** Asks before an update of a configuration, while the object in S3 says this. */
function asked(said: string | Error, changes: Record<string, unknown> = {}): Promise<string> {
  const read = async (bucket: string, key: string) => {
    assert.equal(`${bucket}/${key}`, "iconik-standby-traffic/traffic.json");
    if (typeof said !== "string") throw said;
    return said;
  };
  return refusal(notServed("aws-standby", config(changes), { list: () => assert.fail(), read }));
}
const says = (server: Server) => trafficContent(server);
const resume = (site: string) => ({ primary: { ...primary, resume: site } });

test("a standby is not activated while the primary answers, unless it is fenced or given up by name", async () => {
  const ask = (answers: boolean, changes: Record<string, unknown> = {}) =>
    refusal(notServing("aws-standby", config({ active: true, ...changes }), async () => answers));
  assert.match(await ask(true), /active is true: site "prod" still answers at 192\.0\.2\.2/);
  assert.equal(await ask(false), "");
  for (const key of ["fenced", "force"]) assert.equal(await ask(true, { primary: { ...primary, [key]: "prod" } }), "");
});

test("what keeps the primary from being asked is not taken for its silence", async () => {
  const ask = (changes: Record<string, unknown> = {}) =>
    refusal(
      notServing("aws-standby", config({ active: true, ...changes }), () =>
        Promise.reject(new Error("proxy P failed")),
      ),
    );
  assert.equal(
    await ask(),
    'iconik-dr:active is true: it is not known whether site "prod" still serves at 192.0.2.2: proxy P failed; make the proxy connect to ' +
      "192.0.2.2:443 and checkip.amazonaws.com:443 or, where this machine needs none for them, name them in NO_PROXY; a site that is fenced " +
      '(docs/runbooks/d4-google-lost.md) is not asked once iconik-dr:primary.fenced is "prod", and its writes are given up with ' +
      'iconik-dr:primary.force "prod"',
  );
  for (const key of ["fenced", "force"]) assert.equal(await ask({ primary: { ...primary, [key]: "prod" } }), "");
});

test("a standby that serves is not ended by a configuration that knows nothing of it", async () => {
  assert.equal(
    await asked(says("standby")),
    "iconik-dr:active is false: the standby serves (s3://iconik-standby-traffic/traffic.json), and users would be sent to site " +
      '"prod" at 192.0.2.2, without what was written in AWS; allowed: true, which belongs on main as long as the standby serves ' +
      "(docs/runbooks/d4-google-lost.md); after a failback (docs/runbooks/failback.md), or to give up what was written in AWS, set " +
      'iconik-dr:primary.resume to "prod"',
  );
  assert.equal(await asked(says("standby"), resume("prod")), "");
  assert.equal(await asked(says("standby"), { active: true }), "");
});

test("a standby that waits goes on waiting, from its first update on", async () => {
  assert.equal(await asked(says("primary")), "");
  for (const reason of ["NoSuchBucket: it does not exist", "couldn't find resource", "StatusCode: 404, NotFound"])
    assert.equal(await asked(new Error(reason)), "");
});

test("what lets a failback through does not lie ready for the next mistake", async () => {
  assert.equal(
    await asked(says("primary"), resume("prod")),
    'iconik-dr:primary.resume is "prod": left over from a failback, and the next one would not ask; remove it',
  );
});

test("who cannot read who serves ends nothing", async () => {
  assert.match(
    await asked(new Error("AccessDenied: not authorized")),
    /^who serves cannot be read from s3:\/\/iconik-standby-traffic\/traffic\.json \(AccessDenied: not authorized\): whoever runs this needs s3:GetObject of it/,
  );
});
