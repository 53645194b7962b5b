/** Images that charts and custom resources have others start: where they are named, and where they have to be. */
import { kubernetesObjects } from "./kubernetes";
import type { Declared } from "./rule";
import { at, object, type Values } from "./values";

/** Values of charts without which an image comes from its publisher. */
const chartValues: Record<string, readonly string[]> = {
  "cert-manager": ["image", "webhook.image", "cainjector.image", "startupapicheck.image", "acmesolver.image"],
  "k8ssandra-operator": ["image", "client.image", "cass-operator.image", "global.imageConfig.overrides.registry"],
  "eck-operator": ["image", "config.containerRegistry"],
  connect: ["operator.imageRepository"],
};

/** Fields of kinds without which an image comes from its publisher. Those of a part that is absent are not needed. */
const fields: Record<string, readonly string[]> = {
  K8ssandraCluster: ["cassandra.serverImage", "medusa.containerImage", "reaper.containerImage"],
  CassandraDatacenter: ["serverImage"],
  Elasticsearch: ["image"],
};

/** Kinds whose operators start images. */
export const imageKinds = Object.keys(fields);

/** What a resource pulls, as references without tag, and what it leaves to a publisher, as paths of its inputs. */
export interface Pulled {
  references: string[];
  missing: string[];
}

/** Images of a release: of a chart that is not known here, those that its values name. */
export function imagesOfRelease({ props }: Declared): Pulled {
  const values = object(props.values);
  const chart = String(props.chart).split("/").at(-1)!;
  const needed = chartValues[chart] ?? [];
  return {
    references: references(values),
    missing: needed.filter((path) => !named(values, path)).map((path) => `values.${path}`),
  };
}

/** Images of a custom resource; what a patch or a part of it does not name stays as it is. */
export function imagesOfCustomResource(resource: Declared): Pulled {
  const found = kubernetesObjects(resource).map(({ kind, body }) => {
    const spec = object(body.spec);
    const needed = /Patch$/.test(resource.type) ? [] : (fields[kind] ?? []);
    return {
      references: references(spec),
      missing: needed
        .filter((path) => has(spec, path.split(".").slice(0, -1)) && !named(spec, path))
        .map((path) => `spec.${path}`),
    };
  });
  return {
    references: found.flatMap((each) => each.references),
    missing: found.flatMap((each) => each.missing),
  };
}

const has = (value: unknown, path: string[]) => {
  const part = at(value, ...path);
  return part !== undefined && part !== null;
};

function named(values: Values, path: string): boolean {
  return referenceOf(at(values, ...path.split("."))) !== undefined;
}

/** Every image in a value, however deep: under a name such as `image`, `serverImage`, `imageRepository`. */
function references(value: unknown): string[] {
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const own = NAMES.test(key) ? (referenceOf(inner) ?? []) : [];
    const overrides = key === "imageConfig" ? (referenceOf(at(inner, "overrides", "registry")) ?? []) : [];
    return [own, overrides, references(inner)].flat();
  });
}

const NAMES = /(^i|I)mage(Repository)?$|^containerRegistry$/;

/** A text, or parts of an image put together; undefined for what names none. */
function referenceOf(value: unknown): string | undefined {
  if (typeof value === "string") return value === "" ? undefined : value;
  const { registry, repository, name } = object(value);
  const parts = [registry, repository, name].filter((part) => typeof part === "string" && part !== "");
  return typeof repository === "string" && parts.length > 0 ? parts.join("/") : undefined;
}
