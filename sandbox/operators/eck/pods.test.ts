/** Accounts of search pods: the pod template's, whatever the resource itself says. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { statefulSet } from "./pods";
import type { Elasticsearch } from "./types";

const accountOf = (spec: Partial<Elasticsearch["spec"]>, pod: object) => {
  const nodeSet = { name: "b", podTemplate: { spec: pod } };
  const cluster = {
    apiVersion: "elasticsearch.k8s.elastic.co/v1",
    kind: "Elasticsearch",
    metadata: { name: "iconik", namespace: "elasticsearch", uid: "u" },
    spec: { version: "9.0.0", ...spec, nodeSets: [nodeSet] },
  } as Elasticsearch;
  return statefulSet(cluster, nodeSet).spec?.template.spec?.serviceAccountName;
};

test("pods run as the pod template's account", () => {
  assert.equal(accountOf({}, { serviceAccountName: "elasticsearch-backup" }), "elasticsearch-backup");
});

test("the account of associations is no pod's: without one of its own a pod runs as the default one", () => {
  assert.equal(accountOf({ serviceAccountName: "elasticsearch-backup" }, {}), undefined);
});
