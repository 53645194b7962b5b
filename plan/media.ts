/** The product's own media buckets (S6). Customer-owned buckets are never ours to declare, copy or grant. */

/** A media bucket and its secondary. */
export interface MediaBucket {
  name: string;
  /** Name of the secondary bucket in the vault. */
  secondary: string;
}

export const mediaBuckets: readonly MediaBucket[] = ["iconik-files", "iconik-keyframes", "iconik-proxies"].map(
  (name) => ({ name, secondary: `${name}-secondary` }),
);
