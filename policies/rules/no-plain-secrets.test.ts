import { types } from "../lib/types";
import { type Props, pod, resource, specify } from "../testing";
import { noPlainSecrets } from "./no-plain-secrets";

const secret = (name: string, namespace: string, more: Props = {}) =>
  resource(types.secret, { metadata: { name, namespace }, ...more });
const fromSecret = { name: "DB_PASSWORD", valueFrom: { secretKeyRef: {} } };
const plain = { name: "DB_PASSWORD", value: "x" };
const release = (values?: Props) => resource(types.release, { name: "r", values });

specify(noPlainSecrets, {
  holds: [
    resource(types.cronJob, {
      spec: {
        jobTemplate: pod({ env: [{ name: "GOOGLE_APPLICATION_CREDENTIALS", value: "/var/run/google/c.json" }] }),
      },
    }),
    secret("onepassword-service-account-token", "onepassword", { stringData: { token: "x" } }),
    secret("kubeconfig-emea", "cassandra"),
    secret("k8ssandra-control-plane-token", "cassandra", { type: "kubernetes.io/service-account-token" }),
    resource(types.configMap, { data: { "app.conf": "x" } }),
    resource(types.configMap, { data: {} }),
    resource(types.configMap),
    resource(types.job, pod({ env: [fromSecret, { name: "TOKEN", value: "" }] })),
    resource(types.job, pod({ args: ["replicate", "--password-file=/x", "--token"] })),
    resource("kubernetes:core/v1:SecretList", { items: [] }),
    release(),
    release({ operator: { serviceAccountToken: { name: "onepassword-service-account-token", key: "token" } } }),
  ],
  violated: [
    [
      resource(types.job, pod({ env: [{ name: "GOOGLE_APPLICATION_CREDENTIALS", value: '{"type":"x"}' }] })),
      /has a value in GOOGLE_APPLICATION_CREDENTIALS/,
    ],
    [secret("other", "default"), /S5: Secret "other" is declared; fetch it/],
    [resource(types.secret), /Secret not set is declared/],
    [secret("kubeconfig-emea", "dr"), /"kubeconfig-emea" is/],
    [
      secret("k8ssandra-control-plane-token", "cassandra", { stringData: { token: "x" } }),
      /"k8ssandra-control-plane-token" is declared/,
    ],
    [
      resource("kubernetes:core/v1:SecretPatch", { metadata: { name: "s" }, stringData: { a: "x" } }),
      /"s" is declared/,
    ],
    [resource("kubernetes:core/v1:SecretList", { items: [{ metadata: { name: "s" } }] }), /"s" is declared/],
    // The custom resource of a built-in kind, and a list of any kinds.
    [resource("kubernetes:v1:Secret", { metadata: { name: "s" } }), /"s" is declared/],
    [resource("kubernetes:v1:List", { items: [{ kind: "Secret", metadata: { name: "s" } }] }), /"s" is declared/],
    [resource(types.configMap, { data: { password: "x" } }), /key password looks like a secret/],
    [resource(types.configMap, { binaryData: { apiKey: "x" } }), /key apiKey looks like a secret/],
    [resource(types.job, pod({ env: [plain] })), /DB_PASSWORD; use secretKeyRef/],
    [resource(types.job, pod({ command: ["server", "--db-password=x"] })), /argument db-password; read it from a file/],
    [resource("kubernetes:apps/v1:StatefulSet", pod({ env: [plain] })), /DB_PASSWORD/],
    [resource("kubernetes:apps/v1:DaemonSet", pod({ env: [plain] })), /DB_PASSWORD/],
    [
      resource("kubernetes:core/v1:Pod", { spec: { containers: [], initContainers: [{ name: "i", env: [plain] }] } }),
      /container "i" has a value in DB_PASSWORD/,
    ],
    [release({ auth: { rootPassword: "x" } }), /chart value auth.rootPassword looks like a secret/],
  ],
});
