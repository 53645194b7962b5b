/** The services' Kubernetes configuration: every file of services/manifests. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import type { Manifest } from "../components/services";

const FOLDER = join(__dirname, "..", "services", "manifests");

/** Every object of every file, in the order of the files' names. @throws Error naming the file that is no YAML */
export function serviceManifests(folder = FOLDER): Manifest[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".yaml"))
    .sort()
    .flatMap((file) =>
      parseAllDocuments(readFileSync(join(folder, file), "utf8")).map((document) => {
        if (document.errors[0]) throw new Error(`${join(folder, file)}: ${document.errors[0].message}`);
        return document.toJS() as Manifest;
      }),
    );
}
