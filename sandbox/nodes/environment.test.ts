import assert from "node:assert/strict";
import { test } from "node:test";
import type { V1Pod } from "@kubernetes/client-node";
import fc from "fast-check";
import { ContainerConfigError, commandLine, containerEnv, expand, podField, type ReadMap } from "./environment";

const pod: V1Pod = { metadata: { name: "p", namespace: "n", labels: { rack: "r1" } } };
const read: ReadMap = async (kind, name) => (kind === "Secret" && name === "s" ? { key: "value" } : undefined);

test("text without references stays as it is", () => {
  fc.assert(
    fc.property(
      fc.string().filter((text) => !text.includes("$")),
      (text) => expand(text, { a: "b" }) === text,
    ),
  );
});

test("references are replaced, doubled dollars escape them, unknown ones stay", () => {
  assert.equal(expand("$(A)-$$(A)-$(B)", { A: "1" }), "1-$(A)-$(B)");
});

test("later variables refer to earlier ones and to the pod", async () => {
  const env = await containerEnv(
    {
      name: "c",
      envFrom: [{ prefix: "S_", secretRef: { name: "s" } }],
      env: [
        { name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
        { name: "RACK", valueFrom: { fieldRef: { fieldPath: "metadata.labels['rack']" } } },
        { name: "URL", value: "http://$(IP)/$(RACK)/$(S_key)" },
        { name: "NONE", valueFrom: { secretKeyRef: { name: "absent", key: "k", optional: true } } },
      ],
    },
    pod,
    "127.20.0.9",
    read,
    { BASE: "1" },
  );
  assert.deepEqual(env, {
    BASE: "1",
    S_key: "value",
    IP: "127.20.0.9",
    RACK: "r1",
    URL: "http://127.20.0.9/r1/value",
  });
});

test("a missing Secret, key or field is named", async () => {
  const variable = (name: string, key: string) => ({
    name: "c",
    env: [{ name: "V", valueFrom: { secretKeyRef: { name, key } } }],
  });
  await assert.rejects(containerEnv(variable("absent", "k"), pod, "", read, {}), /Secret "absent" not found/);
  await assert.rejects(containerEnv(variable("s", "k"), pod, "", read, {}), /couldn't find key k in Secret s/);
  assert.throws(() => podField(pod, "spec.containers", ""), ContainerConfigError);
});

test("a container's command replaces the image's, its arguments are expanded", () => {
  const image = { entrypoint: ["/run"], mounts: {}, path: [], env: {} };
  assert.deepEqual(commandLine({ name: "c", args: ["$(A)"] }, image, { A: "1" }), ["/run", "1"]);
  assert.deepEqual(commandLine({ name: "c", command: ["sh"] }, image, {}), ["sh"]);
});
