/** How a site runs its stores: encryption, disks, networks, protection. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { regionRanges } from "../plan/addresses";
import { repair } from "../plan/repair";
import { type Declaration, type DeclaredResource, declared } from "../tests/lib/declared";
import { stackConfig } from "../tests/lib/stack-file";
import { declaredStack, TOKEN } from "../tests/lib/stacks";
import type { SiteConfig } from "./config";
import { site } from "./site";
import { regionTraffic } from "./traffic";

let prod: Declaration;
before(async () => {
  prod = await declaredStack("prod");
});

const ofType = (type: string) => prod.resources.filter((each) => each.type === type);
const spec = ({ inputs }: DeclaredResource) => inputs.spec as Record<string, unknown>;
const nameOf = ({ inputs }: DeclaredResource) => (inputs.metadata as { name: string }).name;
const inClusters = (type: string) => ofType(type).map(({ deletedWith }) => deletedWith);
const regionClusters = ["cluster-europe-west1-cluster", "cluster-us-east4-cluster"];

describe("encryption between Cassandra's nodes", () => {
  const cassandra = () =>
    spec(ofType("kubernetes:k8ssandra.io/v1alpha1:K8ssandraCluster")[0]!).cassandra as {
      config: { cassandraYaml: { server_encryption_options: Record<string, unknown> } };
      serverEncryptionStores: Record<string, { name: string; key: string }>;
    };

  test("every connection is encrypted and both sides prove who they are", () => {
    const { server_encryption_options: options } = cassandra().config.cassandraYaml;
    assert.equal(options.internode_encryption, "all");
    assert.equal(options.require_client_auth, true);
    assert.equal(options.store_type, "PKCS12");
  });

  test("the stores are what each region's cert-manager issues, with the password that it is told", () => {
    const certificates = ofType("kubernetes:cert-manager.io/v1:Certificate");
    assert.deepEqual(inClusters("kubernetes:cert-manager.io/v1:Certificate").sort(), regionClusters);
    const { keystoreSecretRef, truststoreSecretRef, keystorePasswordSecretRef, truststorePasswordSecretRef } =
      cassandra().serverEncryptionStores;
    for (const certificate of certificates) {
      const { secretName, usages, keystores } = spec(certificate) as {
        secretName: string;
        usages: string[];
        keystores: { pkcs12: { passwordSecretRef: unknown } };
      };
      assert.deepEqual([keystoreSecretRef?.name, truststoreSecretRef?.name], [secretName, secretName]);
      for (const usage of ["server auth", "client auth"]) assert.ok(usages.includes(usage), usage);
      for (const password of [keystorePasswordSecretRef, truststorePasswordSecretRef])
        assert.deepEqual(password, keystores.pkcs12.passwordSecretRef);
    }
  });

  test("one authority from 1Password signs in every region", () => {
    const items = ofType("kubernetes:onepassword.com/v1:OnePasswordItem").filter(
      (each) => nameOf(each) === "cassandra-internode-ca",
    );
    assert.deepEqual(items.map(({ deletedWith }) => deletedWith).sort(), regionClusters);
    assert.deepEqual(
      items.map((each) => spec(each).itemPath),
      items.map(() => "vaults/iconik-prod/items/cassandra-internode-ca"),
    );
  });

  test("Cassandra waits for the keystores of every datacenter", () => {
    const [cluster] = prod.resources.filter(({ type }) => type === "iconik:cassandra:Cluster");
    for (const name of ["internode-emea-certificate", "internode-amer-certificate"])
      assert.ok(cluster?.dependsOn.includes(name), name);
  });
});

describe("clusters", () => {
  const clusters = () => ofType("gcp:container/cluster:Cluster").map(({ inputs }) => inputs);

  test("Secrets are encrypted with a key in the cluster's own region that only GKE uses", () => {
    const rings = ofType("gcp:kms/keyRing:KeyRing").map(({ inputs }) => [inputs.location, inputs.name]);
    assert.deepEqual(
      rings,
      clusters().map(({ location, name }) => [location, name]),
    );
    for (const { name, location, databaseEncryption } of clusters())
      assert.deepEqual(
        databaseEncryption,
        { state: "ENCRYPTED", keyName: `cluster-keys-${location}-id` },
        String(name),
      );
    for (const { inputs } of ofType("gcp:kms/cryptoKeyIAMBinding:CryptoKeyIAMBinding"))
      assert.deepEqual(inputs.members, [
        "serviceAccount:service-123456789012@container-engine-robot.iam.gserviceaccount.com",
      ]);
    assert.ok(ofType("gcp:kms/cryptoKey:CryptoKey").every(({ protect }) => protect));
  });

  test("no two regions are upgraded on the same day", () => {
    const days = clusters()
      .filter(({ location }) => location !== "europe-west4")
      .map(({ maintenancePolicy }) => /BYDAY=(.*)$/.exec(JSON.stringify(maintenancePolicy))?.[1]?.slice(0, 5));
    assert.deepEqual(days, ["MO,TU", "WE,TH"]);
  });

  test("control plane and workloads are logged and measured; nobody gets in without a name", () => {
    for (const { loggingConfig, monitoringConfig, anonymousAuthenticationConfig } of clusters()) {
      assert.ok((loggingConfig as { enableComponents: string[] }).enableComponents.includes("APISERVER"));
      assert.deepEqual((monitoringConfig as Record<string, unknown>).managedPrometheus, { enabled: true });
      assert.deepEqual(anonymousAuthenticationConfig, { mode: "LIMITED" });
    }
  });
});

test("the control plane's account may do in a region what k8ssandra-operator watches and keeps there", async () => {
  const { resources } = await declaredStack("prod");
  const role = resources.find(({ name }) => name === "control-emea-role");
  const granted = (role!.inputs.rules as { apiGroups: string[]; resources: string[] }[]).flatMap(
    ({ apiGroups, resources: kinds }) => kinds.map((kind) => `${apiGroups[0]}/${kind}`),
  );
  // Its chart's Role has them; without the slices its caches never fill and no ring forms.
  for (const kind of [
    "/secrets",
    "/services",
    "discovery.k8s.io/endpointslices",
    "discovery.k8s.io/endpointslices/restricted",
  ])
    assert.ok(granted.includes(kind), kind);
});

describe("networks", () => {
  const POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy";
  type Rule = { from?: unknown[]; to?: unknown[]; ports: { port: number }[] };
  const policies = () =>
    ofType(POLICY).map((each) => ({
      ...(each.inputs.metadata as { name: string; namespace: string }),
      cluster: each.deletedWith,
      spec: spec(each) as { podSelector: object; policyTypes: string[]; ingress?: Rule[]; egress?: Rule[] },
    }));

  test("every namespace of every cluster denies all that is not allowed", () => {
    const spaces = ofType("kubernetes:core/v1:Namespace").map((each) => `${each.deletedWith} ${nameOf(each)}`);
    const denied = policies().filter(({ name }) => name === "default-deny");
    assert.deepEqual(denied.map(({ cluster, namespace }) => `${cluster} ${namespace}`).sort(), spaces.sort());
    for (const { spec } of denied) assert.deepEqual(spec, { podSelector: {}, policyTypes: ["Ingress", "Egress"] });
  });

  test("no rule is open to everybody", () => {
    for (const { name, namespace, spec } of policies()) {
      for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
        assert.ok((rule.from ?? rule.to ?? []).length > 0, `${namespace}/${name}: ${JSON.stringify(rule)}`);
        assert.ok(rule.ports.length > 0, `${namespace}/${name}: ${JSON.stringify(rule)}`);
      }
      assert.ok(!/"0\.0\.0\.0\/0"/.test(JSON.stringify(spec.ingress ?? [])), `${namespace}/${name} lets everybody in`);
    }
  });

  test("from another region only nodes get in, to nodes; from the control cluster only its operator", () => {
    const [cassandra] = policies().filter(
      ({ name, namespace, cluster }) =>
        name === "allowed" && namespace === "cassandra" && cluster === "cluster-europe-west1-cluster",
    );
    const blocks = (cassandra?.spec.ingress ?? []).flatMap(({ from, ports }) =>
      (from as { ipBlock?: { cidr: string } }[]).flatMap(({ ipBlock }) =>
        ipBlock ? [`${ipBlock.cidr} ${ports.map(({ port }) => port)}`] : [],
      ),
    );
    const [own, other, control] = ["europe-west1", "us-east4", "europe-west4"].map(regionRanges);
    assert.deepEqual(blocks, [`${own?.nodes} 9443`, `${control?.pods} 8080`, `${other?.pods} 7000`]);
  });

  test("firewall rules open the stores' machines only, and log", () => {
    const rules = ofType("gcp:compute/firewall:Firewall").map(({ inputs }) => inputs);
    assert.equal(rules.length, 3);
    for (const { name, targetTags, logConfig } of rules) {
      const machines = name === "prod-front-ends" ? "services" : "databases";
      assert.deepEqual(targetTags, [`pool-${machines}`], String(name));
      assert.deepEqual(logConfig, { metadata: "INCLUDE_ALL_METADATA" });
    }
    const pools = ofType("gcp:container/nodePool:NodePool").map(({ inputs }) => inputs);
    for (const { name, nodeConfig } of pools)
      assert.deepEqual((nodeConfig as { tags: string[] }).tags, [`pool-${name}`]);
  });
});

test("a site of one region lets no other in, and opens nothing to everybody by that", () => {
  const { cassandra } = regionTraffic([], regionRanges("europe-west4"));
  assert.deepEqual(cassandra?.to, []);
  assert.ok((cassandra?.from ?? []).every(({ peers }) => peers.length > 0));
});

describe("disks", () => {
  const classes = () => ofType("kubernetes:storage.k8s.io/v1:StorageClass");

  test("every region's stores are on disks that outlive their claims, in the zone of their pod", () => {
    assert.deepEqual(
      classes()
        .map(({ deletedWith }) => deletedWith)
        .sort(),
      regionClusters,
    );
    for (const { inputs } of classes()) {
      assert.equal(inputs.reclaimPolicy, "Retain");
      assert.equal(inputs.volumeBindingMode, "WaitForFirstConsumer");
      assert.equal(inputs.allowVolumeExpansion, true);
    }
  });

  test("both stores name that class and wait for it", () => {
    const name = nameOf(classes()[0]!);
    const cassandra = ofType("kubernetes:k8ssandra.io/v1alpha1:K8ssandraCluster");
    const search = ofType("kubernetes:elasticsearch.k8s.elastic.co/v1:Elasticsearch");
    for (const each of [...cassandra, ...search]) {
      const used = [...JSON.stringify(each.inputs).matchAll(/"storageClassName":"([^"]+)"/g)].map(([, used]) => used);
      assert.ok(used.length > 0);
      assert.deepEqual(new Set(used), new Set([name]), each.name);
    }
    const waiting = prod.resources.filter(({ type }) => /^iconik:(cassandra|elasticsearch):Cluster$/.test(type));
    assert.equal(waiting.length, 3);
    for (const { dependsOn, name } of waiting)
      assert.ok(
        dependsOn.some((each) => each.startsWith("disks-")),
        name,
      );
  });
});

test("what data would go with is protected: its namespaces and its operators", () => {
  const shielded = (type: string) =>
    ofType(type)
      .filter(({ protect }) => protect)
      .map(({ name }) => name);
  assert.deepEqual(shielded("kubernetes:core/v1:Namespace"), [
    "namespaces-control-cassandra",
    "namespaces-europe-west1-cassandra",
    "namespaces-europe-west1-elasticsearch",
    "namespaces-us-east4-cassandra",
    "namespaces-us-east4-elasticsearch",
  ]);
  const releases = ofType("kubernetes:helm.sh/v3:Release");
  for (const { name, protect } of releases) assert.equal(protect, !name.endsWith("connect"), name);
});

describe("Cassandra's operation", () => {
  const cassandraSpec = () => spec(ofType("kubernetes:k8ssandra.io/v1alpha1:K8ssandraCluster")[0]!);

  test("repairs are full, scheduled, and done before Cassandra forgets removals", () => {
    const { autoScheduling } = cassandraSpec().reaper as { autoScheduling: Record<string, unknown> };
    assert.equal(autoScheduling.enabled, true);
    assert.equal(autoScheduling.repairType, "ADAPTIVE");
    assert.ok(repair.everyDays < repair.graceDays);
  });

  test("no repair meets a restore", async () => {
    const rebuilt = await declaredStack("rebuild-1");
    const cluster = rebuilt.resources.find(({ type }) => type === "kubernetes:k8ssandra.io/v1alpha1:K8ssandraCluster");
    const { reaper } = spec(cluster!) as { reaper: { autoScheduling: { enabled: boolean } } };
    assert.equal(reaper.autoScheduling.enabled, false);
  });

  test("nodes and Reaper of every region are measured on ports that are open for it", () => {
    const all = ofType("kubernetes:monitoring.googleapis.com/v1:PodMonitoring");
    const monitored = all.filter(({ inputs }) => (inputs.metadata as { namespace: string }).namespace === "cassandra");
    assert.deepEqual([...new Set(monitored.map(({ deletedWith }) => deletedWith))].sort(), regionClusters);
    const open = JSON.stringify(regionTraffic([], regionRanges("europe-west4")).cassandra?.from);
    for (const each of monitored) {
      const { endpoints, selector } = spec(each) as {
        endpoints: { port: number }[];
        selector: { matchLabels: Record<string, string> };
      };
      assert.ok(Object.keys(selector.matchLabels).length > 0);
      for (const { port } of endpoints) assert.match(open, new RegExp(`\\b${port}\\b`));
    }
  });

  test("snapshots look at every active datacenter's replicas", () => {
    const jobs = ofType("kubernetes:batch/v1:CronJob").filter(({ name }) => name.endsWith("-cassandra"));
    assert.equal(jobs.length, 2);
    for (const job of jobs) assert.match(JSON.stringify(job.inputs), /\\"datacenters\\":\[\\"emea\\",\\"amer\\"\]/);
  });
});

test("a joining region has all of an active one but what serves, is saved or is asked for", async () => {
  const { resources: joining } = await declaredStack("prod-joining");
  const config = stackConfig("prod") as SiteConfig;
  const entry = {
    name: "asia-southeast1",
    datacenter: "apac",
    zones: ["a", "b", "c"].map((z) => `asia-southeast1-${z}`),
  };
  const regions = [...config.regions, { ...entry, state: "active" as const, share: 1 }];
  const { resources: active } = await declared(() => site({ ...config, regions }, TOKEN), "prod");
  const keys = (all: DeclaredResource[]) => all.map(({ type, name }) => `${type} ${name}`);
  const here = new Set(keys(joining));
  const later = active.filter(({ type, name }) => !here.has(`${type} ${name}`));
  assert.deepEqual(
    [...here].filter((key) => !keys(active).includes(key)),
    [],
  );
  const kinds = /^(services-apac|endpoint-groups-asia-southeast1|canary-apac|snapshots-apac)(-|$)/;
  assert.deepEqual(
    later.filter(({ name }) => !kinds.test(name)),
    [],
  );
  assert.equal(new Set(later.map(({ name }) => kinds.exec(name)![1])).size, 4);
  for (const name of ["cluster-asia-southeast1-cluster", "elasticsearch-apac", "control-apac-client"])
    assert.ok(
      keys(joining).some((key) => key.endsWith(` ${name}`)),
      name,
    );
});

test("a joining region is in the ring, and nobody asks for its replicas, rows or traffic", async () => {
  const { resources } = await declaredStack("prod-joining");
  const { datacenters } = spec(
    resources.find(({ type }) => type === "kubernetes:k8ssandra.io/v1alpha1:K8ssandraCluster")!,
  ).cassandra as { datacenters: { metadata: { name: string } }[] };
  assert.deepEqual(
    datacenters.map(({ metadata }) => metadata.name),
    ["emea", "amer", "apac"],
  );
  const asking = resources.filter(({ name }) => /^(snapshots-.*|(services|canary)-schema-job)$/.test(name));
  assert.ok(asking.length > 4);
  for (const each of asking) assert.doesNotMatch(JSON.stringify(each.inputs), /apac/, each.name);
  const balancer = resources.filter(({ parent }) => parent === "load-balancer");
  assert.ok(balancer.length > 0);
  assert.doesNotMatch(JSON.stringify(balancer), /asia-southeast1/);
  const silent = resources.find(({ name }) => name === "alerts-snapshots-silent")!;
  assert.match(JSON.stringify(silent.inputs), /or vector\(0\)\) < 2/);
});

test("Google lets the cluster of a retired region be deleted, Pulumi does not yet", async () => {
  const clusters = (all: DeclaredResource[]) =>
    all
      .filter(({ type }) => type === "gcp:container/cluster:Cluster")
      .map(({ inputs, protect }) => {
        const labels = inputs.resourceLabels as Record<string, string>;
        return [inputs.name, inputs.deletionProtection, protect, labels["iconik-region-state"]];
      });
  assert.deepEqual(clusters((await declaredStack("prod-retired")).resources), [
    ["prod-europe-west1", true, true, undefined],
    ["prod-europe-west4", true, true, undefined],
    ["prod-us-east4", false, true, "retired"],
  ]);
  const joining = clusters((await declaredStack("prod-joining")).resources);
  assert.deepEqual(
    joining.find(([name]) => name === "prod-asia-southeast1"),
    ["prod-asia-southeast1", true, true, "joining"],
  );
});

test("a retired region's datacenter is out of the ring and saves nothing; its cluster is still there", async () => {
  const { resources } = await declaredStack("prod-retired");
  const cluster = resources.find(({ type }) => type === "kubernetes:k8ssandra.io/v1alpha1:K8ssandraCluster");
  const { datacenters } = spec(cluster!).cassandra as { datacenters: { metadata: { name: string } }[] };
  assert.deepEqual(
    datacenters.map(({ metadata }) => metadata.name),
    ["emea"],
  );
  const names = resources.map(({ name }) => name);
  assert.ok(names.includes("cluster-us-east4-cluster"));
  assert.ok(names.includes("control-amer-client"), "the operator still reaches it");
  assert.deepEqual(
    names.filter((name) => name.startsWith("snapshots-amer")),
    [],
  );
});

test("a draining region is in the ring and saved, but its replicas are not asked for", async () => {
  const config = stackConfig("prod") as SiteConfig;
  const [emea, amer] = config.regions;
  const draining = { ...config, regions: [emea!, { ...amer!, state: "draining" as const }] };
  const { resources } = await declared(() => site(draining, TOKEN), "prod");
  const jobs = resources.filter(({ name }) => /^snapshots-.*-cassandra$/.test(name));
  assert.equal(jobs.length, 2);
  for (const { inputs } of jobs) assert.match(JSON.stringify(inputs), /\\"datacenters\\":\[\\"emea\\"\]/);
});
