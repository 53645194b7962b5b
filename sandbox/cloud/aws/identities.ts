/**
 * Who becomes which role: pods by EKS Pod Identity, tokens of clusters by AssumeRoleWithWebIdentity, roles by AssumeRole; and
 * who of them is let into a cluster. Source: "EKS Pod Identity", "AWS STS API reference", "aws-iam-authenticator".
 */
import { CloudError, type ClusterManager } from "../../lib/types";
import { type Registry, text } from "../registry";
import { readToken } from "../service-account-token";
import { ANONYMOUS, type AwsAccess, type Caller } from "./access";
import { accountOf, arn, nameOf } from "./arn";
import { texts } from "./checks";
import { groupsIn, podRole } from "./eks";
import { contextOf } from "./policy/conditions";
import type { AwsSessions, Credentials } from "./sessions";
import { signer } from "./signature";
import { AWS } from "./types";

/** Audience of the tokens that the Pod Identity agent takes. */
export const POD_AUDIENCE = "pods.eks.amazonaws.com";
const TOKEN = "k8s-aws-v1.";

/** A role that was taken. */
export interface Assumed {
  caller: Caller;
  credentials: Credentials;
}

const denied = (message: string) => new CloudError(403, "AccessDenied", message);

export class AwsIdentities {
  constructor(
    private readonly registry: Registry,
    private readonly access: AwsAccess,
    private readonly sessions: AwsSessions,
    private readonly clusters: () => ClusterManager,
  ) {}

  /** Credentials of a pod, for the token that it was given. @throws CloudError 400 and 403 */
  async ofPod(clusterArn: string, token: string): Promise<Assumed> {
    const name = nameOf(clusterArn);
    if (!this.registry.get(AWS.addon, `${name}:eks-pod-identity-agent`))
      throw new CloudError(503, "ServiceUnavailable", `cluster ${name} has no add-on eks-pod-identity-agent`);
    const { namespace, account, pod } = await readToken(token, {
      key: this.clusters().serviceAccountKey,
      issuers: [this.issuerOf(clusterArn)],
      audience: POD_AUDIENCE,
    });
    const roleArn = podRole(this.registry, name, namespace, account);
    if (!roleArn)
      throw new CloudError(
        404,
        "ResourceNotFoundException",
        `no association for ${namespace}/${account} in cluster ${name}`,
      );
    const tags = {
      "eks-cluster-arn": clusterArn,
      "eks-cluster-name": name,
      "kubernetes-namespace": namespace,
      "kubernetes-service-account": account,
      "kubernetes-pod-name": pod.name,
      "kubernetes-pod-uid": pod.uid,
    };
    const context = contextOf({
      "aws:SourceAccount": accountOf(clusterArn),
      "aws:SourceArn": clusterArn,
      "aws:TagKeys": Object.keys(tags),
      ...Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:RequestTag/${key}`, value])),
    });
    const service = { kind: "Service", name: POD_AUDIENCE } as const;
    for (const action of ["sts:AssumeRole", "sts:TagSession"])
      if (!this.access.trusts(roleArn, service, action, context))
        throw denied(`Service ${POD_AUDIENCE} is not authorized to perform: ${action} on resource: ${roleArn}`);
    return this.issue(roleArn, `eks-${name}-${pod.name}`.slice(0, 64), 6 * 3600, tags);
  }

  /** AssumeRoleWithWebIdentity. @throws CloudError 400 and 403 */
  async withToken(roleArn: string, session: string, token: string, seconds: number): Promise<Assumed> {
    const providers = this.registry.all(AWS.oidcProvider).filter(({ id }) => accountOf(id) === accountOf(roleArn));
    const { issuer, subject, audiences } = await readToken(token, {
      key: this.clusters().serviceAccountKey,
      issuers: providers.map(({ inputs }) => text(inputs, "url").replace(/\/$/, "")),
    });
    const provider = providers.find(({ inputs }) => text(inputs, "url").replace(/\/$/, "") === issuer);
    const audience = audiences.find((each) => texts(provider?.inputs ?? {}, "clientIdLists").includes(each));
    if (!provider || audience === undefined)
      throw new CloudError(400, "InvalidIdentityToken", "Incorrect token audience");
    const host = issuer.replace(/^https:\/\//, "");
    const context = contextOf({ [`${host}:sub`]: subject, [`${host}:aud`]: audience });
    const from = { kind: "Federated", name: provider.id } as const;
    if (!this.access.trusts(roleArn, from, "sts:AssumeRoleWithWebIdentity", context))
      throw denied("Not authorized to perform sts:AssumeRoleWithWebIdentity");
    return this.issue(roleArn, session, seconds);
  }

  /** AssumeRole. @throws CloudError 403 */
  assume(caller: Caller, roleArn: string, session: string, seconds: number, externalId?: string): Assumed {
    const refusal = denied(
      `User: ${caller.arn || "anonymous"} is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`,
    );
    if (caller === ANONYMOUS) throw refusal;
    const context = contextOf({
      "aws:PrincipalArn": caller.roleArn,
      "aws:PrincipalAccount": caller.account,
      ...(externalId && { "sts:ExternalId": externalId }),
    });
    if (!this.lets(caller, roleArn, "sts:AssumeRole", context)) throw refusal;
    this.passTags(caller, roleArn, context);
    return this.issue(roleArn, session, Math.min(seconds, 3600), caller.tags);
  }

  /** Do the role's trust and the caller's own policies let it? In one account a trust by name is enough; one by account leaves it to them. */
  private lets(caller: Caller, roleArn: string, action: string, context: ReturnType<typeof contextOf>): boolean {
    if (!this.access.trusts(roleArn, { kind: "AWS", name: caller.roleArn }, action, context)) return false;
    const named = this.access.trustsByName(roleArn, caller.roleArn, action, context);
    return this.access.grants(caller, action, roleArn) || (named && caller.account === accountOf(roleArn));
  }

  /** The tags of a pod's session are transitive: whoever it becomes has them too, if both sides allow that. @throws CloudError 403 */
  private passTags(caller: Caller, roleArn: string, context: ReturnType<typeof contextOf>): void {
    if (Object.keys(caller.tags).length === 0) return;
    if (!this.lets(caller, roleArn, "sts:TagSession", context))
      throw denied(`User: ${caller.arn} is not authorized to perform: sts:TagSession on resource: ${roleArn}`);
  }

  /** Who a token of `aws eks get-token` is to a cluster: name and groups. @throws CloudError 401 */
  async inCluster(clusterArn: string, token: string): Promise<{ username: string; uid: string; groups: string[] }> {
    const nobody = new CloudError(401, "Unauthorized", "the token is of nobody who has access");
    if (!token.startsWith(TOKEN)) throw nobody;
    const url = new URL(Buffer.from(token.slice(TOKEN.length), "base64url").toString("utf8"));
    if (url.searchParams.get("Action") !== "GetCallerIdentity" || !/^sts\..*amazonaws\.com$/.test(url.hostname))
      throw nobody;
    // The signature covers the cluster's name: a token for one is none for another.
    const headers = { host: url.host, "x-k8s-aws-id": nameOf(clusterArn) };
    const { caller } = await signer(
      { method: "GET", url: `${url.pathname}${url.search}`, headers, body: "" },
      this.sessions,
    );
    const groups = caller === ANONYMOUS ? undefined : groupsIn(this.registry, nameOf(clusterArn), caller.roleArn);
    if (!groups) throw nobody;
    return {
      username: caller.arn,
      uid: `aws-iam-authenticator:${caller.account}:${caller.roleId}`,
      groups: [...groups, "system:authenticated"],
    };
  }

  private issue(roleArn: string, session: string, seconds: number, tags: Record<string, string> = {}): Assumed {
    const caller = this.access.caller(roleArn, session, tags);
    if (!caller) throw denied(`not authorized to take ${roleArn}`);
    return { caller, credentials: this.sessions.issue(caller, seconds) };
  }

  private issuerOf(clusterArn: string): string {
    return this.clusters().get(clusterArn)?.spec.issuer ?? arn("eks", "", "", "none");
  }
}
