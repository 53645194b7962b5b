import { imageKinds, imagesOfCustomResource, imagesOfRelease, type Pulled } from "../lib/images";
import { judge } from "../lib/judge";
import { containers, kubernetesObjects, ofKinds, projectOf } from "../lib/kubernetes";
import type { Declared, StackRule } from "../lib/rule";
import { types, workloads } from "../lib/types";

const isWorkload = ofKinds(...workloads);
const startsImages = ofKinds(...imageKinds);

/**
 * Whatever a stack runs and installs comes from one registry, and not from one that goes with the site: the vault's. That
 * goes for what operators start as well: charts and custom resources name it. A stack that declares repositories itself may
 * use those.
 */
export const oneRegistry: StackRule = {
  name: "one-registry",
  description: "Images and charts come from one registry, outside the project of what runs them",
  plan: ["S4", "D2"],
  checkStack: (resources) => {
    const used = new Map<string, string>();
    judge(resources, (each) => {
      for (const registry of registriesOf(each)) used.set(registry, used.get(registry) ?? each.name);
      return [];
    });
    const own = new Set<string>();
    judge(resources, (each) => {
      if (each.type === types.cluster) own.add(String(projectOf(each)));
      return [];
    });
    const declares = resources.some(({ type }) => type === types.repository);
    const all = [...used.entries()];
    return [
      ...judge(resources, (each) =>
        pulledBy(each).missing.map(
          (path) => `${each.name} leaves ${path} to the publisher's registry; name the vault's mirror`,
        ),
      ),
      ...all
        .slice(1)
        .map(([registry, name]) => `${name} uses ${registry}, ${all[0]![1]} uses ${all[0]![0]}; use the vault's alone`),
      ...all
        .filter(([registry]) => !declares && own.has(registry.split("/")[1] ?? ""))
        .map(([registry, name]) => `${name} uses ${registry}, which is lost with the site; use the vault's`),
    ];
  },
};

/** Registries, as `HOST/PROJECT` or the host of an account's ECR, that a resource pulls from. */
function registriesOf(resource: Declared): string[] {
  const images = pulledBy(resource).references.map(registryOf);
  if (resource.type !== types.release) return images;
  const { chart } = resource.props;
  return [
    /^oci:\/\//.test(String(chart)) ? registryOf(String(chart).slice("oci://".length)) : String(chart),
    ...images,
  ];
}

function pulledBy(resource: Declared): Pulled {
  if (resource.type === types.release) return imagesOfRelease(resource);
  if (startsImages(resource.type)) return imagesOfCustomResource(resource);
  if (!isWorkload(resource.type)) return { references: [], missing: [] };
  const references = kubernetesObjects(resource).flatMap((each) => containers(each).map(({ image }) => String(image)));
  return { references, missing: [] };
}

const registryOf = (reference: string) =>
  /^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(?=\/)/.exec(reference)?.[0] ??
  reference.split("/").slice(0, 2).join("/");
