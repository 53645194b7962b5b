/** Versions of what runs in the clusters, pinned once. Charts come from the vault's registry (config `charts`). */

/** Operator charts: names as published, versions as tried together, and the repository of whoever publishes them. */
export const charts = {
  certManager: { name: "cert-manager", version: "v1.19.2", publisher: "oci://quay.io/jetstack/charts" },
  k8ssandra: { name: "k8ssandra-operator", version: "1.32.5", publisher: "https://helm.k8ssandra.io/stable" },
  eck: { name: "eck-operator", version: "3.5.0", publisher: "https://helm.elastic.co" },
  onePassword: { name: "connect", version: "2.3.0", publisher: "https://1password.github.io/connect-helm-charts" },
  /** The standby alone: keeps pods in the target groups that its load balancer has. */
  awsLoadBalancer: {
    name: "aws-load-balancer-controller",
    version: "3.4.1",
    publisher: "https://aws.github.io/eks-charts",
  },
} as const;

/** Cassandra as k8ssandra's management image carries it; a restore needs the same major version. */
export const cassandraVersion = "5.0.4";

/**
 * Medusa, in production's image and in the local cloud's Python environment alike. 0.30 is the first that keeps to the size up to
 * which objects go to S3 in single parts (ADR 40). Newer than the operator's own default, 0.29.1.
 */
export const medusaVersion = "0.31.0";

/** Elasticsearch server version. */
export const elasticsearchVersion = "9.2.3";

/**
 * Kubernetes of the standby's EKS cluster and of its machines, which follow it with the newest release of Bottlerocket that it has. EKS
 * supports a version for 14 months and upgrades the control plane by itself then: one minor version at a time.
 */
export const eksVersion = "1.35";

/**
 * EKS add-ons of the standby; AWS serves their images from the region's own registry. `aws eks describe-addon-versions
 * --kubernetes-version 1.35` lists what fits.
 */
export const eksAddons = {
  vpcCni: { name: "vpc-cni", version: "v1.22.4-eksbuild.3" },
  kubeProxy: { name: "kube-proxy", version: "v1.35.3-eksbuild.2" },
  coreDns: { name: "coredns", version: "v1.13.2-eksbuild.11" },
  podIdentity: { name: "eks-pod-identity-agent", version: "v1.3.10-eksbuild.3" },
  ebsCsi: { name: "aws-ebs-csi-driver", version: "v1.63.0-eksbuild.1" },
  metricsServer: { name: "metrics-server", version: "v0.8.1-eksbuild.2" },
  /** Ships the jobs' logs to CloudWatch, where alarms look. */
  observability: { name: "amazon-cloudwatch-observability", version: "v6.4.0-eksbuild.1" },
} as const;
