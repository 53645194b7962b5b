/** Who may do what in AWS, computed from the policies that are declared now. */
import type { CloudResource } from "../../lib/types";
import { type Registry, text } from "../registry";
import { accountOf, arn, nameOf, parseArn } from "./arn";
import { managedPolicy } from "./managed";
import { type Context, contextOf } from "./policy/conditions";
import { type Policy, type PolicyKind, parsePolicy } from "./policy/document";
import { applies, evaluate, type Policies, type Principal, type Verdict } from "./policy/evaluate";
import { AWS } from "./types";

/** A caller with what its session carries. */
export interface Caller extends Principal {
  /** Tags of the role and of the session, `aws:PrincipalTag/…`. */
  tags: Record<string, string>;
}

/** Nobody: a request without a signature. */
export const ANONYMOUS: Caller = { arn: "", roleArn: "", account: "", roleId: "", tags: {} };

/** Where a session of a role may come from. */
export interface Source {
  kind: "AWS" | "Service" | "Federated";
  /** ARN of a role, name of a service or of an identity provider. */
  name: string;
}

/** Decisions from roles, policies, buckets and keys. */
export class AwsAccess {
  private readonly parsed = new Map<string, Policy>();

  constructor(
    private readonly registry: Registry,
    /** Roles by whom an account is set up: they may do everything in it. */
    private readonly deployers: (roleArn: string) => boolean,
    /** Services whose linked roles exist because the account has used them. */
    private readonly services: readonly string[] = [],
  ) {}

  /** A role that exists, by its ARN. */
  role(roleArn: string): CloudResource | undefined {
    return this.registry.all(AWS.role).find(({ outputs }) => outputs.arn === roleArn);
  }

  /** A caller with a session of a role, or undefined when there is no such role. */
  caller(roleArn: string, session: string, sessionTags: Record<string, string> = {}): Caller | undefined {
    const role = this.role(roleArn);
    if (!role && !this.deployers(roleArn)) return undefined;
    const account = accountOf(roleArn);
    return {
      arn: arn("sts", "", account, `assumed-role/${nameOf(roleArn)}/${session}`),
      roleArn,
      account,
      roleId: role ? text(role.outputs, "uniqueId") : "deployer",
      tags: { ...(role?.inputs.tags as Record<string, string> | undefined), ...sessionTags },
    };
  }

  /** A session of a service's linked role. Its policy is AWS's own and says nothing of keys or buckets of ours. */
  linked(account: string, service: string, role: string): Caller {
    return {
      arn: arn("sts", "", account, `assumed-role/${role}/${service}`),
      roleArn: arn("iam", "", account, `role/aws-service-role/${service}/${role}`),
      account,
      roleId: "linked",
      tags: {},
    };
  }

  /** True when the role's trust policy lets the source take it by an action such as `sts:AssumeRole`. */
  trusts(roleArn: string, { kind, name }: Source, action: string, context: Context): boolean {
    const role = this.role(roleArn);
    if (!role) return false;
    const { statements } = this.parse(role.inputs.assumeRolePolicy, "trust");
    const ids = (role.outputs.__principals ?? {}) as Record<string, string>;
    const fits = statements.filter((statement) => {
      const names = statement.principals?.[kind] ?? [];
      const root =
        kind === "AWS" &&
        names.some((each) => each === accountOf(name) || each === `arn:aws:iam::${accountOf(name)}:root`);
      const itself = names.some((each) => each === name && (!ids[each] || ids[each] === this.roleId(each)));
      return (root || itself || names.includes("*")) && applies(statement, { action, resource: "", context });
    });
    return fits.some(({ effect }) => effect === "Allow") && !fits.some(({ effect }) => effect === "Deny");
  }

  /** True when the role's trust policy names the caller's role itself, and not its account alone. */
  trustsByName(roleArn: string, caller: string, action: string, context: Context): boolean {
    const role = this.role(roleArn);
    if (!role) return false;
    return this.parse(role.inputs.assumeRolePolicy, "trust").statements.some(
      (statement) =>
        statement.effect === "Allow" &&
        (statement.principals?.AWS ?? []).includes(caller) &&
        applies(statement, { action, resource: "", context }),
    );
  }

  /** Decides an action on a bucket or an object (`arn:aws:s3:::BUCKET[/KEY]`). */
  onBucket(
    caller: Caller,
    action: string,
    resource: string,
    context: Record<string, string | string[] | undefined>,
  ): Verdict {
    const bucket = this.registry.get(AWS.bucket, (parseArn(resource)?.resource ?? "").split("/")[0] ?? "");
    const owner = accountOf(text(bucket?.outputs ?? {}, "__owner"));
    const policy = bucket && this.registry.get(AWS.bucketPolicy, bucket.id);
    return this.decide(caller, action, resource, context, {
      resourceAccount: owner,
      ...(policy && {
        resource: {
          policy: this.parse(policy.inputs.policy, "resource"),
          ids: (policy.outputs.__principals ?? {}) as Record<string, string>,
        },
      }),
    });
  }

  /** Decides an action on a key, given by its ARN. */
  onKey(
    caller: Caller,
    action: string,
    keyArn: string,
    context: Record<string, string | string[] | undefined>,
  ): Verdict {
    const key = this.registry.all(AWS.key).find(({ outputs }) => outputs.arn === keyArn);
    if (!key) return { allowed: false, reason: "because the resource does not exist in this Region" };
    const separate = this.registry.get(AWS.keyPolicy, key.id);
    const written = separate ?? key;
    const policy = written.inputs.policy ?? allOfAccount(accountOf(keyArn));
    return this.decide(caller, action, keyArn, context, {
      resourceAccount: accountOf(keyArn),
      resourceDecides: true,
      resource: {
        policy: this.parse(policy, "resource"),
        ids: (written.outputs.__principals ?? {}) as Record<string, string>,
      },
    });
  }

  /** Decides an action on something that has no policy of its own. */
  allows(caller: Caller, action: string, resource: string, context: Record<string, string | undefined> = {}): Verdict {
    return this.decide(caller, action, resource, context, { resourceAccount: accountOf(resource) || caller.account });
  }

  /** Does the caller's own side allow an action? For what the resource's side has decided by itself, such as a role's trust. */
  grants(caller: Caller, action: string, resource: string): boolean {
    return this.decide(caller, action, resource, {}, { resourceAccount: caller.account }).allowed;
  }

  /**
   * Ids of the roles that a policy names, to be kept with it.
   * @throws CloudError 400 when it names one that does not exist
   */
  principals(document: unknown, kind: PolicyKind, refuse: (name: string) => Error): Record<string, string> {
    const ids: Record<string, string> = {};
    for (const { principals, notPrincipals } of this.parse(document, kind).statements) {
      for (const name of [...(principals?.AWS ?? []), ...(notPrincipals?.AWS ?? [])]) {
        if (!/^arn:aws:iam::\d{12}:role\//.test(name) || this.deployers(name) || this.isLinked(name)) continue;
        const id = this.roleId(name);
        if (!id) throw refuse(name);
        ids[name] = id;
      }
    }
    return ids;
  }

  /** True for the role of a service that the account has used, or that is declared. */
  private isLinked(roleArn: string): boolean {
    const service = /:role\/aws-service-role\/([^/]+)\//.exec(roleArn)?.[1];
    if (!service) return false;
    const declared = this.registry.all("aws:iam/serviceLinkedRole:ServiceLinkedRole");
    return this.services.includes(service) || declared.some(({ inputs }) => inputs.awsServiceName === service);
  }

  private roleId(roleArn: string): string | undefined {
    const role = this.role(roleArn);
    return role && text(role.outputs, "uniqueId");
  }

  private decide(
    caller: Caller,
    action: string,
    resource: string,
    own: Record<string, string | string[] | undefined>,
    policies: Omit<Policies, "identity">,
  ): Verdict {
    if (this.deployers(caller.roleArn) && !this.role(caller.roleArn)) {
      // Even an administrator is bound by what a resource denies, and has nothing in another account.
      const administrator = this.parse(
        { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] },
        "identity",
      );
      return evaluate(
        caller,
        { action, resource, context: this.context(caller, own, policies) },
        { identity: [administrator], ...policies },
      );
    }
    const role = this.role(caller.roleArn);
    const alive = role && text(role.outputs, "uniqueId") === caller.roleId;
    const boundary = alive ? this.byArn(text(role.inputs, "permissionsBoundary")) : undefined;
    return evaluate(
      caller,
      { action, resource, context: this.context(caller, own, policies) },
      { identity: alive ? this.identityPolicies(role) : [], ...(boundary && { boundary }), ...policies },
    );
  }

  private context(
    caller: Caller,
    own: Record<string, string | string[] | undefined>,
    { resourceAccount }: { resourceAccount: string },
  ): Context {
    const known = caller.arn !== "";
    return contextOf({
      ...(known && {
        "aws:PrincipalArn": caller.roleArn,
        "aws:PrincipalAccount": caller.account,
        "aws:PrincipalType": "AssumedRole",
        "aws:userid": `${caller.roleId}:${nameOf(caller.arn)}`,
        "aws:PrincipalIsAWSService": "false",
      }),
      ...Object.fromEntries(Object.entries(caller.tags).map(([key, value]) => [`aws:PrincipalTag/${key}`, value])),
      "aws:ResourceAccount": resourceAccount,
      "aws:ViaAWSService": "false",
      "aws:SecureTransport": "true",
      ...own,
    });
  }

  private identityPolicies(role: CloudResource): Policy[] {
    const name = text(role.outputs, "name");
    const inline = [
      ...this.registry.all(AWS.rolePolicy).filter(({ inputs }) => nameOf(text(inputs, "role")) === name),
    ].map(({ inputs }) => this.parse(inputs.policy, "identity"));
    const within = ((role.inputs.inlinePolicies ?? []) as { policy?: string }[]).map(({ policy }) =>
      this.parse(policy, "identity"),
    );
    const attached = [
      ...this.registry
        .all(AWS.roleAttachment)
        .filter(({ inputs }) => nameOf(text(inputs, "role")) === name)
        .map(({ inputs }) => text(inputs, "policyArn")),
      ...((role.inputs.managedPolicyArns ?? []) as string[]),
    ].map((each) => this.byArn(each));
    return [...inline, ...within, ...attached.filter((each) => each !== undefined)];
  }

  private byArn(policyArn: string): Policy | undefined {
    if (!policyArn) return undefined;
    const declared = this.registry.get(AWS.policy, policyArn);
    return declared ? this.parse(declared.inputs.policy, "identity") : managedPolicy(policyArn);
  }

  /** Policies are read once: they are asked at every request. */
  private parse(document: unknown, kind: PolicyKind): Policy {
    const key = `${kind} ${typeof document === "string" ? document : JSON.stringify(document)}`;
    const policy = this.parsed.get(key) ?? parsePolicy(document, kind);
    this.parsed.set(key, policy);
    return policy;
  }
}

/** What a key has that was made without a policy. */
const allOfAccount = (account: string) => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: "kms:*", Resource: "*" }],
});
