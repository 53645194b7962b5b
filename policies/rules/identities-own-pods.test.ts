import { type Props, resource, specify } from "../testing";
import { identitiesOwnPods } from "./identities-own-pods";

const users = (account: string, members: string[], props: Props = {}) =>
  resource("gcp:serviceaccount/iAMBinding:IAMBinding", {
    serviceAccountId: `projects/p/serviceAccounts/${account}@p.iam.gserviceaccount.com`,
    role: "roles/iam.workloadIdentityUser",
    members,
    ...props,
  });
const pods = (account: string, project = "p") => `serviceAccount:${project}.svc.id.goog[dr/${account}]`;
const condition = (expression: string) => ({ condition: { expression } });
const until = (days: number) =>
  `request.time < timestamp("${new Date(Date.now() + days * 24 * 3600_000).toISOString()}")`;
const restorer = (props: Props = {}) => users("restorer-rebuild-1", [pods("restorer", "q")], props);

const TOKENS = "roles/iam.serviceAccountTokenCreator";
const breakGlass = (member: string, props: Props) => users("deployer", [member], { role: TOKENS, ...props });
const pool = "projects/1/locations/global/workloadIdentityPools";
const workflow = (environment: string) =>
  `principalSet://iam.googleapis.com/${pool}/github/attribute.environment/${environment}`;

specify(identitiesOwnPods, {
  holds: [
    users("deployer", [workflow("deploy-prod")]),
    users("previewer", [workflow("preview-prod")]),
    users("publisher", [workflow("publish-vault")]),
    users("state-reader", [
      `principal://iam.googleapis.com/${pool}/aws-standby/subject/system:serviceaccount:dr:state-reader`,
    ]),
    breakGlass("group:people@b", condition(until(0.9))),
    users("backup-replicator", [pods("backup-replicator")]),
    users("backup-replicator", []),
    restorer(condition('request.time < timestamp("2026-01-31T12:00:00Z")')),
    restorer(condition(until(13))),
    restorer(condition(`resource.name == "a && b" && ${until(13)}`)),
  ],
  violated: [
    [users("deployer", [workflow("preview-prod")]), /may act as deployer; allowed: nobody/],
    [users("deployer", [workflow("*")]), /may act as deployer/],
    [users("deployer", [`principalSet://iam.googleapis.com/${pool}/github/attribute.repository_id/7`]), /may act as/],
    [users("previewer", [`principalSet://iam.googleapis.com/${pool}/github/*`]), /may act as previewer/],
    [users("publisher", [workflow("deploy-vault")]), /may act as publisher/],
    [
      users("state-reader", [`principal://iam.googleapis.com/${pool}/aws-standby/subject/system:serviceaccount:dr:x`]),
      /may act as state-reader/,
    ],
    [breakGlass("group:people@b", {}), /break-glass access to deployer is granted for ever/],
    [breakGlass("group:people@b", condition(until(2))), /break-glass access lasts 1 day at most/],
    [breakGlass("allUsers", condition(until(0.5))), /allUsers may act as deployer; allowed: people/],
    [breakGlass(pods("services"), condition(until(0.5))), /may act as deployer; allowed: people/],
    [
      users("backup-replicator", [pods("restorer")]),
      /S2, D5: .*\[dr\/restorer\] may act as backup-replicator; allowed: /,
    ],
    [users("backup-replicator", [pods("backup-replicator", "q")]), /q\.svc\.id\.goog\[dr\/backup-replicator\] may act/],
    [users("backup-replicator", ["allAuthenticatedUsers"]), /allAuthenticatedUsers may act/],
    [users("backup-replicator", ["group:admins@b"]), /group:admins@b may act/],
    [users("standby-copier", ["user:a@b"]), /allowed: nobody/],
    [restorer(), /restorer-rebuild-1 is granted for ever/],
    [restorer(condition("true")), /has a condition that does not end \(true\)/],
    [restorer(condition(`${until(1)} || true`)), /does not end/],
    [restorer(condition(`true || true && ${until(1)}`)), /does not end/],
    [restorer(condition(`!(${until(1)})`)), /does not end/],
    [restorer(condition(`resource.name == '${until(1)}'`)), /does not end/],
    [restorer(condition(until(15))), /a restore grant lasts 14 days at most/],
    [users("gke-europe-west1", [pods("restorer")]), /no identity of the plan/],
    [users("backup-replicator", [], { role: "roles/iam.serviceAccountTokenCreator" }), /nobody else acts/],
    [users("backup-replicator", [], { role: "roles/iam.serviceAccountUser" }), /nobody else acts/],
    [users("backup-replicator", [], { role: undefined }), /role is not set/],
    [users("backup-replicator", [], { serviceAccountId: undefined }), /no identity of the plan/],
    [resource("gcp:serviceaccount/iAMMember:IAMMember"), /adds to who may act/],
    [resource("gcp:serviceaccount/iAMPolicy:IAMPolicy"), /adds to who may act/],
  ],
});
