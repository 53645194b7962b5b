import { awsTypes, isEverybody, ofType, statementsOf } from "../lib/aws";
import { judge } from "../lib/judge";
import type { Declared, StackRule } from "../lib/rule";
import { at, json, objects, shown } from "../lib/values";

/** An activation starts what was drilled: tags stay where they are, nobody removes an image, and what came is looked through. */
export const ecrImmutable: StackRule = {
  name: "ecr-immutable",
  description: "Repositories on AWS have tags that cannot be moved, scans, and images that nobody deletes",
  plan: ["S7", "D4"],
  checkStack: (resources) =>
    judge(ofType(resources, awsTypes.repository), (repository) =>
      [
        ...settingProblems(repository),
        ...policyProblems(repository, resources),
        ...lifecycleProblems(repository, resources),
      ].map((problem) => `repository ${repository.props.name}: ${problem}`),
    ),
};

function settingProblems({ props }: Declared): string[] {
  const scan = at(props, "imageScanningConfiguration", "scanOnPush");
  return [
    ...(props.imageTagMutability === "IMMUTABLE"
      ? []
      : [`imageTagMutability is ${shown(props.imageTagMutability)}; set "IMMUTABLE"`]),
    ...(scan === true ? [] : ["imageScanningConfiguration.scanOnPush is not true; set it"]),
  ];
}

const of = (type: string, { props }: Declared, resources: Declared[]) =>
  ofType(resources, type).filter((each) => each.props.repository === props.name);

function policyProblems(repository: Declared, resources: Declared[]): string[] {
  const kept = of(awsTypes.repositoryPolicy, repository, resources).some(({ name, props }) =>
    statementsOf(props.policy, `policy of ${name}`).some(
      ({ effect, principal, actions }) =>
        effect === "Deny" && isEverybody(principal) && actions.includes("ecr:BatchDeleteImage"),
    ),
  );
  return kept ? [] : ["its policy lets images be deleted; deny ecr:BatchDeleteImage to everybody"];
}

/** Only what no tag names may go by itself. */
function lifecycleProblems(repository: Declared, resources: Declared[]): string[] {
  return of(awsTypes.repositoryLifecycle, repository, resources).flatMap(({ name, props }) =>
    objects(json(props.policy, `lifecycle of ${name}`).rules)
      .filter((rule) => at(rule, "selection", "tagStatus") !== "untagged")
      .map((rule) => `lifecycle rule ${shown(rule.rulePriority)} removes tagged images; set tagStatus "untagged"`),
  );
}
