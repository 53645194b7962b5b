/** What the nightly copies may ask of the storage, so that they leave the site's own work its share. */
export const copyLimits = {
  /**
   * Requests of one rclone in a second (`--tpslimit`): copies inside the storage are requests alone, no bytes pass through the
   * job. Cloud Storage takes about 1,000 writes a second at once from a bucket before it grows with the load.
   */
  transactionsPerSecond: 500,
} as const;
