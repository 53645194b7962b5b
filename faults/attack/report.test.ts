/** What a person reads of an attack. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Cell } from "./matrix";
import { type AttackReport, attackPage, attackTable, countsOf, mayOf } from "./report";
import { measured } from "./storage";

const cell = (operation: Cell["operation"], of: Cell["measured"], more: Partial<Cell> = {}): Cell => ({
  ...{ cloud: "gcp", principal: "a@p.iam.gserviceaccount.com", place: "gs://b/", operation },
  ...{ expected: "refused", measured: of, status: 403, pass: of === "refused" },
  ...more,
});
const rows = [
  cell("list", "allowed", { expected: "allowed", pass: true, status: 200 }),
  cell("delete", "protected", { expected: "protected", pass: true }),
  cell("read", "refused"),
  cell("write", "allowed", { status: 200 }),
  cell("list", "refused", { principal: "arn:aws:iam::123456789012:role/b", place: "s3://c/" }),
  cell("read", "refused", { principal: "arn:aws:iam::123456789012:role/b", status: 401, anonymous: true }),
];
const report: AttackReport = {
  ...{ result: "fail", failure: "1 of 5", startedAt: "2026-11-25T10:00:00.000Z", seconds: 60, phases: [], rows },
  counts: countsOf(rows),
  wiped: { objects: 7, buckets: [{ bucket: "b", by: "a@p.iam.gserviceaccount.com" }] },
  restored: { rows: 3, documents: 2, digestsMatch: true, media: 1 },
};

test("cells are counted by what storage answered", () => {
  assert.deepEqual(report.counts, {
    ...{ cells: 6, principals: 2, places: 2, differing: 1, allowed: 2, refused: 2, anonymous: 1, protected: 1 },
  });
  assert.equal(countsOf([]).cells, 0);
  const minted = cell("mint another's token", "refused", { place: "c@p.iam.gserviceaccount.com" });
  assert.equal(countsOf([minted]).places, 0, "a token is of no place");
});

test("what somebody may is told by operation; what a retention keeps is in brackets", () => {
  assert.deepEqual(mayOf(rows), ["list, write, (delete): gs://b/"]);
  assert.deepEqual(mayOf([cell("read", "refused")]), []);
});

test("the terminal shows every identity once and each difference with what the plan says", () => {
  const text = attackTable(report);
  assert.match(text, /✘ a@p /);
  assert.match(text, /✔ aws: b /);
  assert.match(text, /✘ a@p: write at gs:\/\/b\/ is allowed \(200\), the plan says refused/);
  assert.match(text, /FAIL {7}1 of 5$/);
  assert.match(attackTable({ ...report, result: "pass" }), /PASS$/);
});

test("the page has the day and the figures", () => {
  const page = attackPage(report);
  assert.match(page, /Measured on the local cloud on 2026-11-25/);
  assert.match(page, /\*\*6 attempts\*\* by 2 identities at 2 places: 2 were refused by name, 1 as anybody without/);
  assert.match(page, /1 were kept from by a retention\n.*2 were allowed; 1 differed/);
  assert.match(page, /\| aws: b \| 2 \| nothing \|/);
  assert.doesNotMatch(attackPage({ ...report, wiped: null, restored: null }), /wiped|brought/);
});

test("only what met the storage's decision is an answer", () => {
  const of = (status: number, body = "") => measured({ status, body }, (text) => text === "kept").verdict;
  assert.deepEqual(
    [200, 204, 501, 401, 403, 404, 429, 500].map((status) => of(status)),
    [...["allowed", "allowed", "allowed", "unclear", "refused", "unclear", "unclear", "unclear"]],
  );
  assert.equal(of(403, "kept"), "protected");
});

test("whoever is not known by its credentials was not refused, unless it came without any", () => {
  const of = (status: number, code: string, anonymous: boolean) =>
    measured({ status, body: `<Code>${code}</Code>` }, () => false, anonymous);
  for (const code of ["InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"])
    assert.equal(of(403, code, false).verdict, "unclear", code);
  assert.equal(of(403, "AccessDenied", false).verdict, "refused");
  assert.equal(of(401, "required", false).verdict, "unclear");
  assert.deepEqual(of(401, "required", true), {
    ...{ verdict: "refused", status: 401, said: "<Code>required</Code>", anonymous: true },
  });
  assert.equal(of(403, "AccessDenied", true).verdict, "refused");
});
