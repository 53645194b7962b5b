/** Keys. Source: "AWS KMS API reference". */
import { randomUUID } from "node:crypto";
import { type Behaviour, CloudError, type Props } from "../../lib/types";
import { type Registry, text } from "../registry";
import type { AwsAccess } from "./access";
import { accountOf, arn } from "./arn";
import { absent, invalid, matches, present, required } from "./checks";
import { contextOf } from "./policy/conditions";
import { type Policy, parsePolicy } from "./policy/document";
import { applies } from "./policy/evaluate";
import { AWS } from "./types";

/** Behaviours by type token. */
export function kmsBehaviours(registry: Registry, access: AwsAccess): Record<string, Behaviour> {
  const refuse = () =>
    new CloudError(
      400,
      "MalformedPolicyDocumentException",
      "Policy contains a statement with one or more invalid principals.",
    );
  const policyOf = (inputs: Props, caller: string): Props => {
    if (inputs.policy === undefined) return {};
    const policy = parsePolicy(inputs.policy, "resource", "MalformedPolicyDocumentException");
    if (inputs.bypassPolicyLockoutSafetyCheck !== true) checkLockout(policy, accountOf(caller));
    return { __principals: access.principals(inputs.policy, "resource", refuse) };
  };
  const checkKey = (inputs: Props) => {
    const [days, rotation] = [Number(inputs.deletionWindowInDays ?? 30), Number(inputs.rotationPeriodInDays ?? 365)];
    if (days < 7 || days > 30) throw invalid(`deletionWindowInDays ${days} must be from 7 to 30`);
    if (rotation < 90 || rotation > 2560) throw invalid(`rotationPeriodInDays ${rotation} must be from 90 to 2560`);
    if (inputs.rotationPeriodInDays !== undefined && inputs.enableKeyRotation !== true)
      throw invalid("rotationPeriodInDays needs enableKeyRotation");
  };
  const keyOf = (reference: string) =>
    registry.all(AWS.key).find(({ id, outputs }) => id === reference || outputs.arn === reference);
  return {
    [AWS.key]: {
      create: async (inputs, caller) => {
        checkKey(inputs);
        const keyId = inputs.multiRegion === true ? `mrk-${randomUUID().replaceAll("-", "")}` : randomUUID();
        const own = policyOf(inputs, caller);
        const outputs = {
          ...inputs,
          ...own,
          keyId,
          arn: arn("kms", text(inputs, "region"), accountOf(caller), `key/${keyId}`),
        };
        return { id: keyId, outputs };
      },
      update: async ({ outputs }, inputs, caller) => {
        checkKey(inputs);
        return { ...outputs, ...inputs, ...policyOf(inputs, caller) };
      },
    },
    [AWS.keyPolicy]: {
      create: async (inputs, caller) => {
        const { id } = present(
          registry,
          AWS.key,
          required(inputs, "keyId"),
          "NotFoundException",
          `Key ${inputs.keyId} does not exist`,
        );
        return { id, outputs: { ...inputs, ...policyOf(inputs, caller) } };
      },
      update: async ({ outputs }, inputs, caller) => ({ ...outputs, ...inputs, ...policyOf(inputs, caller) }),
      read: async ({ id, outputs }) => (registry.get(AWS.key, id) ? outputs : undefined),
    },
    [AWS.alias]: {
      create: async (inputs, caller) => {
        const name = required(inputs, "name");
        matches(name, /^alias\/(?!aws\/)[a-zA-Z0-9/_-]{1,250}$/, "alias");
        const key = keyOf(required(inputs, "targetKeyId"));
        if (!key) throw new CloudError(404, "NotFoundException", `Key ${inputs.targetKeyId} does not exist`);
        const id = arn("kms", text(inputs, "region"), accountOf(caller), name);
        absent(registry, AWS.alias, id, "AlreadyExistsException", `An alias with the name ${id} already exists`);
        return { id, outputs: { ...inputs, arn: id, targetKeyArn: key.outputs.arn } };
      },
    },
  };
}

/** KMS refuses a policy under which nobody could change it again. */
function checkLockout({ statements }: Policy, account: string): void {
  const ask = {
    action: "kms:PutKeyPolicy",
    resource: "*",
    context: contextOf({ "kms:CallerAccount": account, "aws:PrincipalAccount": account }),
  };
  const own = statements.filter((each) =>
    (each.principals?.AWS ?? []).some((name) => name === "*" || accountOf(name) === account || name === account),
  );
  if (!own.some((each) => each.effect === "Allow" && applies(each, ask)))
    throw new CloudError(
      400,
      "MalformedPolicyDocumentException",
      "The new key policy will not allow you to update the key policy in the future.",
    );
}
