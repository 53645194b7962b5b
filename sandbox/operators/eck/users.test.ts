/** Users of the file realm: those with a name and a password, with what their roles allow and nothing else. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { usersOf } from "./users";

const roles = {
  "roles.yml": "reader: { indices: [{ names: [a, 'b-*'] }] }\nwatcher: { cluster: [monitor], indices: [] }\n",
};

test("a user has the rights of its roles", () => {
  assert.deepEqual(usersOf([{ username: "u", password: "p", roles: "reader, watcher" }], [roles]), {
    u: { password: "p", monitor: true, indices: ["a", "b-*"] },
  });
});

test("without a role, or with one that is not there, it has none", () => {
  const none = { u: { password: "p", monitor: false, indices: [] } };
  assert.deepEqual(usersOf([{ username: "u", password: "p" }], [roles]), none);
  assert.deepEqual(usersOf([{ username: "u", password: "p", roles: "reader" }], [{}]), none);
});

test("what has no name or no password is no user", () => {
  assert.deepEqual(usersOf([{ username: "u" }, { password: "p" }, {}], [roles]), {});
});
