import { types } from "../lib/types";
import { pod, resource, specify } from "../testing";
import { imagesReleased } from "./images-released";

const image = (project: string, digit: string) =>
  pod({ image: `europe-west6-docker.pkg.dev/${project}/dr/jobs@sha256:${digit.repeat(64)}` });

specify(imagesReleased, {
  holds: [
    resource(types.job, image("iconik-vault", "a")),
    resource(types.job, image("iconik-drill-vault", "0")),
    // By digest or not is another rule's.
    resource(types.job, pod({})),
    resource(types.job),
    resource(types.job, { spec: { template: { spec: { containers: [] } } } }),
  ],
  violated: [
    [resource(types.job, image("iconik-vault", "0")), /^S4, D2: image .* of one workload is the example's/],
    // Once, however many workloads run it.
    [
      [
        resource(types.job, image("iconik-vault", "0")),
        resource("kubernetes:apps/v1:Deployment", image("iconik-vault", "0"), { name: "other" }),
      ],
      /^S4, D2: image \S+ of 2 workloads is the example's; [^\n]+$/,
    ],
  ],
});
