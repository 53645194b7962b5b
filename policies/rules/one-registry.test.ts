import { types } from "../lib/types";
import { pod, resource, specify } from "../testing";
import { oneRegistry } from "./one-registry";

const HOST = "europe-west6-docker.pkg.dev";
const job = (project: string) => resource(types.job, pod({ image: `${HOST}/${project}/dr/jobs@sha256:0` }));
const release = (chart?: string) => resource(types.release, { chart }, { name: "release" });
const cluster = (project: string) => resource(types.cluster, { project });

specify(oneRegistry, {
  holds: [
    [job("vault"), release(`oci://${HOST}/vault/charts/eck-operator`), cluster("site")],
    [job("vault"), cluster("vault"), resource(types.repository, { project: "vault" })],
    [cluster("site")],
    [resource(types.job, { spec: { template: { spec: { containers: [] } } } })],
  ],
  violated: [
    [[job("vault"), job("other")], /S4, D2: it uses .*\/other, it uses .*\/vault; use the vault's alone/],
    [[job("vault"), release("oci://quay.io/jetstack/charts/cert-manager")], /release uses quay.io\/jetstack/],
    [[job("vault"), release("cert-manager")], /release uses cert-manager/],
    [[job("vault"), release()], /release uses undefined/],
    [[job("site"), cluster("site")], /site, which is lost with the site/],
  ],
});
