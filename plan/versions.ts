/** Versions of what runs in the clusters, pinned once. Charts come from the vault's registry (config `charts`). */

/** Operator charts: names as published, versions as tried together, and the repository of whoever publishes them. */
export const charts = {
  certManager: { name: "cert-manager", version: "v1.19.2", publisher: "oci://quay.io/jetstack/charts" },
  k8ssandra: { name: "k8ssandra-operator", version: "1.32.5", publisher: "https://helm.k8ssandra.io/stable" },
  eck: { name: "eck-operator", version: "3.5.0", publisher: "https://helm.elastic.co" },
  onePassword: { name: "connect", version: "2.3.0", publisher: "https://1password.github.io/connect-helm-charts" },
} as const;

/** Cassandra as k8ssandra's management image carries it; a restore needs the same major version. */
export const cassandraVersion = "5.0.4";

/** Elasticsearch server version. */
export const elasticsearchVersion = "9.2.3";
