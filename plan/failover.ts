/**
 * How `app.iconik.io` leaves Google Cloud (D4): by records and health checks of Route 53 that were made beforehand. Who
 * serves is said by one object in S3, which activation writes; Route 53 reads it, and its data plane does the rest.
 */
import { checkedPath } from "./traffic";

/** Who serves: content of the object, and what health checks look for in it. */
export const servers = ["primary", "standby"] as const;
export type Server = (typeof servers)[number];

/** Key of the object in the traffic bucket. */
export const trafficObject = "traffic.json";

/** Content of {@link trafficObject}. */
export function trafficContent(serves: Server): string {
  return `${JSON.stringify({ serves })}\n`;
}

/** What a health check looks for in it. */
export function searchString(serves: Server): string {
  return `"serves":"${serves}"`;
}

/** The health checks of Route 53: every 10 seconds from each of its places. */
export const route53Check = {
  intervalSeconds: 10,
  failureThreshold: 3,
  /** A check waits this long for a connection and as long for the answer; AWS sets it. */
  timeoutSeconds: 4,
  /** Asked of Google's address with the public name as Host and SNI. */
  path: checkedPath,
} as const;

/** Seconds that resolvers keep the answer. An alias to a load balancer has AWS's own, which is the same. */
export const recordTtlSeconds = 60;

/** Seconds by which a health check's change reaches the name servers. */
const propagationSeconds = 10;

/** Longest time, in seconds, from Google's end until Route 53 answers with the standby. */
export function dnsDetectionSeconds(): number {
  const { intervalSeconds, failureThreshold, timeoutSeconds } = route53Check;
  return intervalSeconds * failureThreshold + timeoutSeconds + propagationSeconds;
}

/** Longest time until a client that honours the TTL goes to the standby, once it is activated and healthy. */
export function dnsFailoverSeconds(): number {
  return dnsDetectionSeconds() + recordTtlSeconds;
}

/** Bound of {@link dnsFailoverSeconds}: a small part of D4's time. */
export const dnsFailoverLimit = 180;

/**
 * Where Route 53's health checkers come from; nobody else reads {@link trafficObject}. Written down, because a look-up would be
 * one more thing that has to work on the worst day. Source: service ROUTE53_HEALTHCHECKS of AWS's ip-ranges.json, as of November 2026.
 */
export const healthCheckers: readonly string[] = [
  "15.177.0.0/18",
  "54.183.255.128/26",
  "54.228.16.0/26",
  "54.232.40.64/26",
  "54.241.32.64/26",
  "54.243.31.192/26",
  "54.244.52.192/26",
  "54.245.168.0/26",
  "54.248.220.0/26",
  "54.250.253.192/26",
  "54.251.31.128/26",
  "54.252.79.128/26",
  "54.252.254.192/26",
  "54.255.254.192/26",
  "107.23.255.0/26",
  "176.34.159.192/26",
  "177.71.207.128/26",
];

/**
 * Public host that answers whoever reaches the Internet. A primary that is silent to a machine is lost only if this host answers
 * that machine the same way. It is AWS's, without which nothing is activated, and has no private endpoint that would answer in its
 * stead. Source: AWS, "Amazon EC2 User Guide", where it tells one's own address.
 */
export const publicWitness = "checkip.amazonaws.com";

/** Who may issue certificates for the name: one authority for each cloud. */
export const certificateAuthorities = ["amazon.com", "pki.goog"] as const;
