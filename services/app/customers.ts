/** Customers' own buckets (plan/customers.ts): how each is reached, and whether it lets the product in. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { isAtGoogle } from "../../plan/customers";
import { events } from "../../plan/events";
import { log } from "./log";
import type { ApiSettings } from "./settings";
import type { Place } from "./storage";
import { asFederated, googleStorage } from "./storage-google";
import { s3Storage } from "./storage-s3";

/** The buckets by what the product calls them. They connect when they are asked. @param region of the pod */
export function customerPlaces({ buckets, token }: ApiSettings["CUSTOMERS"], region: string): Map<string, Place> {
  return new Map(
    buckets.map((each) => {
      const storage = isAtGoogle(each)
        ? googleStorage(() => asFederated(each.provider, each.serviceAccount, token))
        : s3Storage({ ...each, stsRegion: region });
      return [each.name, { storage, live: each.bucket.replace(/^(s3|gs):\/\//, "") }];
    }),
  );
}

/** Times that a bucket is asked before it is told to people, and the pause between two, in milliseconds. */
const ATTEMPTS = 3;
const PAUSE_MS = 2_000;

/**
 * Asks every bucket, all at once, for an object that is not there: whoever is let in is told so. Nothing is written.
 * @throws Error with the names of those that refuse or do not answer
 */
export async function checkCustomers(places: ReadonlyMap<string, Place>, pauseMs = PAUSE_MS): Promise<void> {
  const asked = await Promise.all(
    [...places].map(async ([name, place]) => ({ name, why: await refusal(place, pauseMs) })),
  );
  for (const { name: customer, why } of asked)
    if (why === undefined) log({ severity: "INFO", customer, message: "lets the standby in" });
    else log({ severity: "ERROR", event: events.customerBucketRefused, customer, message: why });
  const refused = asked.flatMap(({ name, why }) => (why === undefined ? [] : [name]));
  if (refused.length > 0)
    throw new Error(
      `${refused.length} of ${places.size} customers' buckets cannot be used: ${refused.join(", ")}; ` +
        "their owners let the standby in as docs/customer-buckets.md says",
    );
}

/** Why a bucket cannot be read; undefined when it can. */
async function refusal({ storage, live }: Place, pauseMs: number): Promise<string | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      const found = await storage.read(live, `iconik-check/${randomUUID()}`, new AbortController().signal);
      found?.stream.destroy();
      return undefined;
    } catch (error) {
      if (attempt >= ATTEMPTS) return (error as Error).message;
      await sleep(pauseMs);
    }
  }
}
