import { images, mirrored, published } from "../../plan/images";
import { types } from "../lib/types";
import { type Props, pod, resource, specify } from "../testing";
import { imagesByDigest } from "./images-by-digest";

const REPOSITORY = "europe-west6-docker.pkg.dev/iconik-vault/dr";
const digest = `@sha256:${"a".repeat(64)}`;
const pinned = { image: `${REPOSITORY}/jobs${digest}` };
const floating = { image: `${REPOSITORY}/jobs:latest` };
const mirror = "europe-west6-docker.pkg.dev/iconik-vault/mirror";
const ecr = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/mirror";
const podOf = (spec: Props) => resource("kubernetes:core/v1:Pod", { metadata: { name: "p" }, spec });

specify(imagesByDigest, {
  holds: [
    resource(types.job, pod(pinned)),
    resource(types.deployment, pod({ image: `${REPOSITORY}/jobs:v1${digest}` })),
    podOf({ containers: [pinned], initContainers: [] }),
    podOf({ containers: [] }),
    resource(types.job, pod({ image: `123456789012.dkr.ecr.eu-central-1.amazonaws.com/dr/jobs${digest}` })),
    resource(types.job, pod({ image: mirrored(ecr, images.cassandra) })),
    // A program of an image of others, as the plan pins it.
    resource(types.job, pod({ image: mirrored(mirror, images.cassandra) })),
    resource("kubernetes:core/v1:PodList", { items: [] }),
    resource("kubernetes:apps/v1:DeploymentPatch", { spec: { replicas: 1 } }),
    resource(types.cronJob),
  ],
  violated: [
    [resource(types.job, pod(floating)), /S4, D2: Job \?: container "c" has image .*jobs:latest"/],
    [resource(types.job, pod({ image: `docker.io/library/busybox${digest}` })), /vault's registry/],
    [
      resource(types.job, pod({ image: `europe-west6-docker.pkg.dev.evil.example/p/r/i${digest}` })),
      /vault's registry/,
    ],
    [resource(types.job, pod({ image: `${mirror}/k8ssandra/cass-management-api:latest` })), /vault's registry/],
    [resource(types.job, pod({ image: published(images.cassandra) })), /vault's registry/],
    [
      resource(types.job, pod({ image: mirrored(mirror.replace("mirror", "dr"), images.cassandra) })),
      /vault's registry/,
    ],
    [resource(types.job, pod({ image: `evil.example/123456789012.dkr.ecr/x${digest}` })), /vault's registry/],
    [resource(types.job, pod({ image: `public.ecr.aws/dr/jobs${digest}` })), /vault's registry/],
    [resource(types.cronJob, { spec: { jobTemplate: pod({}) } }), /has image not set/],
    [resource(types.deployment, pod(floating)), /Deployment/],
    [resource("kubernetes:apps/v1:DeploymentPatch", pod(floating)), /Deployment/],
    [resource("kubernetes:apps/v1:StatefulSet", pod(floating)), /StatefulSet/],
    [resource("kubernetes:apps/v1:DaemonSet", pod(floating)), /DaemonSet/],
    [resource("kubernetes:core/v1:ReplicationController", pod(floating)), /ReplicationController/],
    [podOf({ containers: [pinned], initContainers: [floating] }), /Pod p/],
    [podOf({ containers: [pinned], ephemeralContainers: [floating] }), /Pod p/],
    [
      resource("kubernetes:core/v1:PodList", {
        items: [{ metadata: { name: "q" }, spec: { containers: [floating] } }],
      }),
      /Pod q/,
    ],
    // A custom resource of a built-in kind has a token of its own.
    [resource("kubernetes:v1:Pod", { spec: { containers: [floating] } }), /Pod \?/],
    [resource("kubernetes:v1:List", { items: [{ kind: "Job", ...pod(floating) }] }), /Job \?/],
  ],
});
