import * as k8s from "@pulumi/kubernetes";
import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import { images, mirrored } from "../plan/images";
import { elasticsearchName, namespaces, secrets } from "../plan/names";
import { elasticsearchNode, pools } from "../plan/sizing";
import { storeDisks } from "../plan/storage";
import { elasticsearchVersion } from "../plan/versions";
import { type Cluster, onPool } from "./cluster";

/** A region's search cluster as the manifest needs it. */
export interface ElasticsearchSpec {
  /** Zones of the region; nodes are spread over them in order. */
  zones: string[];
  nodes: number;
  /** Repository that mirrors the image, e.g. `HOST/PROJECT/mirror`. */
  mirror: string;
  /** On AWS: role of the account that takes snapshots into S3, and the region of the bucket. Default: Google's identity. */
  s3?: { role: string; region: string };
}

/** Arguments of {@link ElasticsearchCluster}. */
export interface ElasticsearchClusterArgs extends ElasticsearchSpec {
  cluster: Cluster;
  deletionProtection: boolean;
}

/** One region's own Elasticsearch cluster (S3). Ready when it answers. */
export class ElasticsearchCluster extends ComponentResource {
  readonly resource: k8s.apiextensions.CustomResource;

  constructor(name: string, args: ElasticsearchClusterArgs, opts?: ComponentResourceOptions) {
    super("iconik:elasticsearch:Cluster", name, {}, opts);
    this.resource = new k8s.apiextensions.CustomResource(`${name}-elasticsearch`, elasticsearch(args), {
      ...args.cluster.inside(this),
      protect: args.deletionProtection,
      customTimeouts: { create: "45m", update: "90m", delete: "30m" },
    });
    this.registerOutputs({});
  }
}

/** Items in 1Password with users of Elasticsearch beside its superuser, each with its role; their Secrets have the same names. */
export const elasticsearchUsers = [secrets.servicesElasticsearch, secrets.canaryElasticsearch] as const;

const users = elasticsearchUsers.map((secretName) => ({ secretName }));

/** The Elasticsearch resource: a node set per zone, so that replicas of a shard lie in different zones. */
export function elasticsearch(spec: ElasticsearchSpec) {
  return {
    apiVersion: "elasticsearch.k8s.elastic.co/v1",
    kind: "Elasticsearch",
    metadata: {
      name: elasticsearchName,
      namespace: namespaces.elasticsearch,
      annotations: { "pulumi.com/waitFor": "condition=ElasticsearchIsReachable" },
    },
    spec: {
      version: elasticsearchVersion,
      image: mirrored(spec.mirror, images.elasticsearch),
      // Users of their own for the services and the canary, from 1Password: they never are the superuser.
      auth: { fileRealm: users, roles: users },
      // One node at a time, as the budget that ECK keeps for disruptions: none while a shard lacks a replica.
      updateStrategy: { changeBudget: { maxSurge: 0, maxUnavailable: 1 } },
      volumeClaimDeletePolicy: "DeleteOnScaledownOnly",
      nodeSets: nodesPerZone(spec).map(({ zone, count }) => nodeSet(zone, count, spec.s3)),
    },
  };
}

/** How many nodes each zone gets; zones without a node are left out. */
export function nodesPerZone({
  nodes,
  zones,
}: Pick<ElasticsearchSpec, "nodes" | "zones">): { zone: string; count: number }[] {
  return zones
    .map((zone, index) => ({ zone, count: Math.ceil((nodes - index) / zones.length) }))
    .filter(({ count }) => count > 0);
}

/** Folder of the configuration in which the S3 client looks for its token; it may read no other. */
const tokenFolder = "/usr/share/elasticsearch/config/repository-s3";

/**
 * How the S3 repository's client proves who it is: a token of the pod's own account for AWS's STS. Pod Identity would lay its
 * token where Elasticsearch lets no plugin read.
 */
function s3Client({ role, region }: NonNullable<ElasticsearchSpec["s3"]>) {
  const file = "aws-web-identity-token-file";
  return {
    env: [
      { name: "AWS_ROLE_ARN", value: role },
      { name: "AWS_WEB_IDENTITY_TOKEN_FILE", value: `${tokenFolder}/${file}` },
      { name: "AWS_ROLE_SESSION_NAME", value: "elasticsearch" },
      { name: "AWS_REGION", value: region },
    ],
    mount: { name: "s3-token", mountPath: tokenFolder, readOnly: true },
    volume: {
      name: "s3-token",
      projected: {
        sources: [{ serviceAccountToken: { audience: "sts.amazonaws.com", expirationSeconds: 86_400, path: file } }],
      },
    },
  };
}

function nodeSet(zone: string, count: number, s3: ElasticsearchSpec["s3"]) {
  const client = s3 && s3Client(s3);
  const { nodeSelector, tolerations } = onPool(pools.databases);
  return {
    // The zone's letter: pod names stay short, and the set survives a rename of the region's stack.
    name: zone.split("-").at(-1)!,
    count,
    config: {
      "node.attr.zone": zone,
      // Nothing here needs a licence; a trial would end.
      "xpack.license.self_generated.type": "basic",
      "cluster.routing.allocation.awareness.attributes": "k8s_node_name,zone",
      // 40 MB a second if nobody says otherwise: a full node would not be restored in the time that its Job has.
      "indices.recovery.max_bytes_per_sec": elasticsearchNode.recovery,
    },
    podTemplate: {
      spec: {
        // Here and not beside nodeSets: there it is the account of associations, and pods would run as the default one.
        serviceAccountName: "elasticsearch-backup",
        // The repository's client exchanges the projected token for the Google identity; no key.
        automountServiceAccountToken: true,
        nodeSelector: { ...nodeSelector, "topology.kubernetes.io/zone": zone },
        tolerations,
        containers: [
          {
            name: "elasticsearch",
            resources: {
              requests: { cpu: elasticsearchNode.cpu, memory: elasticsearchNode.memory },
              limits: { memory: elasticsearchNode.memory },
            },
            ...(client && { env: client.env, volumeMounts: [client.mount] }),
          },
        ],
        ...(client && { volumes: [client.volume] }),
      },
    },
    volumeClaimTemplates: [
      {
        metadata: { name: "elasticsearch-data" },
        spec: {
          accessModes: ["ReadWriteOnce"],
          storageClassName: storeDisks.className,
          resources: { requests: { storage: elasticsearchNode.storage } },
        },
      },
    ],
  };
}
