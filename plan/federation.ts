/** How a pod outside of Google Cloud is let in there without a key. */

/**
 * Application default credentials of type external_account: the token in a file is exchanged at Google's STS for one of a service
 * account's. What is in it is no secret. Source: "Workload Identity Federation with other clouds".
 * @param provider full name of the workload identity provider, `//iam.googleapis.com/projects/…`
 * @param email service account that is acted as
 * @param file where the token of the pod's own Kubernetes account is
 */
export function externalAccount(provider: string, email: string, file: string) {
  return {
    universe_domain: "googleapis.com",
    type: "external_account",
    audience: provider,
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    token_url: "https://sts.googleapis.com/v1/token",
    credential_source: { file, format: { type: "text" } },
    service_account_impersonation_url: `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${email}:generateAccessToken`,
  };
}
