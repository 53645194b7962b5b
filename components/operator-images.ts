import { imagePath, images } from "../plan/images";
import type { charts } from "../plan/versions";

type Values = Record<string, unknown>;

/** A chart's values with every image taken from the mirror, e.g. `HOST/PROJECT/mirror`, at the plan's tag. */
export function withImages(chart: keyof typeof charts, mirror: string, values: Values): Values {
  return merged(values, imagesOf[chart](mirror));
}

/** Where each chart takes the names of its images from. */
const imagesOf: Record<keyof typeof charts, (mirror: string) => Values> = {
  certManager: (mirror) => {
    const image = imageIn(mirror);
    return {
      image: image("certManagerController"),
      webhook: { image: image("certManagerWebhook") },
      cainjector: { image: image("certManagerInjector") },
      startupapicheck: { image: image("certManagerCheck") },
      acmesolver: { image: image("certManagerSolver") },
    };
  },
  k8ssandra: (mirror) => {
    const image = imageIn(mirror);
    const part = (id: keyof typeof images) => {
      const { repository, name, tag } = images[id];
      return { repository, name, tag };
    };
    return {
      image: image("k8ssandraOperator"),
      client: { image: image("k8ssandraClient") },
      "cass-operator": { image: image("cassOperator") },
      global: {
        // Both operators read it. What it does not name, a server version's image among them, goes to the mirror too.
        imageConfig: {
          overrides: { registry: mirror },
          images: {
            "system-logger": part("systemLogger"),
            "config-builder": part("configBuilder"),
            "k8ssandra-client": part("k8ssandraClient"),
            medusa: part("medusa"),
            reaper: part("reaper"),
          },
        },
      },
    };
  },
  eck: (mirror) => ({
    image: { repository: `${mirror}/${imagePath(images.eckOperator)}`, tag: images.eckOperator.tag },
    // For whatever it starts that names no image itself.
    config: { containerRegistry: mirror },
  }),
  awsLoadBalancer: (mirror) => ({
    image: {
      repository: `${mirror}/${imagePath(images.awsLoadBalancerController)}`,
      tag: images.awsLoadBalancerController.tag,
    },
  }),
  onePassword: (mirror) => ({
    operator: {
      imageRepository: `${mirror}/${imagePath(images.onePasswordOperator)}`,
      version: images.onePasswordOperator.tag,
    },
  }),
};

/** An image as most charts name one. */
const imageIn = (mirror: string) => (id: keyof typeof images) => ({
  registry: mirror,
  repository: imagePath(images[id]),
  tag: images[id].tag,
});

/** Both values, the second one's where both have one. */
function merged(one: Values, other: Values): Values {
  const result = { ...one };
  for (const [key, value] of Object.entries(other)) {
    const before = result[key];
    result[key] = isValues(before) && isValues(value) ? merged(before, value) : value;
  }
  return result;
}

function isValues(value: unknown): value is Values {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
