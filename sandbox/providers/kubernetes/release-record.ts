/** Releases as Helm records them: one Secret per revision in the release's namespace. */
import { gunzipSync, gzipSync } from "node:zlib";
import type { Props } from "../../lib/types";
import type { KubeObject } from "./types";

/** Annotation that the operator manager sets on a release's Secret when the chart's operator runs. */
export const OPERATOR_ANNOTATION = "meta.sandbox/operator";

/** What Helm keeps of a revision, as far as anybody reads it. */
export interface ReleaseRecord {
  name: string;
  namespace: string;
  /** Revision, counted from 1. */
  version: number;
  chart: { metadata: { name: string; version: string; apiVersion: "v2" } };
  /** The values given by the user. */
  config: Props;
  info: { status: ReleaseStatus; first_deployed: string; last_deployed: string; description: string };
}

export type ReleaseStatus = "deployed" | "superseded" | "failed";

/** Label selector of every revision of a release. */
export const revisionsOf = (name: string): string => `owner=helm,name=${name}`;

/** The Secret of a revision. */
export function releaseSecret(record: ReleaseRecord): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: `sh.helm.release.v1.${record.name}.v${record.version}`,
      namespace: record.namespace,
      labels: {
        owner: "helm",
        name: record.name,
        status: record.info.status,
        version: String(record.version),
        modifiedAt: String(Math.floor(Date.parse(record.info.last_deployed) / 1000)),
      },
      annotations: {
        "meta.sandbox/chart": record.chart.metadata.name,
        "meta.sandbox/chart-version": record.chart.metadata.version,
      },
    },
    type: "helm.sh/release.v1",
    data: { release: encoded(record) },
  };
}

/** The revision that a Secret holds. */
export function releaseRecord(secret: KubeObject): ReleaseRecord {
  const data = (secret.data as { release?: string } | undefined)?.release;
  if (!data) throw new Error(`Secret ${secret.metadata.name} is labelled as a Helm release but has no data.release`);
  const zipped = Buffer.from(Buffer.from(data, "base64").toString("utf8"), "base64");
  return JSON.parse(gunzipSync(zipped).toString("utf8")) as ReleaseRecord;
}

/** Helm stores the base64 of the gzipped JSON; a Secret's data is base64 once more. */
function encoded(record: ReleaseRecord): string {
  const zipped = gzipSync(JSON.stringify(record)).toString("base64");
  return Buffer.from(zipped).toString("base64");
}
