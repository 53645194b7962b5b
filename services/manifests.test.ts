/** The services' manifests: what the plan says stands in them, and every promise of a workload is kept. */
import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { poolLabel } from "../components/cluster";
import { fitted, imagePlaceholder, type Manifest } from "../components/services";
import {
  type CustomerBucket,
  customersAudience,
  customersConfigMap,
  customersFile,
  customersFolder,
  customersToken,
  customersUser,
} from "../plan/customers";
import { identity } from "../plan/identities";
import { elasticsearchService, namespaces, regionConfigMap, secrets, serviceItems } from "../plan/names";
import { endpointGroupName, frontPort, googleFrontEnds, healthCheck, requests } from "../plan/traffic";
import { serviceManifests } from "../stacks/manifests";
import { apiSettings, frontSettings, workerSettings } from "./app/settings";

// biome-ignore lint/suspicious/noExplicitAny: manifests are read as anybody wrote them
type Any = any;
const manifests = serviceManifests() as (Manifest & { spec: Any })[];
const of = (kind: string) => manifests.filter((each) => each.kind === kind);
const named = (kind: string, name: string) => of(kind).find(({ metadata }) => metadata.name === name)!;
const deployments = of("Deployment");
const pod = (deployment: Manifest & { spec: Any }) => deployment.spec.template.spec;

test("the front's Service names the load balancer's groups and their port", () => {
  const { metadata, spec } = named("Service", "front");
  const annotation = (metadata.annotations as Record<string, string>)["cloud.google.com/neg"]!;
  assert.deepEqual(JSON.parse(annotation), { exposed_ports: { 80: { name: endpointGroupName } } });
  assert.equal(spec.ports[0].port, 80);
  assert.equal(spec.ports[0].targetPort, "http");
  for (const each of of("Service").filter(({ metadata: { name } }) => name !== "front"))
    assert.equal(each.metadata.annotations, undefined, "only the front is reached from outside");
});

test("every pod is fit for its restricted namespace, on the services' machines, and bounded in memory", () => {
  assert.deepEqual(
    deployments.map(({ metadata }) => metadata.name),
    ["api", "front", "worker"],
  );
  for (const deployment of deployments) {
    const { securityContext, nodeSelector, containers, topologySpreadConstraints } = pod(deployment);
    assert.deepEqual(nodeSelector, { [poolLabel]: "services" });
    assert.equal(securityContext.runAsNonRoot, true);
    assert.deepEqual(securityContext.seccompProfile, { type: "RuntimeDefault" });
    assert.deepEqual(
      topologySpreadConstraints.map((each: Any) => each.topologyKey),
      ["topology.kubernetes.io/zone", "kubernetes.io/hostname"],
    );
    for (const container of containers) {
      assert.equal(container.image, imagePlaceholder);
      assert.deepEqual(container.securityContext, {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
      assert.ok(container.resources.limits.memory && container.resources.requests.cpu);
      assert.ok(container.livenessProbe && container.startupProbe);
      assert.deepEqual(container.ports, [{ name: "http", containerPort: frontPort }]);
    }
  }
});

test("a pod that answers requests is ready when it can, and goes on until it is forgotten", () => {
  for (const name of ["front", "api"]) {
    const deployment = named("Deployment", name);
    const [container] = pod(deployment).containers;
    assert.equal(container.readinessProbe.httpGet.path, name === "api" ? "/readyz" : "/livez");
    assert.ok(container.lifecycle.preStop.sleep.seconds >= requests.drainingSeconds);
    const { terminationGracePeriodSeconds: grace } = pod(deployment);
    assert.ok(
      grace > container.lifecycle.preStop.sleep.seconds + requests.timeoutSeconds,
      "what has begun is finished",
    );
    // Two writers of one number: the autoscaler has it.
    assert.equal(deployment.spec.replicas, undefined);
    assert.equal(named("HorizontalPodAutoscaler", name).spec.scaleTargetRef.name, name);
    assert.deepEqual(named("PodDisruptionBudget", name).spec.selector, deployment.spec.selector);
  }
  assert.ok(
    !JSON.stringify(pod(named("Deployment", "front"))).includes(healthCheck.path),
    "a region's health is no pod's",
  );
});

test("nothing reaches anything that is not said here", () => {
  const [deny] = of("NetworkPolicy").filter(({ metadata }) => metadata.name === "default-deny");
  assert.deepEqual(deny?.spec, { podSelector: {}, policyTypes: ["Ingress", "Egress"] });
  const { ingress } = named("NetworkPolicy", "front").spec;
  assert.deepEqual(ingress, [
    {
      from: googleFrontEnds.map((cidr) => ({ ipBlock: { cidr } })),
      ports: [{ protocol: "TCP", port: frontPort }],
    },
  ]);
  const stores = JSON.stringify(named("NetworkPolicy", "stores").spec);
  for (const each of [namespaces.cassandra, namespaces.elasticsearch, elasticsearchService.port])
    assert.ok(stores.includes(String(each)), String(each));
});

test("the names of what the stack makes are the plan's", () => {
  const allowed = new Set<string>(serviceItems);
  for (const deployment of deployments) {
    const { containers, volumes = [] } = pod(deployment);
    assert.deepEqual(containers[0].envFrom, [{ configMapRef: { name: regionConfigMap } }]);
    for (const { secret } of volumes) assert.ok(allowed.has(secret.secretName), secret.secretName);
  }
  const role = named("Role", "services-certificates") as Any;
  assert.equal(role.metadata.namespace, namespaces.elasticsearch);
  assert.deepEqual(role.rules, [
    { apiGroups: [""], resources: ["secrets"], resourceNames: [secrets.elasticCertificates], verbs: ["get"] },
  ]);
  const own = identity("services").kubernetes.map(({ name }) => name);
  const accounts = [...own, ...of("ServiceAccount").map(({ metadata }) => metadata.name)];
  assert.deepEqual(accounts.sort(), deployments.map((each) => pod(each).serviceAccountName).sort());
});

test("an environment of the stack and the manifest is what each part asks for", () => {
  const region = {
    REGION: "europe-west1",
    DATACENTER: "emea",
    CASSANDRA_CONTACT_POINTS: "a,b",
    ELASTICSEARCH_URL: "https://es:9200",
    ELASTICSEARCH_CERTIFICATES: "elasticsearch/certs",
  };
  for (const [name, schema] of Object.entries({ front: frontSettings, api: apiSettings, worker: workerSettings })) {
    const env = pod(named("Deployment", name)).containers[0].env as { name: string; value?: string }[];
    const own = Object.fromEntries(env.map((each) => [each.name, each.value ?? "10.0.0.1"]));
    assert.deepEqual(schema.safeParse({ ...region, ...own }).error?.issues, undefined, name);
    assert.equal(schema.safeParse(own).success, false, "without the region");
    assert.equal(schema.safeParse(region).success, false, "without an address to listen at");
  }
});

test("the stack adds image, pods per zone and what makes pods anew; the rest stays as it is in git", () => {
  const args = { image: "r/services@sha256:0", zones: 3, config: { A: "1" } };
  const api = named("Deployment", "api");
  const { containers } = pod(fitted(api, args) as Any);
  assert.equal(containers[0].image, args.image);
  assert.equal(pod(api).containers[0].image, imagePlaceholder, "what was read is not changed");
  const digest = (config: Record<string, string>) =>
    (fitted(api, { ...args, config }) as Any).spec.template.metadata.annotations["iconik.io/region-config"];
  assert.equal(digest({ A: "1", B: "2" }), digest({ B: "2", A: "1" }));
  assert.notEqual(digest({ A: "1" }), digest({ A: "2" }));
  const scaler = named("HorizontalPodAutoscaler", "api");
  for (const [zones, pods] of [
    [1, 2],
    [2, 2],
    [3, 3],
  ])
    assert.equal((fitted(scaler, { ...args, zones: zones! }) as Any).spec.minReplicas, pods);
  const service = named("Service", "api");
  assert.equal(fitted(service, args), service);
});

test("the API alone is told of customers' buckets, with a token for their pools where one is in Google Cloud", () => {
  const args = { image: "i", zones: 1, config: {} };
  const acme = {
    name: "acme",
    bucket: "s3://acme",
    region: "eu-west-1",
    role: "arn:aws:iam::210987654321:role/iconik",
  };
  const globex = { name: "globex", bucket: "gs://globex", provider: "//iam.googleapis.com/p", serviceAccount: "a@b" };
  const withBuckets = (customerBuckets: CustomerBucket[], name = "api") =>
    fitted(named("Deployment", name), { ...args, customerBuckets }) as Any;
  assert.deepEqual(withBuckets([]), fitted(named("Deployment", "api"), args));
  assert.deepEqual(withBuckets([acme], "worker"), fitted(named("Deployment", "worker"), args));
  const sources = (buckets: CustomerBucket[]) => {
    const { containers, volumes } = pod(withBuckets(buckets));
    assert.ok(containers[0].env.some((each: Any) => each.name === "CUSTOMERS" && each.value === customersFolder));
    assert.ok(containers[0].volumeMounts.some((each: Any) => each.mountPath === customersFolder && each.readOnly));
    return volumes.at(-1).projected.sources;
  };
  const list = { configMap: { name: customersConfigMap } };
  assert.deepEqual(sources([acme]), [list]);
  const token = { audience: customersAudience, expirationSeconds: 3600, path: customersToken };
  assert.deepEqual(sources([acme, globex]), [list, { serviceAccountToken: token }]);
  const digest = (buckets: CustomerBucket[]) =>
    withBuckets(buckets).spec.template.metadata.annotations["iconik.io/region-config"];
  assert.notEqual(digest([acme]), digest([globex]), "pods read the list once");
  assert.deepEqual(
    [customersUser.namespace, customersUser.name],
    [named("Deployment", "api").metadata.namespace, pod(named("Deployment", "api")).serviceAccountName],
  );
});

test("a bucket is NAME, or NAME=s3://BUCKET with its copies; customers' are in a folder", () => {
  const folder = mkdtempSync(join(tmpdir(), "customers-"));
  const shape = apiSettings.pick({ MEDIA_BUCKETS: true, MEDIA_COPIES: true, CUSTOMERS: true });
  const none = shape.parse({});
  assert.deepEqual([none.MEDIA_BUCKETS, none.MEDIA_COPIES, none.CUSTOMERS.buckets], [[], [], []]);
  const found = shape.parse({ MEDIA_BUCKETS: "a,c=s3://d", MEDIA_COPIES: "s3://e" });
  assert.deepEqual([found.MEDIA_BUCKETS, found.MEDIA_COPIES], [["a", "c=s3://d"], ["s3://e"]]);
  for (const wrong of ["a=b", "a=ftp://b", "a b", "a=s3://b/c"])
    assert.match(String(shape.safeParse({ MEDIA_BUCKETS: wrong }).error?.message), /allowed: NAME or NAME=s3/, wrong);
  writeFileSync(join(folder, customersFile), '[{"name":"acme"}]');
  const { CUSTOMERS } = shape.parse({ CUSTOMERS: folder });
  assert.deepEqual(CUSTOMERS, { buckets: [{ name: "acme" }], token: join(folder, customersToken) });
});

test("a file that is no YAML is named", () => {
  const folder = mkdtempSync(join(tmpdir(), "manifests-"));
  assert.deepEqual(serviceManifests(folder), []);
  writeFileSync(join(folder, "a.yaml"), "a: [1");
  assert.throws(() => serviceManifests(folder), /a\.yaml: /);
});
