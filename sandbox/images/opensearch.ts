/** The image of a search node: real OpenSearch, since Elasticsearch's own server is in no package registry. */
import { join } from "node:path";
import type { ImageProgram } from "../lib/types";
import type { Tools } from "../toolchain";
import { outsideUsr } from "./cassandra";

/** Heap of a node here, in MiB. */
const HEAP_MIB = 512;
/** OpenSearch refuses to run as root. */
const NOBODY = { uid: 65534, gid: 65534 };

export function opensearchImage(tools: Tools): ImageProgram {
  const { home, java } = tools.opensearch;
  const { keytool } = tools.cassandra;
  return {
    entrypoint: ["/image/opensearch.sh"],
    mounts: {
      "/image": join(__dirname, "opensearch"),
      [home]: home,
      ...outsideUsr(java),
      ...outsideUsr(keytool),
      ...outsideUsr(process.execPath),
    },
    path: [],
    env: {
      OPENSEARCH_HOME: home,
      JAVA: java,
      KEYTOOL: keytool,
      HEAP_MIB: String(HEAP_MIB),
      NODE: process.execPath,
    },
    user: NOBODY,
  };
}
