/**
 * The plan's fixed names. A name that another stack, a job or the drill needs is written here once and imported
 * everywhere else; names that depend on a site, region or datacenter are functions of it.
 */

/** Pulumi config namespace, equal to the project's name in Pulumi.yaml. */
export const configNamespace = "iconik-dr";

/** Kubernetes namespaces. `dr` holds copy jobs; every other name is the system's own. */
export const namespaces = {
  cassandra: "cassandra",
  elasticsearch: "elasticsearch",
  dr: "dr",
  onepassword: "onepassword",
  certManager: "cert-manager",
  elasticOperator: "elastic-system",
  services: "services",
  /** On AWS alone: the controller that keeps the load balancer's targets. */
  loadBalancer: "aws-load-balancer",
} as const;

/** The one logical Cassandra cluster (S1); the prefix of its StatefulSets and Services. */
export const cassandraClusterName = "iconik";

/** The Elasticsearch resource of each region (S3); ECK derives `iconik-es-http` and the Secrets below from it. */
export const elasticsearchName = "iconik";

/** HTTPS Service that ECK creates for {@link elasticsearchName}. */
export const elasticsearchService = { name: `${elasticsearchName}-es-http`, port: 9200 } as const;

/** Secrets that operators create or fill. */
export const secrets = {
  /** Filled from 1Password: keys `username`, `password`. */
  cassandraSuperuser: "cassandra-superuser",
  /** Filled from 1Password: keys `tls.crt`, `tls.key` (the authority of Cassandra's nodes), `keystore-password`. */
  internodeAuthority: "cassandra-internode-ca",
  /** Filled by cert-manager: keys `keystore.p12`, `truststore.p12` beside the certificate in PEM. */
  internodeStores: "cassandra-internode",
  /** ECK's superuser: key `elastic`. */
  elasticUser: `${elasticsearchName}-es-elastic-user`,
  /** ECK's certificate authority: keys `ca.crt`, `tls.crt`. */
  elasticCertificates: `${elasticsearchName}-es-http-certs-public`,
  /** Token of {@link controlPlaneAccount}, filled by Kubernetes in each region's cluster. */
  controlPlaneToken: "k8ssandra-control-plane-token",
  /** Filled from 1Password: the services' own role in Cassandra, keys `username`, `password`. */
  servicesCassandra: "cassandra-services",
  /** Filled from 1Password: their own user of Elasticsearch, keys `username`, `password`, `roles`, `roles.yml`. */
  servicesElasticsearch: "elasticsearch-services",
  /** Filled from 1Password: the canary's own role in Cassandra, keys `username`, `password`. */
  canaryCassandra: "cassandra-canary",
  /** Filled from 1Password: its own user of Elasticsearch, keys as those of the services'. */
  canaryElasticsearch: "elasticsearch-canary",
  /** 1Password service account token, from the deployer's environment: key `token`. */
  onePasswordToken: "onepassword-service-account-token",
} as const;

/** Item in the site's 1Password vault that holds Cassandra's superuser (the same item for a rebuild). */
export const superuserItem = "cassandra-superuser";

/** Item in the site's 1Password vault that holds the authority of Cassandra's nodes; the same for every datacenter. */
export const internodeItem = "cassandra-internode-ca";
/** Items in the site's 1Password vault with the services' credentials; their Secrets have the same names. */
export const serviceItems = [secrets.servicesCassandra, secrets.servicesElasticsearch] as const;

/** What the stack tells the services of their region, as environment variables: a ConfigMap of the services' namespace. */
export const regionConfigMap = "region";

/** Keyspace of the services. */
export const appKeyspace = "iconik";

/** Index of the services in each region's Elasticsearch. */
export const assetIndex = "assets";

/** Rack names: rack1..rackN, the same on every cloud because a restore needs them equal. */
export function rackNames(racks: number): string[] {
  return Array.from({ length: racks }, (_, index) => `rack${index + 1}`);
}

/** Kubernetes account in each region's cluster by which the site's Cassandra control plane works there. */
export const controlPlaneAccount = "k8ssandra-control-plane";

/** Secret of the control cluster with the kubeconfig of a datacenter's cluster: key `kubeconfig`. */
export function kubeconfigSecret(datacenter: string): string {
  return `kubeconfig-${datacenter}`;
}

/** GKE cluster of a site in a region. */
export function clusterName(site: string, region: string): string {
  return `${site}-${region}`;
}

/** E-mail address of a Google service account. */
export function serviceAccountEmail(accountId: string, project: string): string {
  return `${accountId}@${project}.iam.gserviceaccount.com`;
}

/** IAM member of a Kubernetes service account under Workload Identity. */
export function workloadIdentityMember(project: string, namespace: string, serviceAccount: string): string {
  return `serviceAccount:${project}.svc.id.goog[${namespace}/${serviceAccount}]`;
}

/** Node service account of a region's cluster (least privilege, one per cluster). */
export function nodeAccountId(region: string): string {
  return `gke-${region}`;
}

/** Repositories of the vault's Artifact Registry: images of ours, the operators' charts, and images of others. */
export const registries = { images: "dr", charts: "charts", mirror: "mirror" } as const;

/** CronJob of the vault that verifies the copies of a site's repository. */
export function verificationJobName(site: string, repository: string): string {
  return `verify-${site}-${repository}`;
}

/** Where a repository of the vault's registry is pulled from. */
export function registryAddress(location: string, project: string, repository: string): string {
  return `${location}-docker.pkg.dev/${project}/${repository}`;
}

/** Service account id of a site's restorer in the vault project; Google allows 30 characters, hence the site's 21. */
export function restorerAccountId(site: string): string {
  return `restorer-${site}`;
}

/** Longest site name, see {@link restorerAccountId}. */
export const siteNameMaxLength = 21;

/** True for projects that exist for drills: only there may data go unprotected. */
export function isDrillProject(project: string): boolean {
  return /(^|-)drill(-|$)/.test(project);
}

/** Name of a Kubernetes service account in tokens, by which whoever trusts a cluster's issuer knows it. */
export const kubernetesSubject = ({ namespace, name }: { namespace: string; name: string }): string =>
  `system:serviceaccount:${namespace}:${name}`;
