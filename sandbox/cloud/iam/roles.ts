/** Permissions of the predefined roles that decisions depend on. Source: "IAM roles for Cloud Storage" and "Compute Engine roles". */

const READ = ["storage.objects.get", "storage.objects.list"];
const CHANGE = ["create", "delete", "restore", "update"].map((verb) => `storage.objects.${verb}`);
const ALL = [...READ, ...CHANGE];
const BUCKET = ["storage.buckets.get", "storage.buckets.update", "storage.buckets.getIamPolicy"];
const USE_BACKENDS = "compute.backendServices.use";
const VIEW_PUBLIC_KEY = "cloudkms.cryptoKeyVersions.viewPublicKey";

const predefined: Record<string, readonly string[]> = {
  "roles/storage.objectViewer": READ,
  "roles/storage.objectCreator": ["storage.objects.create"],
  "roles/storage.objectUser": ALL,
  "roles/storage.objectAdmin": ALL,
  "roles/storage.admin": [...ALL, ...BUCKET, "storage.buckets.setIamPolicy", "storage.buckets.delete"],
  "roles/storage.legacyObjectReader": ["storage.objects.get"],
  "roles/storage.legacyObjectOwner": ["storage.objects.get", "storage.objects.update"],
  "roles/storage.legacyBucketReader": ["storage.buckets.get", "storage.objects.list"],
  "roles/storage.legacyBucketWriter": [
    "storage.buckets.get",
    "storage.objects.list",
    "storage.objects.create",
    "storage.objects.delete",
  ],
  "roles/storage.legacyBucketOwner": [
    ...BUCKET,
    "storage.buckets.setIamPolicy",
    "storage.objects.list",
    "storage.objects.create",
    "storage.objects.delete",
  ],
  // What is in a bucket, and its policy, reach basic roles only through the bindings that a bucket is born with.
  "roles/owner": [
    "storage.buckets.create",
    "storage.buckets.delete",
    "storage.buckets.list",
    USE_BACKENDS,
    VIEW_PUBLIC_KEY,
  ],
  "roles/editor": ["storage.buckets.create", "storage.buckets.delete", "storage.buckets.list", USE_BACKENDS],
  "roles/viewer": ["storage.buckets.list"],
  "roles/iam.workloadIdentityUser": ["iam.serviceAccounts.getAccessToken"],
  "roles/iam.serviceAccountTokenCreator": ["iam.serviceAccounts.getAccessToken"],
  "roles/compute.loadBalancerServiceUser": [USE_BACKENDS],
  "roles/compute.loadBalancerAdmin": [USE_BACKENDS],
  "roles/compute.networkAdmin": [USE_BACKENDS],
  "roles/cloudkms.cryptoKeyEncrypterDecrypter": [
    "cloudkms.cryptoKeyVersions.useToDecrypt",
    "cloudkms.cryptoKeyVersions.useToEncrypt",
  ],
  "roles/cloudkms.signer": ["cloudkms.cryptoKeyVersions.useToSign"],
  "roles/cloudkms.signerVerifier": ["cloudkms.cryptoKeyVersions.useToSign", VIEW_PUBLIC_KEY],
  "roles/cloudkms.publicKeyViewer": [VIEW_PUBLIC_KEY],
  // Known, though storage decisions do not depend on them.
  ...Object.fromEntries(
    `artifactregistry.admin artifactregistry.reader artifactregistry.writer certificatemanager.owner
    certificatemanager.viewer cloudkms.admin cloudkms.cryptoKeyDecrypter cloudkms.viewer
    compute.securityAdmin compute.viewer container.admin container.defaultNodeServiceAccount
    container.viewer iam.roleAdmin iam.roleViewer iam.securityReviewer iam.serviceAccountAdmin iam.serviceAccountUser
    iam.serviceAccountViewer iam.workloadIdentityPoolAdmin iam.workloadIdentityPoolViewer logging.configWriter logging.viewer
    monitoring.editor monitoring.viewer resourcemanager.projectIamAdmin serviceusage.serviceUsageAdmin
    serviceusage.serviceUsageViewer`
      .split(/\s+/)
      .map((role) => [`roles/${role}`, []]),
  ),
};

/** Permissions of a predefined role, or undefined when the sandbox does not know it. */
export function predefinedPermissions(role: string): readonly string[] | undefined {
  return Object.hasOwn(predefined, role) ? predefined[role] : undefined;
}

/** Names of the roles above. */
export const predefinedRoles = Object.keys(predefined);
