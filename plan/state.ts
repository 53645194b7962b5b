/**
 * Where stacks keep their state, which key encrypts the secrets in it, and who in GitHub acts for a stack. One bucket and
 * one key per stack: whoever reaches one stack's state reaches no other's.
 */
import type { IdentityId } from "./identities";

/** Cloud KMS location that is as wide as a bucket location; undefined where KMS has none. */
export function keyLocation(bucketLocation: string): string | undefined {
  const wide: Record<string, string> = {
    EU: "europe",
    US: "us",
    ASIA: "asia",
    ASIA1: "asia1",
    EUR4: "eur4",
    NAM4: "nam4",
  };
  const code = bucketLocation.toUpperCase();
  if (code in wide) return wide[code];
  // The other dual-regions have no counterpart; a region's own name is one.
  return /^[A-Z]+\d*$/.test(code) ? undefined : bucketLocation.toLowerCase();
}

/** Bucket of a stack's state, in the project of the bootstrap stack that declares it. */
export function stateBucketName(project: string, stack: string): string {
  return `${project}-state-${stack}`;
}

/** Key ring of a bootstrap stack; it can never be deleted, so neither can its name be used again. */
export const stateKeyRing = "pulumi-state";

/** Value of PULUMI_BACKEND_URL. */
export function backendUrl(project: string, stack: string): string {
  return `gs://${stateBucketName(project, stack)}`;
}

/** Value of `--secrets-provider`. The key has the stack's name. */
export function secretsProvider(project: string, location: string, stack: string): string {
  return `gcpkms://projects/${project}/locations/${location}/keyRings/${stateKeyRing}/cryptoKeys/${stack}`;
}

/** Workload identity pool and provider by which GitHub's own tokens are exchanged. */
export const githubPool = {
  id: "github",
  provider: "actions",
  issuer: "https://token.actions.githubusercontent.com",
} as const;

/** Workload identity pool and provider by which the standby's copier is let in. */
export const standbyPool = { id: "aws-standby", provider: "eks-cluster" } as const;

/** Who of the standby is let in at Google. */
export type StandbyReaderId = Extract<IdentityId, "standby-copier" | "state-reader" | "standby-failback">;

/** Kubernetes accounts of the standby that pull copies, and copies of states, and that bring its own backups back. */
export const standbySubject: Record<StandbyReaderId, string> = {
  "standby-copier": "system:serviceaccount:dr:standby-copier",
  "state-reader": "system:serviceaccount:dr:state-reader",
  "standby-failback": "system:serviceaccount:dr:failback",
};

/** What a workflow does with a stack. */
export type Purpose = "deploy" | "preview" | "publish";

/** GitHub environment in which a workflow acts for a stack. Approval and branches are set there. */
export function githubEnvironment(purpose: Purpose, stack: string): string {
  return `${purpose}-${stack}`;
}

/** What is taken over from GitHub's token. */
export const githubAttributes = {
  "google.subject": "assertion.sub",
  "attribute.environment": "assertion.environment",
  "attribute.repository_id": "assertion.repository_id",
} as const;

/** The repository that may deploy: by number as well, because a name can be taken over by somebody else. */
export interface Repository {
  /** `owner/name`. */
  name: string;
  /** GitHub's number of the repository. */
  id: string;
}

/**
 * Condition on GitHub's token (CEL): this one repository; outside of a pull request's preview only what is on main. A
 * token that lacks one of the claims, such as that of a job without an environment, is refused.
 */
export function githubCondition({ name, id }: Repository): string {
  return [
    `assertion.repository_id == "${id}"`,
    `assertion.repository == "${name}"`,
    `((assertion.event_name == "pull_request" && assertion.base_ref == "main" && assertion.environment.startsWith("preview-")) || ` +
      `(assertion.ref == "refs/heads/main" && (assertion.environment.startsWith("deploy-") || assertion.environment.startsWith("publish-"))))`,
  ].join(" && ");
}

/** IAM member of every token of one GitHub environment. `pool` is the pool's full name. */
export function environmentMember(pool: string, environment: string): string {
  return `principalSet://iam.googleapis.com/${pool}/attribute.environment/${environment}`;
}

/** IAM member of one subject of a pool. */
export function subjectMember(pool: string, subject: string): string {
  return `principal://iam.googleapis.com/${pool}/subject/${subject}`;
}

/** Who outside of Google acts as an identity, as a pattern of IAM members. */
export const federated: Partial<Record<IdentityId, RegExp>> = {
  deployer: workflows("deploy"),
  previewer: workflows("preview"),
  publisher: workflows("publish"),
  "standby-copier": standbyAccount("standby-copier"),
  "state-reader": standbyAccount("state-reader"),
  "standby-failback": standbyAccount("standby-failback"),
};

/** One account of the standby's cluster. */
function standbyAccount(id: StandbyReaderId): RegExp {
  return new RegExp(`^principal://\\S+/workloadIdentityPools/${standbyPool.id}/subject/${standbySubject[id]}$`);
}

/** One environment of the repository, never a whole repository or owner. */
function workflows(purpose: Purpose): RegExp {
  return new RegExp(
    `^principalSet://\\S+/workloadIdentityPools/${githubPool.id}/attribute\\.environment/${githubEnvironment(purpose, "[a-z0-9-]+")}$`,
  );
}
