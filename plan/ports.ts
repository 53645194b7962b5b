/** Ports that parts of a cluster serve, TCP unless said otherwise. Firewall rules and network policies open these and no others. */
export const ports = {
  /** Cassandra between nodes, always encrypted. */
  cassandraInternode: 7000,
  cassandraCql: 9042,
  /** Cassandra's management API: the operators' and Reaper's way to a node. */
  cassandraManagement: 8080,
  /** Cassandra's metrics. */
  cassandraMetrics: 9000,
  /** Reaper's metrics. */
  reaperAdmin: 8081,
  /** Medusa in Cassandra's pods: the operator's way to backups. */
  medusa: 50051,
  elasticsearchHttp: 9200,
  elasticsearchTransport: 9300,
  /** Admission webhooks of k8ssandra-operator and cass-operator. */
  operatorWebhook: 9443,
  certManagerWebhook: 10250,
  certManagerMetrics: 9402,
  https: 443,
  /** TCP and UDP. */
  dns: 53,
} as const;

/** Addresses on every machine of GKE and EKS. Source: "Network policies and Workload Identity Federation for GKE", "Cloud DNS for GKE", "EKS Pod Identity". */
export const local = {
  /** Cloud DNS, and the metadata server with Dataplane V2. */
  metadata: { address: "169.254.169.254/32", port: 80 },
  /** The metadata server's own ports. */
  /** The agent of EKS Pod Identity. */
  podIdentity: { address: "169.254.170.23/32", port: 80 },
  gkeMetadata: { address: "169.254.169.252/32", ports: [987, 988] },
} as const;

/** Ranges that no Google API and no public service is in. */
export const privateRanges = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"] as const;
