import type { ResourceRule } from "../lib/rule";
import { types } from "../lib/types";
import { at, object, objects, shown } from "../lib/values";

/** A pod that somebody took over reads no store by that alone: each asks for a password, over TLS where it is HTTP. */
export const storesAuthenticated: ResourceRule = {
  name: "stores-authenticated",
  description:
    "Cassandra asks for the 1Password superuser's password; Elasticsearch speaks TLS and lets nobody in anonymously",
  plan: ["S1", "S3", "S5", "D5"],
  types: [types.cassandra, types.elasticsearch],
  check: ({ type, props }) => {
    const spec = object(props.spec);
    return type === types.cassandra ? cassandraProblems(spec) : elasticsearchProblems(spec);
  },
};

function cassandraProblems(spec: Record<string, unknown>): string[] {
  const yaml = object(at(spec, "cassandra", "config", "cassandraYaml"));
  const open = (["authenticator", "authorizer"] as const).filter((key) =>
    /AllowAll/.test(String(yaml[key] ?? "AllowAll")),
  );
  return [
    ...(spec.auth === true ? [] : [`spec.auth is ${shown(spec.auth)}; set true`]),
    ...open.map((key) => `cassandraYaml.${key} is ${shown(yaml[key])}; set Cassandra's password classes`),
    ...(at(spec, "cassandra", "superuserSecretRef", "name")
      ? []
      : ["spec.cassandra.superuserSecretRef is not set; name the Secret that a OnePasswordItem fills"]),
  ];
}

function elasticsearchProblems(spec: Record<string, unknown>): string[] {
  const configs = objects(spec.nodeSets).map(({ config }) => object(config));
  return [
    ...(at(spec, "http", "tls", "selfSignedCertificate", "disabled") === true
      ? ["spec.http.tls.selfSignedCertificate.disabled is true: passwords would go in clear; remove it"]
      : []),
    ...configs.flatMap((config) => [
      ...(String(config["xpack.security.enabled"]) === "false" || at(config, "xpack", "security", "enabled") === false
        ? ["xpack.security.enabled is false; remove it"]
        : []),
      ...Object.keys(config)
        .filter((key) => key.startsWith("xpack.security.authc.anonymous"))
        .map((key) => `${key} lets anybody in; remove it`),
    ]),
  ];
}
