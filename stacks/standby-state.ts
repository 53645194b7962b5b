/** Where the standby's state is and what opens it: neither is a resource, so that no policy sees them. */
import { standbyBackend, standbyRegion } from "../plan/standby";
import { ConfigError } from "./config";

/** What the engine was started with. */
export interface StateAccess {
  /** PULUMI_BACKEND_URL; undefined: whatever `pulumi login` chose. */
  backend?: string;
  /** `secretsprovider` of the stack's file; undefined: a passphrase, or the backend's own. */
  secretsProvider?: string;
}

/**
 * Refuses a state or a key in Google Cloud: with Google lost nobody could read what the standby is, and so not activate it.
 * @throws ConfigError
 */
export function notShared(stack: string, { backend, secretsProvider }: StateAccess): void {
  const problems: string[] = [];
  if (backend?.startsWith("gs://"))
    problems.push(
      `environment variable PULUMI_BACKEND_URL is "${backend}": the standby's state would be lost with Google Cloud; set it to ${standbyBackend}`,
    );
  if (secretsProvider?.startsWith("gcpkms:"))
    problems.push(
      `secretsprovider of Pulumi.${stack}.yaml is "${secretsProvider}": the standby's secrets could not be read without Google Cloud; ` +
        `run \`pulumi stack change-secrets-provider "awskms:///alias/pulumi-standby?region=${standbyRegion}"\` (ADR 30)`,
    );
  if (problems.length > 0) throw new ConfigError(stack, problems);
}
