/** Roles and policies. Source: "IAM and STS quotas", "IAM API reference". */
import { randomBytes } from "node:crypto";
import { type Behaviour, CloudError, type Props } from "../../lib/types";
import { type Registry, text } from "../registry";
import type { AwsAccess } from "./access";
import { accountOf, arn, nameOf } from "./arn";
import { absent, invalid, matches, present, required, texts } from "./checks";
import { managedPolicies, managedPolicy } from "./managed";
import { parsePolicy } from "./policy/document";
import { AWS } from "./types";

const ROLE_NAME = /^[\w+=,.@-]{1,64}$/;
const POLICY_NAME = /^[\w+=,.@-]{1,128}$/;
const PATH = /^\/(?:[\u0021-\u007e]+\/)?$/;
/** Managed policies that a role may have. */
const ATTACHED = 10;

/** Behaviours by type token. */
export function iamBehaviours(registry: Registry, access: AwsAccess): Record<string, Behaviour> {
  const roleOf = (inputs: Props) => {
    const name = nameOf(required(inputs, "role"));
    return present(registry, AWS.role, name, "NoSuchEntity", `The role with name ${name} cannot be found.`);
  };
  const checkPolicyArn = (policyArn: string) => {
    if (registry.get(AWS.policy, policyArn) || managedPolicy(policyArn)) return;
    const known = policyArn.startsWith("arn:aws:iam::aws:") ? ` The sandbox knows ${managedPolicies.join(", ")}.` : "";
    throw new CloudError(404, "NoSuchEntity", `Policy ${policyArn} does not exist or is not attachable.${known}`);
  };
  const trust = (document: unknown): Record<string, string> => {
    parsePolicy(document, "trust");
    return access.principals(document, "trust", (name) =>
      invalid(`Invalid principal in policy: "AWS":"${name}"`, "MalformedPolicyDocument"),
    );
  };
  const checkRole = (inputs: Props) => {
    if (text(inputs, "description").length > 1000) throw invalid("description is longer than 1000 characters");
    const seconds = Number(inputs.maxSessionDuration ?? 3600);
    if (seconds < 3600 || seconds > 43_200) throw invalid(`maxSessionDuration ${seconds} must be from 3600 to 43200`);
    for (const each of texts(inputs, "managedPolicyArns")) checkPolicyArn(each);
    if (inputs.permissionsBoundary) checkPolicyArn(text(inputs, "permissionsBoundary"));
  };
  return {
    [AWS.role]: {
      create: async (inputs, caller) => {
        const [name, path] = [required(inputs, "name"), text(inputs, "path") || "/"];
        matches(name, ROLE_NAME, "roleName");
        matches(path, PATH, "path");
        absent(registry, AWS.role, name, "EntityAlreadyExists", `Role with name ${name} already exists.`);
        checkRole(inputs);
        const principals = trust(inputs.assumeRolePolicy);
        const outputs = {
          ...inputs,
          name,
          path,
          arn: arn("iam", "", accountOf(caller), `role${path}${name}`),
          uniqueId: `AROA${randomBytes(9).toString("hex").toUpperCase().slice(0, 17)}`,
          createDate: new Date().toISOString(),
          maxSessionDuration: inputs.maxSessionDuration ?? 3600,
          __principals: principals,
        };
        return { id: name, outputs };
      },
      update: async ({ outputs }, inputs) => {
        checkRole(inputs);
        return { ...outputs, ...inputs, __principals: trust(inputs.assumeRolePolicy) };
      },
      delete: async (role) => {
        const name = role.id;
        const ofRole = (type: string) => registry.all(type).some(({ inputs }) => nameOf(text(inputs, "role")) === name);
        if (ofRole(AWS.roleAttachment))
          throw new CloudError(409, "DeleteConflict", "Cannot delete entity, must detach all policies first.");
        if (ofRole(AWS.rolePolicy))
          throw new CloudError(409, "DeleteConflict", "Cannot delete entity, must delete policies first.");
      },
    },
    [AWS.rolePolicy]: {
      create: async (inputs) => {
        const role = roleOf(inputs);
        const name = required(inputs, "name");
        matches(name, POLICY_NAME, "policyName");
        parsePolicy(inputs.policy, "identity");
        return { id: `${role.id}:${name}`, outputs: { ...inputs, role: role.id, name } };
      },
      update: async ({ outputs }, inputs) => {
        parsePolicy(inputs.policy, "identity");
        return { ...outputs, ...inputs };
      },
      read: async ({ inputs, outputs }) => (registry.get(AWS.role, nameOf(text(inputs, "role"))) ? outputs : undefined),
    },
    [AWS.policy]: {
      create: async (inputs, caller) => {
        const [name, path] = [required(inputs, "name"), text(inputs, "path") || "/"];
        matches(name, POLICY_NAME, "policyName");
        const id = arn("iam", "", accountOf(caller), `policy${path}${name}`);
        absent(
          registry,
          AWS.policy,
          id,
          "EntityAlreadyExists",
          `A policy called ${name} already exists. Duplicate names are not allowed.`,
        );
        checkManaged(inputs);
        const outputs = {
          ...inputs,
          arn: id,
          policyId: `ANPA${randomBytes(9).toString("hex").toUpperCase().slice(0, 17)}`,
          path,
        };
        return { id, outputs };
      },
      update: async ({ outputs }, inputs) => {
        checkManaged(inputs);
        return { ...outputs, ...inputs };
      },
      delete: async ({ id }) => {
        const attached = registry.all(AWS.roleAttachment).some(({ inputs }) => inputs.policyArn === id);
        const bounds = registry.all(AWS.role).some(({ inputs }) => inputs.permissionsBoundary === id);
        if (attached || bounds)
          throw new CloudError(409, "DeleteConflict", "Cannot delete a policy attached to entities.");
      },
    },
    [AWS.roleAttachment]: {
      create: async (inputs) => {
        const role = roleOf(inputs);
        const policyArn = required(inputs, "policyArn");
        checkPolicyArn(policyArn);
        const others = registry.all(AWS.roleAttachment).filter((each) => nameOf(text(each.inputs, "role")) === role.id);
        if (others.length >= ATTACHED)
          throw new CloudError(409, "LimitExceeded", `Cannot exceed quota for PoliciesPerRole: ${ATTACHED}`);
        return { id: `${role.id}/${policyArn}`, outputs: { ...inputs } };
      },
      read: async ({ inputs, outputs }) => (registry.get(AWS.role, nameOf(text(inputs, "role"))) ? outputs : undefined),
    },
    [AWS.oidcProvider]: {
      create: async (inputs, caller) => {
        const url = required(inputs, "url")
          .replace(/^https:\/\//, "")
          .replace(/\/$/, "");
        if (!text(inputs, "url").startsWith("https://")) throw invalid(`url "${inputs.url}" must begin with https://`);
        if (texts(inputs, "clientIdLists").length === 0) throw invalid("clientIdLists must have one entry or more");
        const id = arn("iam", "", accountOf(caller), `oidc-provider/${url}`);
        absent(
          registry,
          AWS.oidcProvider,
          id,
          "EntityAlreadyExists",
          `Provider with url https://${url} already exists.`,
        );
        return { id, outputs: { ...inputs, arn: id } };
      },
    },
  };
}

/** Managed policies may be shorter than inline ones. */
function checkManaged(inputs: Props): void {
  parsePolicy(inputs.policy, "identity");
  const written = typeof inputs.policy === "string" ? inputs.policy : JSON.stringify(inputs.policy);
  if (written.replace(/\s/g, "").length > 6144)
    throw new CloudError(409, "LimitExceeded", "Cannot exceed quota for PolicySize: 6144");
}
