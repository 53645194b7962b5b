import { types } from "../lib/types";
import { pod, resource, specify } from "../testing";
import { oneRegistry } from "./one-registry";

const HOST = "europe-west6-docker.pkg.dev";
const job = (project: string) => resource(types.job, pod({ image: `${HOST}/${project}/dr/jobs@sha256:0` }));
const ecr = (repository: string, account = "123456789012") =>
  resource(types.job, pod({ image: `${account}.dkr.ecr.eu-central-1.amazonaws.com/${repository}/jobs@sha256:0` }));
const MIRROR = `${HOST}/vault/mirror`;
const release = (chart?: string, values?: object) => resource(types.release, { chart, values }, { name: "release" });
const charts = (name: string, values?: object) => release(`oci://${HOST}/vault/charts/${name}`, values);
const eck = { image: { repository: `${MIRROR}/eck/eck-operator` }, config: { containerRegistry: MIRROR } };
const image = { registry: MIRROR, repository: "k8ssandra", name: "medusa", tag: "1" };
const k8ssandra = {
  image: { registry: MIRROR, repository: "k8ssandra/k8ssandra-operator" },
  client: { image: { registry: MIRROR, repository: "k8ssandra/k8ssandra-client" } },
  "cass-operator": { image: { registry: MIRROR, repository: "k8ssandra/cass-operator" } },
  global: { imageConfig: { overrides: { registry: MIRROR }, images: { medusa: { repository: "k8ssandra" } } } },
};
const cassandra = (spec: object) => resource(types.cassandra, { spec }, { name: "cassandra" });
const stores = {
  cassandra: { serverImage: `${MIRROR}/k8ssandra/cass-management-api:1` },
  medusa: { containerImage: image },
  reaper: { containerImage: image },
};
const search = (spec: object) => resource(types.elasticsearch, { spec }, { name: "search" });
const sidecar = (name: string) => ({ podTemplate: { spec: { initContainers: [{ name: "init", image: name }] } } });
const cluster = (project: string) => resource(types.cluster, { project });

specify(oneRegistry, {
  holds: [
    [job("vault"), charts("eck-operator", eck), cluster("site")],
    [job("vault"), charts("k8ssandra-operator", k8ssandra), cassandra(stores), cluster("site")],
    [charts("connect", { operator: { imageRepository: `${MIRROR}/1password/onepassword-operator` } })],
    [charts("other"), search({ image: `${MIRROR}/elasticsearch/elasticsearch:1`, nodeSets: [] })],
    [cassandra({ cassandra: stores.cassandra }), cassandra({})],
    [resource(`${types.elasticsearch}Patch`, { spec: { nodeSets: [] } })],
    [job("vault"), cluster("vault"), resource(types.repository, { project: "vault" })],
    [cluster("site")],
    [ecr("dr"), ecr("other")],
    [resource(types.job, { spec: { template: { spec: { containers: [] } } } })],
  ],
  violated: [
    [[job("vault"), job("other")], /S4, D2: it uses .*\/other, it uses .*\/vault; use the vault's alone/],
    [[job("vault"), release("oci://quay.io/jetstack/charts/cert-manager")], /release uses quay.io\/jetstack/],
    [[job("vault"), release("cert-manager")], /release uses cert-manager/],
    [[job("vault"), release()], /release uses undefined/],
    [charts("eck-operator"), /release leaves values.image to the publisher's registry; name the vault's mirror/],
    [charts("eck-operator", { ...eck, config: {} }), /release leaves values.config.containerRegistry/],
    [charts("cert-manager", { image: eck.image }), /release leaves values.acmesolver.image/],
    [charts("connect", { operator: {} }), /release leaves values.operator.imageRepository/],
    [charts("k8ssandra-operator", { ...k8ssandra, global: {} }), /leaves values.global.imageConfig.overrides.registry/],
    [
      charts("k8ssandra-operator", { ...k8ssandra, global: { imageConfig: { overrides: { registry: "docker.io" } } } }),
      /release uses docker.io, release uses .*\/vault; use the vault's alone/,
    ],
    [charts("other", { side: { image: { repository: "quay.io/a/b" } } }), /release uses quay.io\/a/],
    [charts("other", { side: { image: { registry: "quay.io", repository: "a/b" } } }), /release uses quay.io\/a/],
    [cassandra({ ...stores, cassandra: {} }), /cassandra leaves spec.cassandra.serverImage/],
    [cassandra({ ...stores, medusa: {} }), /cassandra leaves spec.medusa.containerImage/],
    [cassandra({ ...stores, reaper: { containerImage: { tag: "1" } } }), /cassandra leaves spec.reaper.containerImage/],
    [
      cassandra({ ...stores, reaper: { containerImage: { ...image, registry: undefined } } }),
      /cassandra uses k8ssandra\/medusa/,
    ],
    [
      cassandra({ ...stores, cassandra: { ...stores.cassandra, datacenters: [{ serverImage: "docker.io/a/b:1" }] } }),
      /cassandra uses docker.io\/a/,
    ],
    [resource(types.cassandraDatacenter, { spec: {} }), /it leaves spec.serverImage/],
    [search({ nodeSets: [] }), /search leaves spec.image to the publisher's registry/],
    [search({ image: `${MIRROR}/a/b:1`, nodeSets: [sidecar("busybox")] }), /search uses busybox/],
    [[ecr("dr"), ecr("dr", "000000000000")], /use the vault's alone/],
    [[ecr("dr"), job("vault")], /use the vault's alone/],
    [[job("site"), cluster("site")], /site, which is lost with the site/],
  ],
});
