/** What a client needs to reach a cluster. */
export interface KubeconfigArgs {
  /** Context name. */
  name: string;
  /** Host or host:port of the control plane, without scheme. */
  endpoint: string;
  /** Base64 of the cluster's CA certificate, as the cloud reports it. */
  clusterCaCertificate: string;
}

/**
 * Kubeconfig (JSON, which is YAML) that authenticates with the caller's own Google identity: it holds no secret.
 * Needs `gke-gcloud-auth-plugin` on PATH.
 */
export function kubeconfig(args: KubeconfigArgs): string {
  return render(args, {
    exec: {
      apiVersion: "client.authentication.k8s.io/v1",
      command: "gke-gcloud-auth-plugin",
      installHint: "Install gke-gcloud-auth-plugin (gcloud components install gke-gcloud-auth-plugin)",
      provideClusterInfo: true,
      interactiveMode: "Never",
    },
  });
}

/**
 * Kubeconfig (JSON) of an EKS cluster that authenticates with the caller's own IAM role: it holds no secret. Needs the `aws`
 * command line on PATH.
 */
export function eksKubeconfig({ region, ...args }: KubeconfigArgs & { region: string }): string {
  return render(args, {
    exec: {
      apiVersion: "client.authentication.k8s.io/v1",
      command: "aws",
      args: ["eks", "get-token", "--cluster-name", args.name, "--region", region, "--output", "json"],
      installHint: "Install the AWS CLI, version 2",
      interactiveMode: "Never",
    },
  });
}

/** Kubeconfig (JSON) that authenticates with a token: it is a secret. */
export function tokenKubeconfig(args: KubeconfigArgs, token: string): string {
  return render(args, { token });
}

function render({ name, endpoint, clusterCaCertificate }: KubeconfigArgs, user: object): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      { name, cluster: { server: `https://${endpoint}`, "certificate-authority-data": clusterCaCertificate } },
    ],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    "current-context": name,
  });
}
