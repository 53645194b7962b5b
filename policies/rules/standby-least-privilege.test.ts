import { identity } from "../../plan/identities";
import { identityPolicy, podTrust, type S3Store, s3Stores, tokenTrust } from "../../plan/s3-permissions";
import { awsTypes } from "../lib/aws";
import { resource, specify } from "../testing";
import { standbyLeastPrivilege } from "./standby-least-privilege";

const ACCOUNT = "123456789012";
const CLUSTER = `arn:aws:eks:eu-central-1:${ACCOUNT}:cluster/standby`;
const byStore = Object.fromEntries(s3Stores.map((store) => [store, [`b-${store.toLowerCase()}`]])) as Record<
  S3Store,
  string[]
>;
const tags: Record<S3Store, string> = {
  s3Copies: "s3-copies",
  s3MediaCopies: "s3-media-copies",
  s3Backups: "s3-backups",
  s3Media: "s3-media",
  s3States: "s3-states",
};
const buckets = s3Stores.map((store) =>
  resource(awsTypes.bucket, {
    bucket: byStore[store][0],
    tags: { "iconik-role": "standby", "iconik-store": tags[store] },
  }),
);
const policy = (role: string, statement: object) =>
  resource(awsTypes.rolePolicy, { role, policy: JSON.stringify({ Statement: statement }) });
const own = (id: "standby-copier" | "standby-services") =>
  resource(awsTypes.rolePolicy, { role: id, policy: JSON.stringify(identityPolicy(id, byStore)) });
const allow = (Action: string | string[], Resource: string | string[]) => ({ Effect: "Allow", Action, Resource });
const role = (name: string, document: object) =>
  resource(awsTypes.role, { name, assumeRolePolicy: JSON.stringify(document) });
const pods = (id: "standby-copier" | "standby-elasticsearch-backup", cluster = CLUSTER) =>
  podTrust(ACCOUNT, cluster, identity(id).kubernetes);
const attached = (to: string, name: string) =>
  resource(awsTypes.attachment, { role: to, policyArn: `arn:aws:iam::aws:policy/${name}` });
const associated = (serviceAccount: string) =>
  resource(awsTypes.association, {
    namespace: "dr",
    serviceAccount,
    roleArn: `arn:aws:iam::${ACCOUNT}:role/standby-copier`,
  });
const access = (who: string, policy: string) =>
  resource(awsTypes.clusterAccess, {
    clusterName: "standby",
    principalArn: `arn:aws:iam::${ACCOUNT}:role/${who}`,
    policyArn: `arn:aws:eks::aws:cluster-access-policy/${policy}`,
  });
const search = { namespace: "elasticsearch", name: "elasticsearch-backup" };
const copies = "arn:aws:s3:::b-s3copies";

specify(standbyLeastPrivilege, {
  holds: [
    [...buckets, own("standby-copier"), role("standby-copier", pods("standby-copier")), associated("standby-copier")],
    [
      ...buckets,
      own("standby-services"),
      policy(
        "standby-services",
        allow(["sts:AssumeRole", "sts:TagSession"], "arn:aws:iam::000000000000:role/customer"),
      ),
    ],
    [
      ...buckets,
      role("standby-elasticsearch-backup", {
        Statement: [
          ...pods("standby-elasticsearch-backup").Statement,
          tokenTrust("arn:aws:iam::1:oidc-provider/x", "https://x", search),
        ],
      }),
    ],
    [
      ...buckets,
      role("nodes", { Statement: { Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" } } }),
      attached("nodes", "AmazonEKSWorkerNodePolicy"),
      policy("controller", allow(["ec2:DescribeSubnets", "elasticloadbalancing:RegisterTargets"], "*")),
    ],
    [...buckets, policy("standby-copier", { ...allow("s3:*", "*"), Effect: "Deny" })],
    [...buckets, access("deployer", "AmazonEKSClusterAdminPolicy"), access("previewer", "AmazonEKSViewPolicy")],
    // No standby.
    [policy("standby-copier", allow("s3:*", "*"))],
  ],
  violated: [
    [
      [...buckets, policy("standby-copier", allow("s3:DeleteObject", `${copies}/*`))],
      /S7, D5: role "standby-copier" may s3:DeleteObject on arn:aws:s3:::b-s3copies/,
    ],
    [[...buckets, policy("standby-copier", allow("s3:*", `${copies}/*`))], /may s3:\* on/],
    [
      [...buckets, policy("standby-copier", allow("s3:DeleteObjectVersion", "arn:aws:s3:::b-s3mediacopies/*"))],
      /may s3:DeleteObjectVersion, which nobody may/,
    ],
    [[...buckets, policy("standby-copier", allow("s3:GetObject", "*"))], /which is no bucket of the matrix/],
    [[...buckets, policy("standby-copier", allow("s3:ListBucket", `${copies}/*`))], /may s3:ListBucket on/],
    [
      [...buckets, policy("standby-copier", { Effect: "Allow", Action: "s3:GetObject", NotResource: copies })],
      /on what is not named/,
    ],
    [
      [...buckets, policy("standby-restorer", allow("s3:PutObject", `${copies}/*`))],
      /"standby-restorer" may s3:PutObject/,
    ],
    [[...buckets, policy("standby-services", allow("sts:AssumeRole", "*"))], /may act as \*/],
    [[...buckets, policy("standby-copier", allow("sts:TagSession", "arn:aws:iam::1:role/x"))], /may sts:TagSession/],
    [[...buckets, policy("controller", allow("iam:PassRole", "*"))], /"controller" may iam:PassRole/],
    [[...buckets, policy("controller", allow("s3:GetObject", `${copies}/*`))], /"controller" may s3:GetObject/],
    [[...buckets, attached("standby-copier", "AmazonEKSWorkerNodePolicy")], /beside its own policy/],
    [[...buckets, attached("nodes", "AdministratorAccess")], /allowed are those of EKS's own parts/],
    [
      [...buckets, role("standby-copier", pods("standby-copier", "arn:aws:eks:eu-central-1:1:cluster/*"))],
      /taken on by pods of any cluster/,
    ],
    [
      [...buckets, role("standby-copier", podTrust(ACCOUNT, CLUSTER, [{ namespace: "dr", name: "other" }]))],
      /taken on by account other/,
    ],
    [[...buckets, role("standby-copier", podTrust(ACCOUNT, CLUSTER, []))], /by any pod of the cluster/],
    [
      [...buckets, role("standby-copier", { Statement: { Effect: "Allow", Principal: { AWS: "*" } } })],
      /is taken on by "\*"/,
    ],
    [
      [...buckets, role("x", { Statement: { Effect: "Allow", Principal: { AWS: "arn:aws:iam::1:root" } } })],
      /is taken on by "arn:aws:iam::1:root"/,
    ],
    [
      [
        ...buckets,
        role("standby-copier", { Statement: { Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" } } }),
      ],
      /is taken on by "ec2\.amazonaws\.com"/,
    ],
    [
      [...buckets, role("standby-copier", { Statement: [tokenTrust("p", "https://x", search)] })],
      /taken on by system:serviceaccount:elasticsearch/,
    ],
    [
      [...buckets, role("standby-copier", { Statement: { Effect: "Allow", Principal: { Federated: "p" } } })],
      /any token of an issuer/,
    ],
    [[...buckets, associated("other")], /lets dr\/other act as standby-copier/],
    [
      [...buckets, access("previewer", "AmazonEKSAdminViewPolicy")],
      /role\/previewer" AmazonEKSAdminViewPolicy; allowed are AmazonEKSViewPolicy and/,
    ],
    [
      [...buckets, ...["deployer", "previewer"].map((who) => access(who, "AmazonEKSClusterAdminPolicy"))],
      /both administer cluster standby/,
    ],
    [[...buckets, resource("aws:iam/user:User", { name: "u" })], /give rights by a role's own policy/],
  ],
});
