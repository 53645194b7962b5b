/**
 * Forms of programs of which little is used; from their manuals, 2026-11-30: curl(1), dig(1), `helm help`, `crane help`, `gh help`, git(1), and
 * Cassandra's nodetool 5.0.
 */
import { type Form, form, text } from "./forms";

const keyspace = { keyspace: text, ks: text };

/** By program, then by command; "" is a program without commands. */
export const smallPrograms: Record<string, Record<string, Form>> = {
  curl: {
    "": form([1, 1], {
      ...{ f: undefined, s: undefined, S: undefined, o: text, w: text },
      ...{
        fail: undefined,
        "fail-with-body": undefined,
        silent: undefined,
        "show-error": undefined,
        location: undefined,
      },
      ...{
        cacert: text,
        user: text,
        resolve: text,
        "max-time": text,
        header: text,
        request: text,
        data: { what: "any text", fits: () => true },
      },
    }),
  },
  dig: { "": form([1, 4]) },
  git: { checkout: form([1, 20]) },
  gh: {
    "workflow disable": form([1, 1]),
    "workflow enable": form([1, 1]),
    api: form([1, 1], { jq: { what: "a query", fits: () => true } }),
  },
  helm: {
    "registry login": form([1, 1], { username: text, "password-stdin": undefined }, ["username", "password-stdin"]),
    pull: form([1, 1], { repo: text, version: text }, ["version"]),
    push: form([2, 2]),
    template: form([1, 2]),
  },
  crane: {
    "auth login": form([1, 1], { username: text, "password-stdin": undefined }, ["username", "password-stdin"]),
    digest: form([1, 1]),
    copy: form([2, 2]),
    ls: form([1, 1]),
  },
  nodetool: {
    listsnapshots: form([0, 0]),
    rebuild: form([0, 1], keyspace),
    removenode: form([1, 1]),
    repair: form([0, 20], { full: undefined }),
    scrub: form([0, 20], { "skip-corrupted": undefined }),
    status: form([0, 1]),
    verify: form([0, 20], { "extended-verify": undefined, force: undefined }),
  },
};
