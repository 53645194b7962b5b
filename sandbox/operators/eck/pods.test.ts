/** Search pods: their account and what their container is given are the pod template's. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { statefulSet } from "./pods";
import type { Elasticsearch } from "./types";

const specOf = (spec: Partial<Elasticsearch["spec"]>, pod: object) => {
  const nodeSet = { name: "b", podTemplate: { spec: pod } };
  const cluster = {
    apiVersion: "elasticsearch.k8s.elastic.co/v1",
    kind: "Elasticsearch",
    metadata: { name: "iconik", namespace: "elasticsearch", uid: "u" },
    spec: { version: "9.0.0", ...spec, nodeSets: [nodeSet] },
  } as Elasticsearch;
  return statefulSet(cluster, nodeSet).spec?.template.spec;
};
const accountOf = (spec: Partial<Elasticsearch["spec"]>, pod: object) => specOf(spec, pod)?.serviceAccountName;

test("pods run as the pod template's account", () => {
  assert.equal(accountOf({}, { serviceAccountName: "elasticsearch-backup" }), "elasticsearch-backup");
});

test("the account of associations is no pod's: without one of its own a pod runs as the default one", () => {
  assert.equal(accountOf({ serviceAccountName: "elasticsearch-backup" }, {}), undefined);
});

test("what a pod template gives its container is there, below the configuration's folder of here", () => {
  const folder = "/usr/share/elasticsearch/config/repository-s3";
  const container = {
    name: "elasticsearch",
    env: [{ name: "AWS_WEB_IDENTITY_TOKEN_FILE", value: `${folder}/token` }],
    volumeMounts: [{ name: "s3-token", mountPath: folder, readOnly: true }],
  };
  const volumes = [{ name: "s3-token", emptyDir: {} }];
  const pod = specOf({}, { containers: [container], volumes });
  const here = "/var/lib/elasticsearch/config/repository-s3";
  const [node] = pod?.containers ?? [];
  assert.equal(node?.env?.find(({ name }) => name === "AWS_WEB_IDENTITY_TOKEN_FILE")?.value, `${here}/token`);
  assert.deepEqual(node?.volumeMounts?.at(-1), { name: "s3-token", mountPath: here, readOnly: true });
  assert.ok(pod?.volumes?.some(({ name }) => name === "s3-token"));
});
