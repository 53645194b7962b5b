/** Type tokens that rules look at. */
export const types = {
  bucket: "gcp:storage/bucket:Bucket",
  bucketPolicy: "gcp:storage/bucketIAMPolicy:BucketIAMPolicy",
  account: "gcp:serviceaccount/account:Account",
  customRole: "gcp:projects/iAMCustomRole:IAMCustomRole",
  cluster: "gcp:container/cluster:Cluster",
  nodePool: "gcp:container/nodePool:NodePool",
  cassandra: "kubernetes:k8ssandra.io/v1alpha1:K8ssandraCluster",
  elasticsearch: "kubernetes:elasticsearch.k8s.elastic.co/v1:Elasticsearch",
  cronJob: "kubernetes:batch/v1:CronJob",
  job: "kubernetes:batch/v1:Job",
  secret: "kubernetes:core/v1:Secret",
  configMap: "kubernetes:core/v1:ConfigMap",
} as const;

/** Workloads that carry a pod template. */
export const workloads = [
  types.cronJob,
  types.job,
  "kubernetes:apps/v1:Deployment",
  "kubernetes:apps/v1:StatefulSet",
  "kubernetes:apps/v1:DaemonSet",
] as const;
