import { bucketPermissions, bucketRole, grantedByStacks, grantsOnly } from "../../plan/deployers";
import { administration, belowCondition, expiry, readerCondition } from "../../plan/permissions";
import type { Declared } from "../lib/rule";
import { types } from "../lib/types";
import { bucket, type Props, resource, specify } from "../testing";
import { leastPrivilege } from "./least-privilege";

const copies = bucket("second-copy");
const role = (permissions: readonly string[]) =>
  resource(types.customRole, { project: "p", roleId: "r", permissions: [...permissions] });
const policy = (member: string, extra: Props = {}, roleName = "projects/p/roles/r") =>
  resource(types.bucketPolicy, {
    bucket: "b",
    policyData: JSON.stringify({ bindings: [{ role: roleName, members: [member], ...extra }] }),
  });
const wide = (type: string, props: Props) => resource(`gcp:${type}`, props, { name: "wide" });
const member = (role: string, of = "serviceAccount:x@p.iam.gserviceaccount.com") =>
  wide("projects/iAMMember:IAMMember", { role, member: of });
const account = (id: string, project = "p") => `serviceAccount:${id}@${project}.iam.gserviceaccount.com`;

const REPLICATOR = account("backup-replicator");
const RESTORER = account("restorer-rebuild-1");
const READ = ["storage.objects.get", "storage.objects.list"];
const soon = new Date(Date.now() + 24 * 3600_000).toISOString();
const reader = { condition: readerCondition("b", "prod", soon) };
const onCopies = (of: string, permissions: readonly string[], extra?: Props): Declared[] => [
  copies,
  policy(of, extra),
  role(permissions),
];
const VERIFIER = account("verifier");
const CREATE = ["storage.objects.create"];
const below = (prefix: string, of = "b") => ({ condition: belowCondition(of, [prefix]) });
const onPrimary = (of: string, permissions: readonly string[]): Declared[] => [
  bucket("primary-backups"),
  policy(of),
  role(permissions),
];

const state = bucket("state");
const declares = (id: string) => resource(types.account, { project: "p", accountId: id });
const onState = (of: string, permissions: readonly string[], ...more: Declared[]): Declared[] => [
  state,
  policy(of),
  role(permissions),
  ...more,
];
const OWN = [...READ, "storage.objects.create", "storage.objects.delete"];
const inProject = (id: string, role: string, props: Props = {}, project = "p"): Declared =>
  wide("projects/iAMMember:IAMMember", { role, project, member: account(id), ...props });
const buckets = (permissions: readonly string[]) =>
  resource(types.customRole, { project: "p", roleId: bucketRole.roleId, permissions: [...permissions] });
const ADMIN = "roles/resourcemanager.projectIamAdmin";

specify(leastPrivilege, {
  holds: [
    // Evidence is left beside the copies, and nowhere else.
    onCopies(VERIFIER, CREATE, below("evidence/")),
    onCopies(VERIFIER, READ),
    // States, and who deploys.
    onState(account("deployer"), OWN, declares("deployer")),
    onState(account("previewer"), READ, declares("previewer")),
    onState(account("state-reader"), READ, declares("state-reader")),
    onState("group:people@b", OWN),
    onState("group:people@b", administration),
    [inProject("deployer", "roles/container.admin"), declares("deployer")],
    [inProject("previewer", "roles/container.viewer"), declares("previewer")],
    [inProject("deployer", ADMIN, { condition: grantsOnly(grantedByStacks) }), declares("deployer")],
    [inProject("deployer", `projects/p/roles/${bucketRole.roleId}`), buckets(bucketPermissions), declares("deployer")],
    onCopies(REPLICATOR, [...READ, "storage.objects.create"]),
    onCopies(REPLICATOR, []),
    onCopies(RESTORER, READ, { condition: expiry(soon) }),
    onCopies("user:a@b", READ, reader),
    onCopies("group:deployers@b", administration),
    onCopies(account("deployer", "q"), administration),
    onPrimary(account("backup-replicator", "vault"), READ),
    onPrimary(account("cassandra-backup"), [...READ, "storage.objects.delete"]),
    [copies, resource(types.bucketPolicy, { bucket: "b", policyData: JSON.stringify({ bindings: [] }) })],
    [member("roles/container.defaultNodeServiceAccount")],
    [member("projects/p/roles/r"), role(["container.clusters.get"])],
  ],
  violated: [
    ...[{}, below("markers/"), below("evidence"), below("evidence/", "c")].map((extra): [Declared[], RegExp] => [
      onCopies(VERIFIER, CREATE, extra),
      /\(verifier\) gets storage.objects.create/,
    ]),
    [onCopies(VERIFIER, ["storage.objects.delete"], below("evidence/")), /\(verifier\) gets storage.objects.delete/],
    [onCopies(REPLICATOR, ["storage.objects.delete"], below("evidence/")), /gets storage.objects.delete/],
    [onState(account("previewer"), OWN, declares("previewer")), /\(previewer\) gets .*create.* the matrix allows/],
    [onState(account("publisher"), READ, declares("publisher")), /\(publisher\) gets .*; the matrix allows nothing/],
    [onState(account("deployer"), administration, declares("deployer")), /\(deployer\) gets storage\.buckets\.get/],
    [onState(account("backup-replicator"), READ), /\(backup-replicator\) gets/],
    [onState(account("state-reader", "q"), READ), /is no state-reader of ours/],
    [onState("group:people@b", [...administration, ...READ]), /no identity of the plan/],
    [onState("principalSet://iam.googleapis.com/p/attribute.repository_id/7", READ), /no identity of the plan/],
    [[...onCopies(account("deployer"), administration), declares("deployer")], /no identity of the plan/],
    [[inProject("deployer", "roles/container.admin")], /on every bucket and identity below/],
    [[inProject("deployer", "roles/container.admin", {}, "q"), declares("deployer")], /on every bucket/],
    [[inProject("deployer", "roles/owner"), declares("deployer")], /what roles\/owner holds/],
    [[inProject("deployer", "roles/storage.admin"), declares("deployer")], /what roles\/storage.admin holds/],
    [[inProject("previewer", "roles/container.admin"), declares("previewer")], /what roles\/container.admin holds/],
    [[inProject("publisher", "roles/container.admin"), declares("publisher")], /what roles\/container.admin holds/],
    [[inProject("deployer", ADMIN), declares("deployer")], /projectIamAdmin/],
    [
      [inProject("deployer", ADMIN, { condition: grantsOnly(["roles/owner"]) }), declares("deployer")],
      /projectIamAdmin/,
    ],
    [
      [
        inProject("deployer", `projects/p/roles/${bucketRole.roleId}`),
        buckets([...bucketPermissions, "storage.objects.get"]),
        declares("deployer"),
      ],
      /storage.objects.get/,
    ],
    [
      [
        inProject("previewer", `projects/p/roles/${bucketRole.roleId}`),
        buckets(bucketPermissions),
        declares("previewer"),
      ],
      /storage.buckets.create/,
    ],
    [onCopies(REPLICATOR, ["storage.objects.delete"]), /S2, S6, D5: bucket b: .* gets storage.objects.delete/],
    [onPrimary(account("backup-replicator", "vault"), ["storage.objects.create"]), /gets storage.objects.create/],
    [onCopies(account("cassandra-backup", "q"), READ), /matrix allows nothing/],
    [onCopies(account("backup-replicator", "q"), READ), /is no backup-replicator of ours/],
    [onPrimary(account("cassandra-backup", "q"), READ), /is no cassandra-backup of ours/],
    // Administering a bucket is for deployers alone, and all that they do.
    [onCopies("group:deployers@b", [...administration, ...READ]), /group:deployers@b is no identity of the plan/],
    [onCopies(REPLICATOR, administration), /\(backup-replicator\) gets storage\.buckets\.get/],
    [onCopies("serviceAccount:p.svc.id.goog[dr/restorer]", administration), /no identity of the plan/],
    [
      [...onCopies(account("gke-x"), administration), resource(types.account, { project: "p", accountId: "gke-x" })],
      /no identity of the plan/,
    ],
    // Crowds, whatever they get.
    ...["allUsers", "allAuthenticatedUsers", "domain:b", "projectOwner:p", "projectViewer:p"].map(
      (crowd): [Declared[], RegExp] => [onCopies(crowd, administration), /is nobody in particular/],
    ),
    // Conditions.
    [onCopies("user:a@b", READ), /user:a@b is no identity of the plan/],
    [onCopies("user:a@b", READ, { condition: { expression: "true" } }), /user:a@b is no identity of the plan/],
    [
      onCopies("user:a@b", READ, { condition: { expression: `${reader.condition.expression} || true` } }),
      /\(manifest-reader\) has a condition that does not end/,
    ],
    [onCopies(RESTORER, READ), /\(restorer\) is granted for ever/],
    [onCopies(RESTORER, READ, { condition: { expression: 'resource.name != ""' } }), /does not end/],
    // Roles that nobody generated.
    [[copies, policy(REPLICATOR, {}, "roles/storage.objectAdmin")], /no generated role/],
    [[copies, policy(REPLICATOR, {}, "roles/owner")], /no generated role/],
    [[copies, policy(REPLICATOR, {}, "projects/p/roles/elsewhere")], /no generated role/],
    [onCopies(REPLICATOR, ["storage.*"]), /gets storage\.\*/],
    [[policy(REPLICATOR), role(READ)], /declares no such store/],
    [[copies, resource(types.bucketPolicy, { bucket: "b", policyData: "{" })], /policyData of it is no JSON object/],
    // Above the buckets.
    ...["roles/owner", "roles/editor", "roles/viewer", "roles/storage.objectViewer", "roles/dataflow.worker"].map(
      (wideRole): [Declared[], RegExp] => [[member(wideRole)], /on every bucket and identity below/],
    ),
    ...["serviceAccountTokenCreator", "serviceAccountUser", "workloadIdentityUser", "serviceAccountAdmin"].map(
      (wideRole): [Declared[], RegExp] => [[member(`roles/iam.${wideRole}`)], /binding wide: roles\/iam/],
    ),
    [[member("projects/p/roles/r"), role(READ)], /storage.objects.get, storage.objects.list, on every/],
    [[member("projects/p/roles/r"), role(["iam.serviceAccounts.getAccessToken"])], /getAccessToken/],
    [[member("projects/p/roles/r"), role(["iam.serviceAccounts.*"])], /iam.serviceAccounts.\*/],
    [[member("projects/p/roles/r")], /what projects\/p\/roles\/r holds/],
    [[member("roles/logging.logWriter", "allAuthenticatedUsers")], /is nobody in particular/],
    [[wide("projects/iAMBinding:IAMBinding", { role: "roles/editor", members: ["user:a@b"] })], /roles\/editor/],
    [
      [
        wide("projects/iAMPolicy:IAMPolicy", {
          policyData: JSON.stringify({ bindings: [{ role: "roles/owner", members: ["user:a@b"] }] }),
        }),
      ],
      /roles\/owner/,
    ],
    [[wide("folder/iAMMember:IAMMember", { role: "roles/editor", member: "user:a@b" })], /roles\/editor/],
    [[wide("organizations/iAMBinding:IAMBinding", { role: "roles/owner", members: ["user:a@b"] })], /roles\/owner/],
  ],
});
