/**
 * What every GKE cluster of the plan has set, whatever runs in it (S4): who gets in, what is seen of it, what is off. Each
 * is written out: a provider's or a channel's default may change.
 */

/** Anonymous calls reach health checks only; nobody is an administrator by being somebody. */
export const access = {
  anonymousAuthenticationConfig: { mode: "LIMITED" },
  rbacBindingConfig: {
    enableInsecureBindingSystemAuthenticated: false,
    enableInsecureBindingSystemUnauthenticated: false,
  },
  enableLegacyAbac: false,
  // The address is guarded by authorized networks and IAM; by its name, IAM alone would guard it.
  controlPlaneEndpointsConfig: {
    dnsEndpointConfig: { allowExternalTraffic: false },
    ipEndpointsConfig: { enabled: true },
  },
};

/** Logs and metrics of the control plane and of what runs in the cluster; alerts build on them. */
export const observability = {
  loggingConfig: {
    enableComponents: ["SYSTEM_COMPONENTS", "WORKLOADS", "APISERVER", "CONTROLLER_MANAGER", "SCHEDULER"],
  },
  monitoringConfig: {
    enableComponents: [
      "SYSTEM_COMPONENTS",
      "APISERVER",
      "CONTROLLER_MANAGER",
      "SCHEDULER",
      "STORAGE",
      "POD",
      "DEPLOYMENT",
      "STATEFULSET",
      "DAEMONSET",
      "HPA",
      "CADVISOR",
      "KUBELET",
    ],
    // Collects what PodMonitoring objects name.
    managedPrometheus: { enabled: true },
    advancedDatapathObservabilityConfig: { enableMetrics: true, enableRelay: false },
  },
  // Flow logs see what pods of one machine say to each other, too.
  enableIntranodeVisibility: true,
  costManagementConfig: { enabled: true },
  securityPostureConfig: { mode: "BASIC", vulnerabilityMode: "VULNERABILITY_DISABLED" },
};

/** Names, disks and load balancing: by Google's own parts. */
export const services = {
  dnsConfig: { clusterDns: "CLOUD_DNS", clusterDnsScope: "CLUSTER_SCOPE", clusterDnsDomain: "cluster.local" },
  addonsConfig: {
    // Pods ask Cloud DNS at the metadata server, which the network policies open; a cache of each node is another address.
    dnsCacheConfig: { enabled: false },
    gcePersistentDiskCsiDriverConfig: { enabled: true },
    horizontalPodAutoscaling: { disabled: false },
    // Fills the network endpoint groups of the global load balancer.
    httpLoadBalancing: { disabled: false },
  },
  gatewayApiConfig: { channel: "CHANNEL_DISABLED" },
  serviceExternalIpsConfig: { enabled: false },
};

/** Kubelets answer to who proves who it is. */
export const kubelet = { insecureKubeletReadonlyPortEnabled: "FALSE" };
