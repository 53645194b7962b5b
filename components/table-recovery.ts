import * as k8s from "@pulumi/kubernetes";
import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import type { JobInput } from "../jobs/config";
import { internodeProtocols } from "../plan/encryption";
import { images, mirrored } from "../plan/images";
import { repository } from "../plan/layout";
import { namespaces, secrets } from "../plan/names";
import { bulkLoad, recoveryJobName } from "../plan/recovery";
import { recoverySeconds } from "../plan/schedules";
import { jobContainer } from "../plan/sizing";
import type { Cluster } from "./cluster";
import { jobContainerOf, reportSeconds } from "./job-pod";
import { restrictedContainer, restrictedPod } from "./pod-security";
import { cassandraContactPoint } from "./services-schema";

/** What is brought back, as {@link tableRecoveryPod} needs it. */
export interface TableRecoverySpec {
  /** Used once in a site's life. */
  id: string;
  /** Datacenter whose backup is used. Rows come back in all of them. */
  datacenter: string;
  keyspace: string;
  /** Default: every table of the keyspace. */
  table?: string;
  /** A backup's name, or the moment at or before which the newest complete one began. */
  backup?: string;
  before?: string;
  /** The living content goes before. Default: false, rows come back beside it. */
  truncate?: boolean;
  /** Size of the volume for the SSTables of all nodes. Default: the plan's. */
  volume?: string;
  /** The site's own backup bucket. */
  bucket: string;
  /** Image of the jobs, by digest. */
  image: string;
  /** Repository that mirrors everybody else's images. */
  mirror: string;
}

/** Arguments of {@link TableRecovery}. */
export interface TableRecoveryArgs extends TableRecoverySpec {
  /** The datacenter's cluster. */
  cluster: Cluster;
}

/**
 * Brings a table or a keyspace back from a backup of the site's own while the site serves (D3): a Job that `up` waits for. It
 * fetches the SSTables, streams them to every replica by Cassandra's own bulk loader, and records that it is done: the same id
 * is never done twice, also by another Job.
 */
export class TableRecovery extends ComponentResource {
  constructor(name: string, args: TableRecoveryArgs, opts?: ComponentResourceOptions) {
    super("iconik:backup:TableRecovery", name, {}, opts);
    const seconds = recoverySeconds.table;
    new k8s.batch.v1.Job(
      `${name}-job`,
      {
        metadata: {
          name: recoveryJobName("table", args.id),
          namespace: namespaces.cassandra,
          annotations: { "pulumi.com/replaceUnready": "true" },
        },
        spec: { backoffLimit: 2, activeDeadlineSeconds: seconds, template: tableRecoveryPod(args) },
      },
      {
        ...args.cluster.inside(this),
        deleteBeforeReplace: true,
        customTimeouts: { create: `${seconds + reportSeconds}s` },
      },
    );
    this.registerOutputs({});
  }
}

const paths = {
  recovery: "/recovery",
  loader: "/loader",
  superuser: "/var/run/cassandra/superuser",
  stores: "/var/run/cassandra/internode",
  authority: "/var/run/cassandra/authority",
} as const;
const mount = (name: string, mountPath: string, readOnly = true) => ({ name, mountPath, readOnly });
const scratch = mount("scratch", "/tmp", false);
const superuser = mount("superuser", paths.superuser);

/** The pod: fetch and prepare, load, check; each begins when the one before has succeeded. */
export function tableRecoveryPod(spec: TableRecoverySpec) {
  const { id, datacenter, keyspace, table, backup, before, truncate = false, bucket, image } = spec;
  const shared: JobInput<"restore-table-check"> = {
    id,
    datacenter,
    repository: repository("cassandra", datacenter),
    bucket,
    keyspace,
    truncate,
    cql: { contactPoints: [cassandraContactPoint(datacenter)] },
    ...(table !== undefined && { table }),
    ...(backup !== undefined && { backup }),
    ...(before !== undefined && { before }),
  };
  const fetched = mount("recovery", paths.recovery, false);
  const stores = [mount("stores", paths.stores), mount("authority", paths.authority)];
  return {
    metadata: { labels: { "app.kubernetes.io/name": "dr-jobs", "app.kubernetes.io/component": "restore-table" } },
    spec: {
      serviceAccountName: "restore-runner",
      automountServiceAccountToken: false,
      restartPolicy: "Never",
      securityContext: restrictedPod,
      initContainers: [
        jobContainerOf({
          command: "restore-table",
          image,
          config: {
            ...shared,
            folder: paths.recovery,
            secretsFolder: paths.loader,
            internode: {
              keystoreFile: `${paths.stores}/keystore.p12`,
              truststoreFile: `${paths.stores}/truststore.p12`,
              passwordFile: `${paths.authority}/keystore-password`,
              protocols: [...internodeProtocols],
            },
          },
          volumeMounts: [scratch, fetched, mount("loader", paths.loader, false), superuser, ...stores],
        }),
        loader(spec, [scratch, fetched, mount("loader", paths.loader), superuser, ...stores]),
      ],
      containers: [
        jobContainerOf({ command: "restore-table-check", image, config: shared, volumeMounts: [scratch, superuser] }),
      ],
      volumes: [
        { name: "scratch", emptyDir: { sizeLimit: jobContainer.scratch } },
        { name: "loader", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
        // Goes with the pod.
        {
          name: "recovery",
          ephemeral: {
            volumeClaimTemplate: {
              spec: {
                accessModes: ["ReadWriteOnce"],
                storageClassName: bulkLoad.volume.className,
                resources: { requests: { storage: spec.volume ?? bulkLoad.volume.size } },
              },
            },
          },
        },
        secretVolume("superuser", secrets.cassandraSuperuser),
        secretVolume("stores", secrets.internodeStores),
        secretVolume("authority", secrets.internodeAuthority, ["keystore-password"]),
      ],
    },
  };
}

/** Files of a Secret; with `keys` no others. */
function secretVolume(name: string, secretName: string, keys?: string[]) {
  const items = keys && { items: keys.map((key) => ({ key, path: key })) };
  return { name, secret: { secretName, defaultMode: 0o440, ...items } };
}

/** The loader is a container of the image that the nodes run: same version, same formats. */
function loader({ datacenter, mirror }: TableRecoverySpec, volumeMounts: ReturnType<typeof mount>[]) {
  return {
    name: "sstableloader",
    image: mirrored(mirror, images.cassandra),
    command: ["/bin/sh", "-ceu", loaderScript],
    env: [
      { name: "CONTACT_POINT", value: cassandraContactPoint(datacenter) },
      { name: "MAX_HEAP_SIZE", value: bulkLoad.heap },
    ],
    resources: {
      requests: { cpu: bulkLoad.cpuRequest, memory: bulkLoad.memory },
      limits: { memory: bulkLoad.memory },
    },
    securityContext: restrictedContainer,
    volumeMounts,
  };
}

/**
 * Loads table after table of node after node. The loader takes a password as an argument only: it comes from a file, so that
 * it is in no object of Kubernetes, and only this container's own processes see it.
 */
const loaderScript = `
for table in ${paths.recovery}/load/*/*/*; do
  [ -d "$table" ] || continue
  echo "loading $table"
  /opt/cassandra/bin/sstableloader --conf-path ${paths.loader}/cassandra.yaml --nodes "$CONTACT_POINT" \\
    --username "$(cat ${paths.superuser}/username)" --password "$(cat ${paths.superuser}/password)" \\
    --throttle-mib ${bulkLoad.throttle.local} --inter-dc-throttle-mib ${bulkLoad.throttle.otherDatacenters} \\
    --entire-sstable-throttle-mib ${bulkLoad.throttle.local} --entire-sstable-inter-dc-throttle-mib ${bulkLoad.throttle.otherDatacenters} \\
    --no-progress "$table"
done
`;
