/** Which local program stands for which container image. */
import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { SandboxConfig } from "../config";
import type { ImageProgram, ImageTable } from "../lib/types";
import type { Tools } from "../toolchain";
import { cassandraImage } from "./cassandra";
import { medusaImage } from "./medusa";
import { OPERATOR_IMAGES } from "./names";
import { opensearchImage } from "./opensearch";

/** Where an image's own files are, and its programs. */
const APP = "/app";
const BIN = "/app-bin";

/** The table of a project's images and the operators'. */
export function imageTable(tools: Tools, root: string, config: SandboxConfig, dir: string): ImageTable {
  const builtIn: Record<string, ImageProgram> = {
    [OPERATOR_IMAGES.cassandra]: cassandraImage(tools),
    [OPERATOR_IMAGES.medusa]: medusaImage(tools),
    [OPERATOR_IMAGES.opensearch]: opensearchImage(tools),
  };
  const own = config.images.map((image, index) => ({
    match: image.match,
    program: projectImage(tools, root, image, join(dir, "images", String(index))),
  }));
  // The published image, for pods that run one of its programs and no node: its entry point is not there.
  const published = { match: "*/k8ssandra/cass-management-api", program: cassandraImage(tools) };
  const search = {
    match: "*/elasticsearch/elasticsearch",
    program: { ...opensearchImage(tools), entrypoint: ["/image/opensearch.sh", "published"] },
  };
  const known = [published, search, ...own];
  return (image) => {
    const repository = repositoryOf(image);
    return builtIn[repository] ?? known.find(({ match }) => matches(repository, match))?.program;
  };
}

/** The repository of an image reference, without tag and digest. */
export function repositoryOf(image: string): string {
  const withoutDigest = image.split("@")[0] ?? "";
  const slash = withoutDigest.lastIndexOf("/");
  const colon = withoutDigest.indexOf(":", slash + 1);
  return colon < 0 ? withoutDigest : withoutDigest.slice(0, colon);
}

/** A leading `*` of the pattern stands for any registry. */
export function matches(repository: string, pattern: string): boolean {
  return pattern.startsWith("*") ? repository.endsWith(pattern.slice(1)) : repository === pattern;
}

function projectImage(tools: Tools, root: string, image: SandboxConfig["images"][number], bin: string): ImageProgram {
  const available = { node: process.execPath, rclone: tools.python.rclone };
  rmSync(bin, { recursive: true, force: true });
  mkdirSync(bin, { recursive: true });
  for (const tool of image.tools) symlinkSync(available[tool], join(bin, tool));
  const home = tools.python.home;
  return {
    entrypoint: image.entrypoint,
    mounts: {
      [APP]: join(root, image.folder),
      [BIN]: bin,
      ...(image.tools.includes("rclone") ? { [home]: home } : {}),
      ...(image.tools.includes("node") && !process.execPath.startsWith("/usr/")
        ? { [process.execPath]: process.execPath }
        : {}),
    },
    path: [BIN],
    env: {},
  };
}
