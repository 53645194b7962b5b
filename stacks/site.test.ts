/** What a site declares, in peace and while it is being restored. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { regionRanges } from "../plan/addresses";
import { retention } from "../plan/retention";
import { type Declaration, type DeclaredResource, SERVICE_ACCOUNT_TOKEN } from "../tests/lib/declared";
import { assertGolden } from "../tests/lib/golden";
import { declaredStack, TOKEN } from "../tests/lib/stacks";

const ofType = ({ resources }: Declaration, type: string) => resources.filter((each) => each.type === type);
const named = ({ resources }: Declaration, name: string): DeclaredResource => {
  const [found, ...more] = resources.filter((each) => each.name === name);
  assert.ok(found && more.length === 0, `${name} is declared ${found ? more.length + 1 : 0} times`);
  return found;
};
const spec = ({ inputs }: DeclaredResource) => inputs.spec as Record<string, unknown>;

for (const stack of ["prod", "rebuild-1"] as const) {
  describe(stack, () => {
    let site: Declaration;
    before(async () => {
      site = await declaredStack(stack);
    });

    test("its inventory", () => assertGolden(stack, site.resources));

    test("everything belongs to a component", () => {
      const alone = site.resources.filter(({ custom, parent }) => custom && !parent);
      assert.deepEqual(alone, []);
    });

    test("what is inside a cluster ends with it", () => {
      const inside = site.resources.filter(({ type }) => type.startsWith("kubernetes:"));
      assert.ok(inside.length > 40);
      for (const { name, deletedWith } of inside) assert.match(String(deletedWith), /^cluster-.*-cluster$/, name);
    });

    test("what holds data is protected, and nothing else", () => {
      const protectedTypes = new Set(site.resources.filter(({ protect }) => protect).map(({ type }) => type));
      assert.deepEqual([...protectedTypes].sort(), [
        "gcp:container/cluster:Cluster",
        "gcp:kms/cryptoKey:CryptoKey",
        "gcp:storage/bucket:Bucket",
        "kubernetes:core/v1:Namespace",
        "kubernetes:elasticsearch.k8s.elastic.co/v1:Elasticsearch",
        "kubernetes:helm.sh/v3:Release",
        "kubernetes:k8ssandra.io/v1alpha1:K8ssandraCluster",
      ]);
    });

    test("tokens are secrets in the state and nowhere else", () => {
      assert.ok(!JSON.stringify(site.resources).includes(TOKEN));
      assert.ok(!JSON.stringify(site.resources).includes(SERVICE_ACCOUNT_TOKEN));
      assert.deepEqual(
        ofType(site, "kubernetes:core/v1:Secret").map(({ name }) => name),
        [
          "bootstrap-token-control-secret",
          "bootstrap-token-europe-west1-secret",
          "bootstrap-token-us-east4-secret",
          "control-amer-kubeconfig",
          "control-amer-token",
          "control-emea-kubeconfig",
          "control-emea-token",
        ],
      );
    });

    test("one Cassandra cluster in the control cluster has every datacenter in its own context", () => {
      const [cluster, ...more] = ofType(site, "kubernetes:k8ssandra.io/v1alpha1:K8ssandraCluster");
      assert.deepEqual(more, []);
      assert.equal(cluster?.deletedWith, "cluster-europe-west4-cluster");
      const { cassandra, externalDatacenters } = spec(cluster!) as {
        cassandra: { additionalSeeds?: unknown; datacenters: { metadata: { name: string }; k8sContext: string }[] };
        externalDatacenters?: unknown;
      };
      const contexts = ofType(site, "kubernetes:config.k8ssandra.io/v1beta1:ClientConfig").map(
        (each) => spec(each).contextName,
      );
      assert.deepEqual(
        cassandra.datacenters.map(({ metadata, k8sContext }) => [metadata.name, k8sContext]),
        [
          ["emea", "emea"],
          ["amer", "amer"],
        ],
      );
      assert.deepEqual(contexts.sort(), ["amer", "emea"]);
      assert.deepEqual([cassandra.additionalSeeds, externalDatacenters], [undefined, undefined]);
    });

    test("only the control cluster's operator is a control plane", () => {
      const releases = ofType(site, "kubernetes:helm.sh/v3:Release").filter(({ name }) =>
        name.endsWith("k8ssandra-operator"),
      );
      assert.deepEqual(
        releases.map(({ name, inputs }) => [name, (inputs.values as { controlPlane: boolean }).controlPlane]),
        [
          ["operators-control-k8ssandra-operator", true],
          ["operators-europe-west1-k8ssandra-operator", false],
          ["operators-us-east4-k8ssandra-operator", false],
        ],
      );
    });

    test("a region's control plane lets the control cluster in", () => {
      const networks = ({ inputs }: DeclaredResource) => {
        const config = inputs.masterAuthorizedNetworksConfig as { cidrBlocks: { cidrBlock: string }[] };
        return config.cidrBlocks.map(({ cidrBlock }) => cidrBlock);
      };
      const { nodes, pods } = regionRanges("europe-west4");
      const configured = "192.0.2.0/28";
      assert.deepEqual(networks(named(site, "cluster-europe-west1-cluster")), [configured, nodes, pods]);
      assert.deepEqual(networks(named(site, "cluster-europe-west4-cluster")), [configured]);
    });

    test("outputs lead an operator to every region", () => {
      const regions = site.outputs.regions as { name: string; datacenter: string; kubeconfig: string }[];
      assert.deepEqual(
        regions.map(({ name, datacenter }) => [name, datacenter]),
        [
          ["europe-west1", "emea"],
          ["us-east4", "amer"],
        ],
      );
      for (const { kubeconfig } of regions) {
        const { clusters, users } = JSON.parse(kubeconfig);
        assert.equal(clusters[0].cluster.server, "https://192.0.2.1");
        assert.deepEqual(Object.keys(users[0].user), ["exec"]);
      }
    });

    test("the pods of both stores run as an account that has the site's identity", () => {
      const accounts = ofType(site, "kubernetes:core/v1:ServiceAccount").map(({ inputs }) => inputs.metadata) as {
        name: string;
        namespace: string;
        annotations: Record<string, string>;
      }[];
      const identityOf = (namespace: string, name: unknown) =>
        accounts.find((each) => each.namespace === namespace && each.name === name)?.annotations[
          "iam.gke.io/gcp-service-account"
        ] ?? "";
      const search = ofType(site, "kubernetes:elasticsearch.k8s.elastic.co/v1:Elasticsearch");
      const pods = search.flatMap(
        (each) => spec(each).nodeSets as { podTemplate: { spec: Record<string, unknown> } }[],
      );
      assert.equal(pods.length, 6);
      for (const { podTemplate } of pods)
        assert.match(identityOf("elasticsearch", podTemplate.spec.serviceAccountName), /^elasticsearch-backup@/);
      for (const each of ofType(site, "kubernetes:k8ssandra.io/v1alpha1:K8ssandraCluster")) {
        const { serviceAccount } = spec(each).cassandra as Record<string, unknown>;
        assert.match(identityOf("cassandra", serviceAccount), /^cassandra-backup@/);
      }
    });

    test("ECK's pod says what its restricted namespace asks for", () => {
      const eck = ofType(site, "kubernetes:helm.sh/v3:Release").filter(({ inputs }) => inputs.name === "eck-operator");
      assert.equal(eck.length, 2);
      for (const { inputs } of eck)
        assert.deepEqual((inputs.values as Record<string, unknown>).podSecurityContext, {
          runAsNonRoot: true,
          seccompProfile: { type: "RuntimeDefault" },
        });
    });

    test("a cluster's first machine is shielded and acts as its own account; what a pool began with may change", () => {
      for (const { inputs, ignoreChanges } of ofType(site, "gcp:container/cluster:Cluster")) {
        const { serviceAccount, shieldedInstanceConfig } = inputs.nodeConfig as Record<string, unknown>;
        assert.match(String(serviceAccount), /^gke-.*@/);
        assert.deepEqual(shieldedInstanceConfig, { enableSecureBoot: true, enableIntegrityMonitoring: true });
        assert.deepEqual(ignoreChanges, ["nodeConfig"]);
      }
      for (const { ignoreChanges } of ofType(site, "gcp:container/nodePool:NodePool"))
        assert.deepEqual(ignoreChanges, ["initialNodeCount"]);
    });

    test("another certificate or address of a cluster replaces nothing in it", () => {
      const providers = ofType(site, "pulumi:providers:kubernetes").map(({ inputs }) => inputs.clusterIdentifier);
      const clusters = ofType(site, "gcp:container/cluster:Cluster").map(({ inputs }) => inputs);
      assert.deepEqual(
        providers,
        clusters.map(({ project, location, name }) => `projects/${project}/locations/${location}/clusters/${name}`),
      );
    });

    test("the APIs of tokens, projects, logs and metrics are on", () => {
      const services = ofType(site, "gcp:projects/service:Service").map(({ inputs }) => inputs.service);
      for (const api of ["iamcredentials", "cloudresourcemanager", "logging", "monitoring"])
        assert.ok(services.includes(`${api}.googleapis.com`), api);
    });

    test("Medusa keeps a number of backups, whatever their age, and all of them during a restore", () => {
      for (const each of ofType(site, "kubernetes:k8ssandra.io/v1alpha1:K8ssandraCluster")) {
        const { storageProperties, purgeBackups } = spec(each).medusa as Record<string, Record<string, unknown>>;
        assert.equal(storageProperties?.maxBackupAge, 0);
        assert.equal(storageProperties?.maxBackupCount, 3 * retention.primaryBackupDays);
        assert.equal(purgeBackups, stack !== "rebuild-1");
      }
    });

    test("backups are suspended exactly while it is being restored", () => {
      const cronJobs = ofType(site, "kubernetes:batch/v1:CronJob");
      assert.equal(cronJobs.length, 4);
      for (const cronJob of cronJobs) assert.equal(spec(cronJob).suspend, stack === "rebuild-1", cronJob.name);
    });
  });
}

test("nothing of a site in peace knows the second copy or a restorer", async () => {
  const { resources } = await declaredStack("prod");
  const knowing = resources.filter((each) => /restorer|iconik-vault-backup-copies/.test(JSON.stringify(each)));
  assert.deepEqual(knowing, []);
});

test("a restore copies first, then every region restores both stores into what is ready", async () => {
  const site = await declaredStack("rebuild-1");
  const jobs = ofType(site, "kubernetes:batch/v1:Job").filter(({ parent }) => parent === "restore");
  assert.deepEqual(
    jobs.map(({ name }) => name),
    [
      "restore-amer-cassandra",
      "restore-amer-elasticsearch",
      "restore-copy",
      "restore-emea-cassandra",
      "restore-emea-elasticsearch",
    ],
  );
  for (const { name, dependsOn } of jobs) {
    if (name === "restore-copy") assert.ok(dependsOn.includes("backups-policy"));
    else assert.ok(dependsOn.includes("restore-copy"), name);
  }
  for (const name of ["restore-emea-cassandra", "restore-amer-cassandra"]) {
    // Datacenters are restored together.
    assert.ok(named(site, name).dependsOn.includes("cassandra"));
  }
});
