/** Restores of media in the vault's and the foundation's configuration: each mistake is refused word for word. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { VaultConfig } from ".";
import { foundation, parsed, type Values, vault } from "./testing";

const DAY = 24 * 3600_000;
const inDays = (days: number) => new Date(Date.now() + days * DAY).toISOString();
const restore = (change: Values = {}): Values => ({
  ...{ id: "ticket-1", bucket: "iconik-files", at: inDays(-1), expires: inDays(1), ...change },
});
const inFoundation = (restores: Values[], change: Values = {}) =>
  foundation({ media: { location: "EU", restores }, ...change });
const inVault = (restores: Values[]) =>
  vault({ media: { location: "EU", prefix: "iconik-drill-", project: "iconik-drill-foundation", restores } });

const [LONG_AGO, TOMORROW, YESTERDAY, FAR] = [inDays(-31), inDays(1), inDays(-1), inDays(15)];
const ID = "no id of a restore; allowed: lower-case letters, digits and hyphens, 40 at most, a letter first";

const cases: [what: string, restores: Values[], line: string][] = [
  ["an id with capitals", [restore({ id: "Ticket" })], `media.restores[0].id is "Ticket": ${ID}`],
  ["an id that is too long", [restore({ id: "a".repeat(41) })], `media.restores[0].id is "${"a".repeat(41)}": ${ID}`],
  [
    "an id given twice",
    [restore(), restore({ prefix: "a/" })],
    'media.restores[1].id is "ticket-1": given twice; name each once',
  ],
  [
    "a customer's bucket",
    [restore({ bucket: "acme-media" })],
    'media.restores[0].bucket is "acme-media": no media bucket of the product, and customer-owned buckets are never copied; allowed: iconik-files, iconik-keyframes, iconik-proxies',
  ],
  [
    "prefix and object",
    [restore({ prefix: "a/", object: "a/b" })],
    'media.restores[0].object is "a/b": given beside the prefix "a/"; keep one of both',
  ],
  [
    "an empty prefix",
    [restore({ prefix: "" })],
    'media.restores[0].prefix is "": empty; leave it out for the whole bucket',
  ],
  [
    "a moment to come",
    [restore({ at: TOMORROW })],
    `media.restores[0].at is "${TOMORROW}": has not come yet; set a moment at which the media were whole`,
  ],
  [
    "a moment of which nothing is kept",
    [restore({ at: LONG_AGO })],
    `media.restores[0].at is "${LONG_AGO}": more than 30 days ago, and no version is kept longer; set a later moment`,
  ],
  [
    "an end that has passed",
    [restore({ expires: YESTERDAY })],
    `media.restores[0].expires is "${YESTERDAY}": has passed; remove the restore, or set a moment that covers it`,
  ],
  [
    "a grant that stays",
    [restore({ expires: FAR })],
    `media.restores[0].expires is "${FAR}": more than 14 days ahead; a grant ends soon`,
  ],
];

for (const [what, restores, line] of cases) {
  test(`refused: ${what}`, () => {
    assert.throws(
      () => parsed(inFoundation(restores), "it"),
      (error: Error) => error.message.includes(line) || assert.fail(error.message),
    );
  });
}

test("the vault checks them too, against its own buckets", () => {
  assert.throws(
    () => parsed(inVault([restore()]), "drill-vault"),
    /media\.restores\[0\]\.bucket is "iconik-files": .*allowed: iconik-drill-files/,
  );
  const { media } = parsed(inVault([restore({ bucket: "iconik-drill-files" })]), "drill-vault") as VaultConfig;
  assert.deepEqual(
    media?.restores.map(({ overwrite, dryRun, prefix }) => ({ overwrite, dryRun, prefix })),
    [{ overwrite: false, dryRun: false, prefix: undefined }],
  );
  assert.deepEqual((parsed(vault(), "drill-vault") as VaultConfig).media?.restores, []);
});

test("a foundation that knows no vault grants nothing to anybody", () => {
  assert.throws(
    () => parsed(inFoundation([restore()], { vault: undefined }), "it"),
    /media\.restores is "ticket-1": nobody could restore: the identities are the vault's; set vault\.project/,
  );
  assert.doesNotThrow(() => parsed(inFoundation([restore()]), "it"));
});
