import type { Declared } from "../lib/rule";
import { types } from "../lib/types";
import { bucket, resource, specify } from "../testing";
import { secondCopyApart } from "./second-copy-apart";

const on = (store: string, account: string, ...permissions: string[]): Declared[] => [
  bucket(store),
  resource(types.bucketPolicy, {
    bucket: "b",
    policyData: JSON.stringify({
      bindings: [{ role: "projects/p/roles/r", members: [`serviceAccount:${account}@p.iam.gserviceaccount.com`] }],
    }),
  }),
  resource(types.customRole, { project: "p", roleId: "r", permissions: permissions.map((each) => `storage.${each}`) }),
];

specify(secondCopyApart, {
  holds: [
    on("primary-backups", "backup-replicator", "objects.get", "objects.list"),
    on("media", "media-replicator", "objects.get", "objects.list"),
    on("primary-backups", "cassandra-backup", "objects.delete"),
    // It fills a granted site's own new bucket.
    on("primary-backups", "restorer-rebuild-1", "objects.create"),
    on("second-copy", "backup-replicator", "objects.create"),
    on("second-copy", "pruner", "objects.delete"),
    on("second-media", "media-replicator", "objects.delete"),
    [bucket("second-copy"), resource(types.bucketPolicy, { bucket: "b" })],
  ],
  violated: [
    [
      on("primary-backups", "backup-replicator", "objects.create"),
      /S2, S6, D5: .* gets storage.objects.create; it may/,
    ],
    [on("primary-backups", "backup-replicator", "buckets.update"), /gets storage.buckets.update/],
    [on("media", "media-replicator", "objects.delete"), /it may only read/],
    [on("second-copy", "cassandra-backup", "objects.get"), /cassandra-backup.* is a site's identity/],
    [on("second-copy", "elasticsearch-backup"), /elasticsearch-backup.* is a site's identity/],
    [on("second-media", "services", "objects.get"), /services.* is a site's identity/],
    [on("second-copy", "backup-replicator", "objects.delete"), /can delete second copies; the pruner alone/],
    [[bucket("primary-backups"), bucket("second-copy")], /are in one stack/],
    [[bucket("media"), bucket("second-media")], /are in one stack/],
  ],
});
