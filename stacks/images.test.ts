/** Images of others: a site pulls each of the plan's from the mirror, and no other. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { images, mirrored, published, type ThirdPartyImage } from "../plan/images";
import { registries } from "../plan/names";
import { charts } from "../plan/versions";
import type { DeclaredResource } from "../tests/lib/declared";
import { declaredStack } from "../tests/lib/stacks";

const MIRROR = `europe-west6-docker.pkg.dev/iconik-vault/${registries.mirror}`;
type Named = { registry?: string; repository: string; name?: string; tag: string };
type Values = Record<string, never>;

let resources: DeclaredResource[];
before(async () => {
  resources = (await declaredStack("prod")).resources;
});

const ofType = (type: string) => resources.filter((each) => each.type === type);
const releases = (name: string) =>
  ofType("kubernetes:helm.sh/v3:Release")
    .filter(({ inputs }) => inputs.name === name)
    .map(({ inputs }) => inputs.values as Values);
const written = ({ registry, repository, name, tag }: Named) =>
  `${[registry, repository, name].filter((part) => part !== undefined).join("/")}:${tag}`;

/** What each chart makes of its values, as its templates and its operators do. */
const pulled = {
  certManager: (values: Values) => {
    const { image, webhook, cainjector, startupapicheck, acmesolver } = values as Record<string, { image: Named }>;
    const own = written(image as unknown as Named);
    return [own, ...[webhook, cainjector, startupapicheck, acmesolver].map((each) => written(each!.image))];
  },
  k8ssandra: (values: Values) => {
    const { image, client, global } = values as unknown as {
      image: Named;
      client: { image: Named };
      global: { imageConfig: { overrides: { registry: string }; images: Record<string, Named> } };
    };
    const { overrides, images: configured } = global.imageConfig;
    return [
      image,
      client.image,
      (values as unknown as Record<string, { image: Named }>)["cass-operator"]!.image,
      ...Object.values(configured).map((each) => ({ ...each, registry: overrides.registry })),
    ].map(written);
  },
  eck: (values: Values) => [written((values as unknown as { image: Named }).image)],
  awsLoadBalancer: (values: Values) => {
    const { repository, tag } = values.image as unknown as Record<string, string>;
    return [`${repository}:${tag}`];
  },
  onePassword: (values: Values) => {
    const { imageRepository, version } = (values as unknown as { operator: Record<string, string> }).operator;
    return [`${imageRepository}:${version}`];
  },
} satisfies Record<keyof typeof charts, (values: Values) => string[]>;

const idsOf = (found: string[]) =>
  [...new Set(found)].map(
    (each) =>
      Object.entries<ThirdPartyImage>(images).find(([, image]) => mirrored(MIRROR, image) === each)?.[0] ?? each,
  );

test("charts and stores name every image of the plan in the mirror, and none elsewhere", () => {
  const ofCharts = (Object.keys(charts) as (keyof typeof charts)[]).flatMap((chart) =>
    releases(charts[chart].name).flatMap(pulled[chart]),
  );
  const spec = ({ inputs }: DeclaredResource) => inputs.spec as Values;
  const ofCassandra = ofType("kubernetes:k8ssandra.io/v1alpha1:K8ssandraCluster").flatMap((each) => {
    const { cassandra, medusa, reaper } = spec(each) as unknown as {
      cassandra: { serverImage: string };
      medusa: { containerImage: Named };
      reaper: { containerImage: Named };
    };
    return [cassandra.serverImage, written(medusa.containerImage), written(reaper.containerImage)];
  });
  const ofSearch = ofType("kubernetes:elasticsearch.k8s.elastic.co/v1:Elasticsearch").map(
    (each) => (spec(each) as unknown as { image: string }).image,
  );
  // What runs in the standby alone is standby.test.ts's.
  const inSites = Object.keys(images).filter((id) => id !== "awsLoadBalancerController");
  assert.deepEqual(idsOf([...ofCharts, ...ofCassandra, ...ofSearch]).sort(), inSites.sort());
});

test("the values that a chart had before are still there", () => {
  for (const values of releases(charts.k8ssandra.name) as unknown as { global: { clusterScoped: boolean } }[])
    assert.equal(values.global.clusterScoped, false);
  const [eck] = releases(charts.eck.name) as unknown as { config: Record<string, unknown> }[];
  assert.deepEqual(eck!.config, { validateStorageClass: false, containerRegistry: MIRROR });
  const [connect] = releases(charts.onePassword.name) as unknown as { operator: Record<string, unknown> }[];
  assert.equal(connect!.operator.create, true);
});

test("Cassandra's file system stays read-only with an image that is named", () => {
  const [cluster] = ofType("kubernetes:k8ssandra.io/v1alpha1:K8ssandraCluster");
  const { cassandra } = cluster!.inputs.spec as { cassandra: Record<string, unknown> };
  assert.equal(cassandra.readOnlyRootFilesystem, true);
});

test("every release of every cluster is one whose images are known", () => {
  const known = Object.values(charts).map(({ name }) => name as string);
  for (const { inputs } of ofType("kubernetes:helm.sh/v3:Release")) assert.ok(known.includes(inputs.name as string));
});

describe("docs/runbooks/mirror.md", () => {
  const page = readFileSync(join(__dirname, "..", "docs", "runbooks", "mirror.md"), "utf8");
  const lines = page.split("\n").map((line) => line.trim());

  test("copies each image of the plan as its publisher names it, and no other", () => {
    const copied = lines.filter((line) => /^\S+\.\S+\/\S+\/\S+:\S+$/.test(line) && !line.includes("://"));
    assert.deepEqual(copied.sort(), Object.values<ThirdPartyImage>(images).map(published).sort());
  });

  test("pulls each chart at the plan's version", () => {
    const found = lines.filter((line) => line.startsWith("helm pull "));
    const pull = ({ name, version, publisher }: Record<"name" | "version" | "publisher", string>) =>
      publisher.startsWith("oci://")
        ? `helm pull ${publisher}/${name} --version ${version}`
        : `helm pull ${name} --repo ${publisher} --version ${version}`;
    assert.deepEqual(found, Object.values(charts).map(pull));
  });
});
