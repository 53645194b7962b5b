/**
 * What deploying and previewing a stack takes in its own project: predefined roles by service, never owner, editor or
 * viewer. A test holds the services against what the stacks declare.
 */
import { administration } from "./permissions";

/** A role of a deployer or previewer. */
export interface ProjectRole {
  role: string;
  /** Roles that the holder may grant and revoke; the binding carries a condition that says so. */
  grants?: readonly string[];
}

/** Services by the module of their resource types (`gcp:MODULE/…`). */
export type Service =
  | "artifactregistry"
  | "certificatemanager"
  | "compute"
  | "container"
  | "iam"
  | "kms"
  | "kubernetes"
  | "logging"
  | "monitoring"
  | "projects"
  | "serviceaccount"
  | "storage";

/** Roles that a stack's program gives to its own accounts on the project; nothing else can be granted with its deployer. */
export const grantedByStacks: readonly string[] = ["roles/container.defaultNodeServiceAccount"];

const manage: Record<Exclude<Service, "storage">, readonly ProjectRole[]> = {
  artifactregistry: [{ role: "roles/artifactregistry.admin" }],
  // An editor could not remove what it made.
  certificatemanager: [{ role: "roles/certificatemanager.owner" }],
  // Who administers load balancers says who else may use a backend service.
  compute: [
    { role: "roles/compute.networkAdmin" },
    { role: "roles/compute.loadBalancerAdmin" },
    { role: "roles/compute.securityAdmin" },
  ],
  // Objects in clusters too: what the Kubernetes provider does there, Google's IAM allows.
  container: [{ role: "roles/container.admin" }],
  kubernetes: [{ role: "roles/container.admin" }],
  iam: [{ role: "roles/iam.workloadIdentityPoolAdmin" }],
  // Administering a key does not include seeing its public half.
  kms: [{ role: "roles/cloudkms.admin" }, { role: "roles/cloudkms.publicKeyViewer" }],
  logging: [{ role: "roles/logging.configWriter" }],
  monitoring: [{ role: "roles/monitoring.editor" }],
  projects: [
    { role: "roles/serviceusage.serviceUsageAdmin" },
    { role: "roles/iam.roleAdmin" },
    { role: "roles/resourcemanager.projectIamAdmin", grants: grantedByStacks },
  ],
  // Nodes run as accounts of the stack, which creating a node pool takes the right to use.
  serviceaccount: [{ role: "roles/iam.serviceAccountAdmin" }, { role: "roles/iam.serviceAccountUser" }],
};

const look: Record<Exclude<Service, "storage">, readonly ProjectRole[]> = {
  artifactregistry: [{ role: "roles/artifactregistry.reader" }],
  certificatemanager: [{ role: "roles/certificatemanager.viewer" }],
  compute: [{ role: "roles/compute.viewer" }],
  container: [{ role: "roles/container.viewer" }],
  kubernetes: [{ role: "roles/container.viewer" }],
  iam: [{ role: "roles/iam.workloadIdentityPoolViewer" }],
  kms: [{ role: "roles/cloudkms.viewer" }, { role: "roles/cloudkms.publicKeyViewer" }],
  logging: [{ role: "roles/logging.viewer" }],
  monitoring: [{ role: "roles/monitoring.viewer" }],
  projects: [
    { role: "roles/serviceusage.serviceUsageViewer" },
    { role: "roles/iam.roleViewer" },
    { role: "roles/iam.securityReviewer" },
  ],
  serviceaccount: [{ role: "roles/iam.serviceAccountViewer" }],
};

const every = ["projects", "serviceaccount", "storage"] as const;

/** Services that a role's stack deploys to. */
export const servicesOf = {
  site: [...every, "compute", "container", "kms", "kubernetes", "logging", "monitoring"],
  vault: [...every, "artifactregistry", "compute", "container", "kms", "kubernetes", "logging", "monitoring"],
  foundation: [...every, "certificatemanager", "compute", "monitoring"],
} as const satisfies Record<string, readonly Service[]>;

/** Role of a stack that a pipeline deploys. */
export type DeployedRole = keyof typeof servicesOf;

/** Predefined roles of whoever deploys (`deploy`) or previews (`preview`) a stack, each once. */
export function projectRoles(stackRole: DeployedRole, purpose: "deploy" | "preview"): ProjectRole[] {
  const table = purpose === "deploy" ? manage : look;
  const all = (servicesOf[stackRole] as readonly Service[]).flatMap((service) =>
    service === "storage" ? [] : table[service],
  );
  return all.filter(({ role }, index) => all.findIndex((other) => other.role === role) === index);
}

/**
 * Permissions on buckets that a deployer needs in the whole project, where a bucket that is just made is not yet under its
 * own policy: creating and administering, no objects, and no deletion. Predefined roles with these hold objects too.
 */
export const bucketPermissions: readonly string[] = [
  "storage.buckets.create",
  "storage.buckets.list",
  ...administration,
];

/** Custom role with {@link bucketPermissions}. */
export const bucketRole = { roleId: "deployerBuckets", title: "deployer: creates and administers buckets" } as const;

/** Condition (CEL) of a binding whose holder may grant and revoke some roles only. */
export function grantsOnly(roles: readonly string[]): { title: string; description: string; expression: string } {
  const list = roles.map((role) => `"${role}"`).join(", ");
  return {
    title: "grants-only",
    description: `May grant and revoke ${roles.join(", ")}`,
    expression: `api.getAttribute("iam.googleapis.com/modifiedGrantsByRole", []).hasOnly([${list}])`,
  };
}
