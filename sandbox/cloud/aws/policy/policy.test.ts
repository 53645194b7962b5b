import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CloudError } from "../../../lib/types";
import { contextOf, hold } from "./conditions";
import { parsePolicy } from "./document";
import { evaluate, type Policies, type Principal } from "./evaluate";
import { matches, substitute } from "./patterns";

const statement = (change: object = {}) => ({
  Effect: "Allow",
  Action: "s3:GetObject",
  Resource: "arn:aws:s3:::b/*",
  ...change,
});
const written = (...statements: object[]) => ({ Version: "2012-10-17", Statement: statements });
const me: Principal = {
  arn: "arn:aws:sts::111122223333:assumed-role/me/s",
  roleArn: "arn:aws:iam::111122223333:role/me",
  account: "111122223333",
  roleId: "AROA1",
};
const ask = (policies: Partial<Policies>, action = "s3:GetObject", context = contextOf({})) =>
  evaluate(
    me,
    { action, resource: "arn:aws:s3:::b/k", context },
    { identity: [], resourceAccount: me.account, ...policies },
  ).allowed;
const identity = (...statements: object[]) => [parsePolicy(written(...statements), "identity")];
const resource = (...statements: object[]) => ({
  policy: parsePolicy(written(...statements), "resource"),
  ids: { [me.roleArn]: me.roleId },
});

test("malformed documents are refused with what is wrong", () => {
  const wrong: [unknown, "identity" | "resource" | "trust", RegExp][] = [
    ["{", "identity", /Syntax errors/],
    [{ Version: "2020-01-01", Statement: [statement()] }, "identity", /valid version string, not "2020-01-01"/],
    [written(), "identity", /no statement/],
    [written(statement({ Effect: "Maybe" })), "identity", /Allow or Deny/],
    [written(statement({ Acton: "s3:*" })), "identity", /Unknown element Acton/],
    [written(statement({ Action: "GetObject" })), "identity", /prefaced by a vendor/],
    [written(statement({ NotAction: "s3:*" })), "identity", /Action or NotAction/],
    [written(statement({ Resource: "b/*" })), "identity", /must be in ARN format/],
    [written(statement({ Resource: undefined })), "identity", /must contain resources/],
    [written(statement({ Principal: "*" })), "identity", /should not specify a principal/],
    [written(statement()), "resource", /Missing required field Principal/],
    [written(statement({ Principal: { AWS: "me" } })), "resource", /Invalid principal in policy: "AWS":"me"/],
    [written(statement({ Principal: "*" })), "trust", /prohibited field Resource/],
    [written(statement({ Condition: { StringMatches: {} } })), "identity", /Invalid Condition type : StringMatches/],
    [written(statement({ Sid: "a-b" })), "identity", /alpha-numeric/],
    [written(statement({ Sid: "a" }), statement({ Sid: "a" })), "identity", /must be unique: a/],
    [
      written(statement({ Resource: Array(400).fill("arn:aws:s3:::long-bucket-name/*") })),
      "identity",
      /quota for PolicySize: 10240/,
    ],
  ];
  for (const [document, kind, words] of wrong)
    assert.throws(
      () => parsePolicy(document, kind),
      (error: unknown) => error instanceof CloudError && words.test(error.message),
      JSON.stringify(document).slice(0, 200),
    );
});

test("an explicit deny wins over whatever allows, wherever it stands", () => {
  fc.assert(
    fc.property(fc.boolean(), fc.boolean(), fc.boolean(), fc.boolean(), (ownAllow, ownDeny, itsAllow, itsDeny) => {
      const deny = { Effect: "Deny" };
      const none = statement({ Action: "s3:None" });
      const own = identity(ownAllow ? statement() : none, ...(ownDeny ? [statement(deny)] : []));
      const to = { Principal: { AWS: me.roleArn } };
      const its = resource(
        { ...(itsAllow ? statement() : none), ...to },
        ...(itsDeny ? [statement({ ...deny, ...to })] : []),
      );
      assert.equal(ask({ identity: own, resource: its }), (ownAllow || itsAllow) && !ownDeny && !itsDeny);
    }),
  );
});

test("across accounts both sides have to allow; a policy that names the account leaves it to the role's own", () => {
  const root = { Principal: { AWS: `arn:aws:iam::${me.account}:root` } };
  const other = { resourceAccount: "999999999999" };
  assert.equal(ask({ identity: identity(statement()), ...other }), false);
  assert.equal(ask({ resource: resource({ ...statement(), ...root }), ...other }), false);
  assert.equal(
    ask({ identity: identity(statement()), resource: resource({ ...statement(), ...root }), ...other }),
    true,
  );
  assert.equal(ask({ resource: resource({ ...statement(), ...root }) }), false);
});

test("somebody without an identity has what a resource gives to everybody, under its conditions", () => {
  const nobody: Principal = { arn: "", roleArn: "", account: "", roleId: "" };
  const open = (Condition: object) => resource({ ...statement(), Principal: "*", Condition });
  const may = (policies: Partial<Policies>, address: string) =>
    evaluate(
      nobody,
      { action: "s3:GetObject", resource: "arn:aws:s3:::b/k", context: contextOf({ "aws:SourceIp": address }) },
      { identity: [], resourceAccount: me.account, ...policies },
    ).allowed;
  const some = { IpAddress: { "aws:SourceIp": "15.177.0.0/18" } };
  assert.equal(may({ resource: open(some) }, "15.177.0.1"), true);
  assert.equal(may({ resource: open(some) }, "192.0.2.1"), false);
  assert.equal(may({}, "15.177.0.1"), false);
  assert.equal(may({ resource: resource({ ...statement(), Principal: { AWS: me.roleArn } }) }, "15.177.0.1"), false);
});

test("a boundary bounds, a key's policy decides alone, and a role made again is not the one that was named", () => {
  const [boundary] = identity(statement({ Action: "s3:PutObject" }));
  assert.equal(ask({ identity: identity(statement()), boundary }), false);
  assert.equal(ask({ identity: identity(statement()), resourceDecides: true }), false);
  const named = resource({ ...statement(), Principal: { AWS: me.roleArn } });
  assert.equal(ask({ resource: named, resourceDecides: true }), true);
  assert.equal(ask({ resource: { ...named, ids: { [me.roleArn]: "AROA0" } } }), false);
});

test("a key's policy that names the account leaves it to IAM, whatever its condition; one that names everybody does not", () => {
  const condition = { Condition: { ArnEquals: { "aws:PrincipalArn": me.roleArn } } };
  const by = (AWS: string, own: Policies["identity"], arn = me.roleArn) =>
    ask(
      { identity: own, resource: resource({ ...statement(condition), Principal: { AWS } }), resourceDecides: true },
      "s3:GetObject",
      contextOf({ "aws:PrincipalArn": arn }),
    );
  const root = `arn:aws:iam::${me.account}:root`;
  assert.equal(by(root, []), false);
  assert.equal(by(me.account, []), false);
  assert.equal(by(root, identity(statement())), true);
  assert.equal(by("*", []), true);
  assert.equal(by("*", identity(statement()), "arn:aws:iam::111122223333:role/other"), false);
});

test("NotAction, NotResource and NotPrincipal mean everything else", () => {
  assert.equal(ask({ identity: identity({ Effect: "Allow", NotAction: "s3:Put*", Resource: "*" }) }), true);
  assert.equal(ask({ identity: identity({ Effect: "Allow", NotAction: "s3:*", Resource: "*" }) }), false);
  assert.equal(
    ask({ identity: identity({ Effect: "Allow", Action: "s3:*", NotResource: "arn:aws:s3:::b/*" }) }),
    false,
  );
  const others = resource({
    Effect: "Deny",
    NotPrincipal: { AWS: me.roleArn },
    Action: "s3:*",
    Resource: "arn:aws:s3:::b/*",
  });
  assert.equal(ask({ identity: identity(statement()), resource: others }), true);
});

test("conditions: operators on present, absent and several values", () => {
  const context = contextOf({
    "aws:a": "x",
    "aws:n": "5",
    "aws:many": ["x", "y"],
    "aws:ip": "10.1.2.3",
    "aws:t": "2026-01-01T00:00:00Z",
    "aws:arn": "arn:aws:iam::1:role/a/b",
  });
  const cases: [string, string, string[], boolean][] = [
    ["StringEquals", "AWS:A", ["x"], true],
    ["StringEquals", "aws:none", ["x"], false],
    ["StringEqualsIfExists", "aws:none", ["x"], true],
    ["StringNotEquals", "aws:none", ["x"], true],
    ["StringNotEquals", "aws:a", ["x", "y"], false],
    ["StringLike", "aws:a", ["?"], true],
    ["StringNotLike", "aws:a", ["y*"], true],
    ["Null", "aws:none", ["true"], true],
    ["Null", "aws:a", ["true"], false],
    ["Bool", "aws:none", ["false"], false],
    ["NumericLessThan", "aws:n", ["6"], true],
    ["NumericGreaterThanEquals", "aws:n", ["6"], false],
    ["DateLessThan", "aws:t", ["2026-06-01T00:00:00Z"], true],
    ["IpAddress", "aws:ip", ["10.0.0.0/8"], true],
    ["NotIpAddress", "aws:ip", ["10.0.0.0/8"], false],
    ["ArnLike", "aws:arn", ["arn:aws:iam::*:role/*"], true],
    ["ArnLike", "aws:arn", ["arn:aws:*"], false],
    ["ForAllValues:StringEquals", "aws:many", ["x"], false],
    ["ForAllValues:StringEquals", "aws:none", ["x"], true],
    ["ForAnyValue:StringEquals", "aws:many", ["x"], true],
  ];
  for (const [operator, key, values, expected] of cases)
    assert.equal(hold({ [operator]: { [key]: values } }, context), expected, `${operator} ${key} ${values}`);
});

test("a wildcard matches any text, and nothing else is special", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => matches(`${a.replace(/[*?]/g, "")}*`, a.replace(/[*?]/g, "") + b)),
  );
  fc.assert(fc.property(fc.string(), (text) => matches(text.replace(/[*?]/g, "."), text.replace(/[*?]/g, "."))));
  assert.equal(matches("a.c", "abc"), false);
});

test("a variable without a value matches nothing, and one with a default has it", () => {
  const context = contextOf({ "aws:PrincipalTag/team": "red" });
  // biome-ignore-start lint/suspicious/noTemplateCurlyInString: that is how policies write variables
  assert.equal(substitute("home/${aws:PrincipalTag/team}/*", context), "home/red/*");
  assert.equal(substitute("${aws:username}", context), undefined);
  assert.equal(substitute("${aws:username, 'none'}", context), "none");
  assert.equal(substitute("a${*}b", context), "a*b");
  // biome-ignore-end lint/suspicious/noTemplateCurlyInString: see above
});
