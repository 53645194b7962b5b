import { awsTypes } from "../lib/aws";
import { type Props, resource, specify } from "../testing";
import { eksPrivate } from "./eks-private";

const vpcConfig = { endpointPrivateAccess: true, endpointPublicAccess: true, publicAccessCidrs: ["192.0.2.0/28"] };
const accessConfig = { authenticationMode: "API", bootstrapClusterCreatorAdminPermissions: false };
const cluster = (props: Props = {}) =>
  resource(awsTypes.cluster, {
    vpcConfig,
    accessConfig,
    encryptionConfig: { resources: ["secrets"] },
    enabledClusterLogTypes: ["api", "audit", "authenticator"],
    ...props,
  });
const metadataOptions = { httpTokens: "required", httpPutResponseHopLimit: 1 };
const template = (props: Props = {}) =>
  resource(awsTypes.launchTemplate, {
    metadataOptions,
    blockDeviceMappings: [{ deviceName: "/dev/xvda", ebs: { encrypted: "true" } }],
    ...props,
  });
const ACCOUNT = "123456789012";
const scaling = `arn:aws:iam::${ACCOUNT}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling`;
const key = (Principal: unknown, Condition: Props = {}, Effect = "Allow") =>
  resource(awsTypes.key, {
    policy: JSON.stringify({
      Statement: [{ Sid: "Disks", Effect, Principal, Action: "kms:Decrypt", Resource: "*", Condition }],
    }),
  });
const isScaling = { ArnEquals: { "aws:PrincipalArn": scaling } };
const root = { AWS: `arn:aws:iam::${ACCOUNT}:root` };
const account = (id: string) => ({ StringEquals: { "kms:CallerAccount": id } });
const ingress = (props: Props) => resource(awsTypes.ingress, { fromPort: 443, toPort: 443, ...props });

specify(eksPrivate, {
  holds: [
    cluster(),
    cluster({ vpcConfig: { endpointPrivateAccess: true, endpointPublicAccess: false } }),
    template(),
    key(root),
    key({ AWS: "*" }, { ...isScaling, ...account(ACCOUNT) }),
    key("*", { ArnNotEquals: { "aws:PrincipalArn": scaling } }, "Deny"),
    key({ Service: "logs.eu-central-1.amazonaws.com" }),
    resource(awsTypes.key, {}),
    resource(awsTypes.nodeGroup, { launchTemplate: { id: "x" }, version: "1.35" }),
    resource(awsTypes.subnet, { mapPublicIpOnLaunch: false }),
    ingress({ cidrIpv4: "0.0.0.0/0" }),
    ingress({ fromPort: 8080, toPort: 8080, referencedSecurityGroupId: "sg" }),
  ],
  violated: [
    [
      cluster({ vpcConfig: { ...vpcConfig, publicAccessCidrs: undefined } }),
      /S7, S5, D5: it: vpcConfig.publicAccessCidrs is not set/,
    ],
    [cluster({ vpcConfig: { ...vpcConfig, publicAccessCidrs: ["0.0.0.0/0"] } }), /half the world/],
    [cluster({ vpcConfig: { ...vpcConfig, endpointPrivateAccess: false } }), /endpointPrivateAccess is not true/],
    [cluster({ accessConfig: { ...accessConfig, authenticationMode: "CONFIG_MAP" } }), /"CONFIG_MAP"; set "API"/],
    [cluster({ accessConfig: { authenticationMode: "API" } }), /whoever creates the cluster administers it/],
    [cluster({ encryptionConfig: undefined }), /Secrets are not encrypted/],
    [cluster({ enabledClusterLogTypes: ["api"] }), /the log audit is off/],
    [template({ metadataOptions: { ...metadataOptions, httpTokens: "optional" } }), /httpTokens is "optional"/],
    [template({ metadataOptions: { ...metadataOptions, httpPutResponseHopLimit: 2 } }), /HopLimit is 2; set 1/],
    [template({ metadataOptions: undefined }), /httpTokens is not set/],
    [template({ blockDeviceMappings: [{ deviceName: "/dev/xvdb", ebs: {} }] }), /xvdb" is not encrypted/],
    [template({ networkInterfaces: [{ associatePublicIpAddress: "true" }] }), /has a public address/],
    [template({ keyName: "k" }), /keyName lets/],
    [key(root, isScaling), /it: Disks leaves arn:aws:iam::\S+AutoScaling to IAM, which says nothing of keys/],
    [key("*"), /Disks lets everybody use it; set the conditions/],
    [key({ AWS: "*" }, isScaling), /lets everybody use it/],
    [key({ AWS: "*" }, { ...isScaling, ...account("000000000000") }), /lets everybody use it/],
    [key({ AWS: "*" }, account(ACCOUNT)), /lets everybody use it/],
    [resource(awsTypes.nodeGroup, { version: "1.35" }), /launchTemplate is not set/],
    [resource(awsTypes.nodeGroup, { launchTemplate: {} }), /version is not set: machines would stay behind/],
    [
      resource(awsTypes.nodeGroup, { launchTemplate: {}, version: "1.35", remoteAccess: {} }),
      /remoteAccess lets people log in/,
    ],
    [resource(awsTypes.subnet, { mapPublicIpOnLaunch: true }), /public addresses/],
    [ingress({ cidrIpv4: "0.0.0.0/0", fromPort: 22, toPort: 22 }), /0\.0\.0\.0\/0 may come in on 22 to 22/],
    [ingress({ cidrIpv6: "::/0", fromPort: 0, toPort: 443 }), /::\/0 may come in/],
  ],
});
