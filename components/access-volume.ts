/** What a token of a pod's own account is for, and its file in the volume. */
export interface PodToken {
  /** The one party that takes it. */
  audience: string;
  path: string;
}

/** Kubernetes renews a token well before it ends. */
const TOKEN_SECONDS = 3600;

/**
 * A volume that tells a pod how it is let in somewhere: the configuration, which is no secret, and where it is wanted a token of
 * the pod's own account. Source: Kubernetes, "Projected Volumes".
 */
export function accessVolume(name: string, configMap: string, token?: PodToken) {
  return {
    name,
    projected: {
      defaultMode: 0o440,
      sources: [
        { configMap: { name: configMap } },
        ...(token ? [{ serviceAccountToken: { ...token, expirationSeconds: TOKEN_SECONDS } }] : []),
      ],
    },
  };
}
