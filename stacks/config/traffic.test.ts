/** Wrong configurations of traffic and services, each refused word for word. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { FoundationConfig } from ".";
import { foundation, parsed, site, type Values } from "./testing";

const DIGEST = "0".repeat(64);
const images = { jobs: `r/dr/jobs@sha256:${DIGEST}`, services: `r/dr/services@sha256:${DIGEST}`, mirror: "r/mirror" };
const parse = (values: Values) => parsed(values, "it");

const noMember = "no IAM member; allowed: e.g. serviceAccount:EMAIL";
const anyMember = "set an IAM member, e.g. serviceAccount:EMAIL";
const noImage = "no image by digest; allowed: REGISTRY/NAME@sha256:64 hex digits";
const noProject = "no project id; allowed: 6 to 30 lower-case letters, digits and hyphens";

const cases: [what: string, values: Values, line: string][] = [
  [
    "a site that nobody can send traffic to",
    site({ foundation: undefined }),
    `foundation.deployer is not set; ${anyMember}`,
  ],
  ["a foundation without its deployer", site({ foundation: {} }), `foundation.deployer is not set; ${anyMember}`],
  [
    "traffic sent by everybody",
    site({ foundation: { deployer: "allUsers" } }),
    `foundation.deployer is "allUsers": ${noMember}`,
  ],
  [
    "more than the foundation's deployer",
    site({ foundation: { deployer: "user:a@b", project: "x" } }),
    "foundation.project: unknown here; Pulumi.yaml says which keys role site takes",
  ],
  [
    "a site without the services' image",
    site({ images: { ...images, services: undefined } }),
    "images.services is not set; set an image by digest: REGISTRY/NAME@sha256:64 hex digits",
  ],
  [
    "the services' image by tag",
    site({ images: { ...images, services: "r/dr/services:latest" } }),
    `images.services is "r/dr/services:latest": ${noImage}`,
  ],
  [
    "the services' image by half a digest",
    site({ images: { ...images, services: "r/dr/services@sha256:00" } }),
    `images.services is "r/dr/services@sha256:00": ${noImage}`,
  ],
  [
    "an image that nothing runs",
    site({ images: { ...images, front: images.services } }),
    "images.front: unknown here; Pulumi.yaml says which keys role site takes",
  ],
  ["a serving site that is none", foundation({ app: { project: "Prod" } }), `app.project is "Prod": ${noProject}`],
  [
    "a serving site that is not named",
    foundation({ app: { site: "iconik-prod" } }),
    "app.project is not set; set the project's id",
  ],
  [
    "the foundation serving itself",
    foundation({ app: { project: "iconik-foundation" } }),
    'app.project is "iconik-foundation": the project of no site that uses the media; allowed: iconik-prod',
  ],
  [
    "a drill serving users",
    foundation({ app: { project: "iconik-drill-prod" } }),
    'app.project is "iconik-drill-prod": a drill\'s project, which never serves users; name the project of a site in production',
  ],
  [
    "a drill taking production's traffic",
    foundation({ project: "iconik-drill-foundation", app: { project: "iconik-prod" } }),
    'app.project is "iconik-prod": a project in production, which no drill takes traffic from; name a drill\'s project',
  ],
  [
    "a site that names who serves",
    site({ app: { project: "iconik-drill-prod" } }),
    "app: unknown here; Pulumi.yaml says which keys role site takes",
  ],
];

for (const [what, values, line] of cases) {
  test(`${what} is refused`, () => {
    assert.throws(
      () => parse(values),
      (error: Error) => {
        assert.ok(error.message.split("\n").includes(`  - iconik-dr:${line}`), error.message);
        return true;
      },
    );
  });
}

test("a foundation serves nobody before a site is named", () => {
  for (const app of [undefined, {}]) assert.equal((parse(foundation({ app })) as FoundationConfig).app, undefined);
  assert.deepEqual((parse(foundation({ app: { project: "iconik-prod" } })) as FoundationConfig).app, {
    project: "iconik-prod",
  });
});
