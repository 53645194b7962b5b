import * as aws from "@pulumi/aws";
import { ComponentResource, type ComponentResourceOptions } from "@pulumi/pulumi";
import { retention } from "../../plan/retention";
import { document, type PolicyDocument, roleArn, type Statement } from "../../plan/s3-permissions";

/** Arguments of {@link Keys}. */
export interface KeysArgs {
  account: string;
  region: string;
  /** ARN of the role that deploys: it administers the keys and decrypts nothing by that. */
  deployer: string;
  deletionProtection: boolean;
}

/** What each key is for. */
const uses = {
  secrets: "Secrets in etcd of the standby's cluster",
  volumes: "Disks of the standby's machines and stores",
  logs: "Logs and alarms of the standby",
} as const;

/** Use of a key. */
export type KeyUse = keyof typeof uses;

/** The standby's keys (S7): one for each use, turned over every year by AWS, back for 30 days after somebody deletes one. */
export class Keys extends ComponentResource {
  readonly keys: Record<KeyUse, aws.kms.Key>;

  constructor(name: string, args: KeysArgs, opts?: ComponentResourceOptions) {
    super("iconik:aws:Keys", name, {}, opts);
    const key = (use: KeyUse) => {
      const made = new aws.kms.Key(
        `${name}-${use}`,
        {
          description: uses[use],
          enableKeyRotation: true,
          rotationPeriodInDays: 365,
          deletionWindowInDays: retention.standbyKeyDeletionDays,
          policy: JSON.stringify(keyPolicy(use, args)),
        },
        { parent: this, protect: args.deletionProtection, retainOnDelete: args.deletionProtection },
      );
      new aws.kms.Alias(`${name}-${use}`, { name: `alias/standby-${use}`, targetKeyId: made.keyId }, { parent: this });
      return made;
    };
    this.keys = { secrets: key("secrets"), volumes: key("volumes"), logs: key("logs") };
    this.registerOutputs({});
  }
}

const using = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"];

/**
 * Policy of a key: the account's IAM decides, and the services that use it for the account may, of which IAM says nothing. Who
 * deletes it would take every disk along, so that is for the deployer alone.
 */
export function keyPolicy(use: KeyUse, { account, region, deployer }: KeysArgs): PolicyDocument {
  const service = (Sid: string, name: string, Condition?: Statement["Condition"]): Statement => ({
    Sid,
    Effect: "Allow",
    Principal: { Service: name },
    Action: using,
    Resource: "*",
    ...(Condition && { Condition }),
  });
  const own = { StringEquals: { "aws:SourceAccount": account } };
  const root = `arn:aws:iam::${account}:root`;
  // The machines' disks are made by the scaling group's own role, whose policy is AWS's and says nothing of keys: the key has to let
  // it in by itself, and the account's root would leave it to that policy. It comes into being with the first group, and KMS takes
  // no principal that is not there yet: so everybody, as far as it is that role.
  const scaling = { Principal: { AWS: "*" }, Resource: "*" };
  const isScaling = {
    StringEquals: { "kms:CallerAccount": account },
    ArnEquals: {
      "aws:PrincipalArn": roleArn(account, "aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"),
    },
  };
  const users: Record<KeyUse, Statement[]> = {
    secrets: [],
    volumes: [
      {
        Sid: "MachinesDisks",
        Effect: "Allow",
        ...scaling,
        Action: using,
        Condition: isScaling,
      },
      {
        Sid: "MachinesDisksGrants",
        Effect: "Allow",
        ...scaling,
        Action: "kms:CreateGrant",
        Condition: { ...isScaling, Bool: { "kms:GrantIsForAWSResource": "true" } },
      },
    ],
    logs: [
      service("CloudWatchLogs", `logs.${region}.amazonaws.com`, {
        ArnLike: { "kms:EncryptionContext:aws:logs:arn": `arn:aws:logs:${region}:${account}:log-group:*` },
      }),
      service("CloudWatchAlarms", "cloudwatch.amazonaws.com", own),
      // EventBridge comes without the account: to an encrypted topic it would publish nothing.
      service("EventBridge", "events.amazonaws.com"),
    ],
  };
  return document([
    {
      Sid: "AccountsIam",
      Effect: "Allow",
      Principal: { AWS: root },
      Action: "kms:*",
      Resource: "*",
    },
    {
      Sid: "DeletedByTheDeployerAlone",
      Effect: "Deny",
      Principal: "*",
      Action: ["kms:DisableKey", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"],
      Resource: "*",
      Condition: { ArnNotEquals: { "aws:PrincipalArn": [deployer, root] } },
    },
    ...users[use],
  ]);
}
