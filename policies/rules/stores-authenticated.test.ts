import { types } from "../lib/types";
import { type Props, resource, specify } from "../testing";
import { storesAuthenticated } from "./stores-authenticated";

const yaml = { authenticator: "PasswordAuthenticator", authorizer: "CassandraAuthorizer" };
const cassandra = (spec: Props = {}, cassandraYaml: Props = yaml, superuserSecretRef: Props = { name: "s" }) =>
  resource(types.cassandra, {
    spec: { auth: true, cassandra: { superuserSecretRef, config: { cassandraYaml } }, ...spec },
  });
const elasticsearch = (spec: Props) => resource(types.elasticsearch, { spec });
const config = (values: Props) => elasticsearch({ nodeSets: [{ config: values }] });

specify(storesAuthenticated, {
  holds: [
    cassandra(),
    elasticsearch({ nodeSets: [] }),
    config({ "node.attr.zone": "a" }),
    // ECK's defaults are TLS and passwords.
    resource(types.elasticsearch),
    elasticsearch({ http: { tls: { selfSignedCertificate: { disabled: false } } } }),
  ],
  violated: [
    [
      resource(types.cassandra),
      /S1, S3, S5, D5: spec.auth is not set.*\n.*authenticator.*\n.*authorizer.*\n.*superuserSecretRef/,
    ],
    [cassandra({ auth: false }), /spec.auth is false/],
    [cassandra({}, { ...yaml, authenticator: "AllowAllAuthenticator" }), /authenticator is "AllowAllAuthenticator"/],
    [cassandra({}, { ...yaml, authorizer: undefined }), /authorizer is not set/],
    [cassandra({}, yaml, {}), /superuserSecretRef is not set/],
    [elasticsearch({ http: { tls: { selfSignedCertificate: { disabled: true } } } }), /passwords would go in clear/],
    [config({ "xpack.security.enabled": false }), /xpack.security.enabled is false/],
    [config({ xpack: { security: { enabled: false } } }), /xpack.security.enabled is false/],
    [config({ "xpack.security.authc.anonymous.username": "x" }), /lets anybody in/],
  ],
});
