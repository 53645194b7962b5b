import { awsTypes } from "../lib/aws";
import { type Props, resource, specify } from "../testing";
import { ecrImmutable } from "./ecr-immutable";

const repository = (props: Props = {}) =>
  resource(awsTypes.repository, {
    name: "r",
    imageTagMutability: "IMMUTABLE",
    imageScanningConfiguration: { scanOnPush: true },
    ...props,
  });
const policy = (...Statement: Props[]) =>
  resource(awsTypes.repositoryPolicy, { repository: "r", policy: JSON.stringify({ Statement }) });
const kept = { Effect: "Deny", Principal: "*", Action: "ecr:BatchDeleteImage" };
const lifecycle = (tagStatus: string) =>
  resource(awsTypes.repositoryLifecycle, {
    repository: "r",
    policy: JSON.stringify({ rules: [{ rulePriority: 1, selection: { tagStatus } }] }),
  });

specify(ecrImmutable, {
  holds: [
    [repository(), policy(kept)],
    [
      repository(),
      policy({ Effect: "Allow", Principal: { AWS: "x" }, Action: "ecr:PutImage" }, kept),
      lifecycle("untagged"),
    ],
  ],
  violated: [
    [
      [repository({ imageTagMutability: "MUTABLE" }), policy(kept)],
      /S7, D4: repository r: imageTagMutability is "MUTABLE"/,
    ],
    [[repository({ imageTagMutability: undefined }), policy(kept)], /imageTagMutability is not set/],
    [[repository({ imageScanningConfiguration: undefined }), policy(kept)], /scanOnPush is not true/],
    [repository(), /lets images be deleted/],
    [[repository(), policy({ ...kept, Effect: "Allow" })], /lets images be deleted/],
    [[repository(), policy(kept), lifecycle("any")], /lifecycle rule 1 removes tagged images/],
  ],
});
