/** Who hears of alerts: wrong configurations are refused with the key, the value, what is allowed and the fix. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { stackConfig } from "../../tests/lib/stack-file";
import { ConfigError } from ".";

const email = { type: "email", address: "on-call@example.com" };
const pager = { type: "pagerduty", channel: "projects/iconik-prod/notificationChannels/42" };

const nobody =
  "iconik-dr:notifications is not set: nobody would hear of an alert; name one or more, e.g. { type: email, address: on-call@example.com }";
const noChannel =
  "no channel; allowed: projects/PROJECT/notificationChannels/ID of one that was made by hand, so that its key is in no configuration";

const cases: [what: string, stack: string, notifications: unknown, message: string][] = [
  ["nobody hears of a site", "prod", undefined, nobody],
  ["nobody hears of the vault", "vault", undefined, nobody],
  ["nobody hears of the foundation", "foundation", undefined, nobody],
  ["an empty list", "prod", [], nobody],
  [
    "an unknown type",
    "prod",
    [{ type: "fax", number: "1" }],
    'iconik-dr:notifications[0].type is {"type":"fax","number":"1"}: no notification; allowed: { type: email, address }, { type: pubsub, topic }, { type: pagerduty or webhook, channel }',
  ],
  [
    "no address",
    "vault",
    [{ type: "email" }],
    "iconik-dr:notifications[0].address is not set: no e-mail address; allowed: e.g. on-call@example.com",
  ],
  [
    "half an address",
    "prod",
    [{ type: "email", address: "on-call" }],
    'iconik-dr:notifications[0].address is "on-call": no e-mail address; allowed: e.g. on-call@example.com',
  ],
  [
    "a pager's key",
    "prod",
    [{ ...pager, serviceKey: "0123" }],
    "iconik-dr:notifications[0].serviceKey: unknown here; Pulumi.yaml says which keys role site takes",
  ],
  [
    "a key where a channel belongs",
    "prod",
    [{ type: "pagerduty", channel: "0123456789abcdef" }],
    `iconik-dr:notifications[0].channel is "0123456789abcdef": ${noChannel}`,
  ],
  [
    "a webhook's address",
    "prod",
    [{ type: "webhook", channel: "https://example.com/hook?token=1" }],
    `iconik-dr:notifications[0].channel is "https://example.com/hook?token=1": ${noChannel}`,
  ],
  [
    "a channel of another project",
    "vault",
    [email, pager],
    'iconik-dr:notifications[1].channel is "projects/iconik-prod/notificationChannels/42": a channel of another project, which alerts here cannot use; make one in iconik-vault',
  ],
  [
    "a topic without project",
    "prod",
    [{ type: "pubsub", topic: "alerts" }],
    'iconik-dr:notifications[0].topic is "alerts": no topic; allowed: projects/PROJECT/topics/NAME',
  ],
  [
    "somebody twice",
    "prod",
    [email, pager, email],
    'iconik-dr:notifications[2] is {"type":"email","address":"on-call@example.com"}: given before in notifications[0]; name each once',
  ],
];

for (const [what, stack, notifications, message] of cases) {
  test(`${what} is refused`, () => {
    assert.throws(
      () => stackConfig(stack, { notifications }),
      (error: Error) => {
        assert.ok(error instanceof ConfigError);
        assert.deepEqual(error.message.split("\n").slice(1), [`  - ${message}`]);
        return true;
      },
    );
  });
}

test("every kind together is accepted, and a drill may have none", () => {
  const all = [
    email,
    { type: "pubsub", topic: "projects/iconik-prod/topics/alerts" },
    pager,
    { type: "webhook", channel: "projects/iconik-prod/notificationChannels/43" },
  ];
  const config = stackConfig("prod", { notifications: all });
  assert.deepEqual("notifications" in config && config.notifications, all);
  const drill = { project: "iconik-drill-prod", media: { prefix: "iconik-drill-" } };
  assert.doesNotThrow(() => stackConfig("prod", { ...drill, notifications: undefined }));
});
