import * as aws from "@pulumi/aws";
import { ComponentResource, type ComponentResourceOptions, type Resource } from "@pulumi/pulumi";
import type { Statement } from "../../plan/s3-permissions";

/** Arguments of {@link StandbyRegistry}. */
export interface StandbyRegistryArgs {
  /** One repository for each image and chart: ECR makes none when something is pushed. */
  repositories: string[];
  /** ARNs of the roles that push. */
  publishers: string[];
  /** Protects the repositories and refuses to remove what is in them. */
  deletionProtection: boolean;
}

/** Days after which images that no tag names any more go: what was pushed twice. */
const untaggedDays = 30;

/**
 * Images and charts of the standby, in its own region (S7): pushed together with the vault's, so that they are there before
 * Google is gone. A tag is what it was when it was pushed; nobody deletes.
 */
export class StandbyRegistry extends ComponentResource {
  /** From then on something can be pushed to and pulled from it. */
  readonly repositories: Resource[];

  constructor(name: string, args: StandbyRegistryArgs, opts?: ComponentResourceOptions) {
    super("iconik:aws:StandbyRegistry", name, {}, opts);
    const policy = JSON.stringify({ Version: "2012-10-17", Statement: statements(args.publishers) });
    const lifecycle = JSON.stringify({
      rules: [
        {
          rulePriority: 1,
          description: "what no tag names",
          selection: {
            tagStatus: "untagged",
            countType: "sinceImagePushed",
            countUnit: "days",
            countNumber: untaggedDays,
          },
          action: { type: "expire" },
        },
      ],
    });
    this.repositories = args.repositories.map((repository) => {
      const part = `${name}-${repository.replaceAll("/", "-")}`;
      const made = new aws.ecr.Repository(
        part,
        {
          name: repository,
          imageTagMutability: "IMMUTABLE",
          imageScanningConfiguration: { scanOnPush: true },
          encryptionConfigurations: [{ encryptionType: "AES256" }],
          forceDelete: !args.deletionProtection,
        },
        { parent: this, protect: args.deletionProtection },
      );
      const inside = { parent: this, deletedWith: made };
      new aws.ecr.LifecyclePolicy(part, { repository: made.name, policy: lifecycle }, inside);
      new aws.ecr.RepositoryPolicy(part, { repository: made.name, policy }, inside);
      return made;
    });
    this.registerOutputs({});
  }
}

const pushing = [
  "ecr:BatchCheckLayerAvailability",
  "ecr:BatchGetImage",
  "ecr:CompleteLayerUpload",
  "ecr:DescribeImages",
  "ecr:GetDownloadUrlForLayer",
  "ecr:InitiateLayerUpload",
  "ecr:PutImage",
  "ecr:UploadLayerPart",
];

/** Who pushes; and that nobody but them does, or removes an image that a restore may want. */
function statements(publishers: string[]): Omit<Statement, "Resource">[] {
  const others = { ArnNotEquals: { "aws:PrincipalArn": publishers } };
  return [
    ...(publishers.length > 0
      ? [
          {
            Sid: "Publishers",
            Effect: "Allow" as const,
            Principal: { AWS: publishers.length === 1 ? publishers[0]! : publishers },
            Action: pushing,
          },
        ]
      : []),
    {
      Sid: "NobodyElsePushes",
      Effect: "Deny",
      Principal: "*",
      Action: ["ecr:PutImage", "ecr:InitiateLayerUpload"],
      ...(publishers.length > 0 && { Condition: others }),
    },
    {
      Sid: "NobodyDeletesImages",
      Effect: "Deny",
      Principal: "*",
      Action: "ecr:BatchDeleteImage",
      Condition: { Bool: { "aws:PrincipalIsAWSService": "false" } },
    },
  ];
}
