/** How traffic reaches the product and leaves a region that fails (D1). */

/** The product's public name. Its record is in Route 53, outside Google Cloud. */
export const appDomain = "app.iconik.io";

/** Path that checks from outside ask for: what a person sees first. */
export const checkedPath = "/";

/** Name of what a site has of the load balancer, fixed so that the foundation can derive its full name. */
export const backendServiceName = "app";

/** Name of the endpoint groups of a site, one in each zone; the front's Service names it as well. */
export const endpointGroupName = "app-front";

/** Header of every answer of the product: the region that gave it. */
export const regionHeader = "x-region";

/** Port of the front's pods that requests and health checks go to. */
export const frontPort = 8080;

/** Where Google's front ends and health checkers come from. Source: "External Application Load Balancer: firewall rules". */
export const googleFrontEnds: readonly string[] = ["35.191.0.0/16", "130.211.0.0/22"];

/** Health checks of every pod of the front, in seconds. */
export const healthCheck = {
  path: "/healthz",
  intervalSeconds: 2,
  /** Google allows no more than the interval. */
  timeoutSeconds: 2,
  unhealthyThreshold: 2,
  healthyThreshold: 2,
} as const;

/** Longest time, in seconds, from a failure to the last request that is sent to what failed. */
export const failoverSeconds = 10;

/** Longest time until the health checks see a failure: one just passed, and the last that fails answers nothing. */
export function detectionSeconds(
  check: { intervalSeconds: number; timeoutSeconds: number; unhealthyThreshold: number } = healthCheck,
): number {
  return check.intervalSeconds * check.unhealthyThreshold + check.timeoutSeconds;
}

/** Pods that answer health checks and fail requests are left out for a while, never more than half of them. */
export const outlierDetection = {
  consecutiveErrors: 5,
  intervalSeconds: 1,
  baseEjectionSeconds: 30,
  maxEjectionPercent: 50,
} as const;

/** To what a group's capacity may be scaled while it serves; Google takes 0, which drains it, and this range. */
export const capacityShare = { min: 0.1, max: 1 } as const;

/** How requests are spread and how long they may take. */
export const requests = {
  /** Requests per second that a pod takes before the next-closest region helps; pods are added well below it. */
  maxRatePerPod: 100,
  timeoutSeconds: 30,
  /** A pod that leaves finishes what it has begun. */
  drainingSeconds: 30,
} as const;

/** Requests that one address may send before it is refused for a while (429). */
export const rateLimit = { requests: 1200, intervalSeconds: 60 } as const;

/**
 * Full name of a site's backend service, as URL maps of other projects want it: with the API's address in front, or the
 * provider looks for it in the URL map's own project.
 */
export function backendServiceLink(project: string): string {
  return `https://www.googleapis.com/compute/v1/projects/${project}/global/backendServices/${backendServiceName}`;
}
