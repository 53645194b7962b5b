/** The log of health checks that the local load balancer writes: a line of JSON for every change. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { HealthEvent } from "./stage";

interface Line {
  timestamp: string;
  cluster_name: string;
  locality: { region: string };
  eject_unhealthy_event?: object;
  add_healthy_event?: object;
}

/** Changes since a moment, in milliseconds since 1970, as they came. */
export async function healthLog(path: string, since: number): Promise<HealthEvent[]> {
  if (!existsSync(path)) return [];
  const lines = (await readFile(path, "utf8")).split("\n");
  return lines.flatMap((line) => {
    // The last one may not be whole yet.
    if (!line.endsWith("}")) return [];
    const event = JSON.parse(line) as Line;
    const at = Date.parse(event.timestamp);
    if (at < since || !(event.eject_unhealthy_event || event.add_healthy_event)) return [];
    const healthy = event.add_healthy_event !== undefined;
    return [{ at, region: event.locality.region, near: nearOf(event.cluster_name), healthy }];
  });
}

/** Region that the front ends of a cluster are near: `app of my-project near europe-west1`. */
export const nearOf = (cluster: string): string => / near (\S+)$/.exec(cluster)?.[1] ?? "";
