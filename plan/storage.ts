/** Disks of the stores. */

/** StorageClass of both stores, in every region's cluster. */
export const storeDisks = {
  className: "iconik-stores",
  /** n2 machines take no Hyperdisk Balanced. */
  type: "pd-ssd",
  fileSystem: "ext4",
} as const;
