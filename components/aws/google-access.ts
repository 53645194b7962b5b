import * as k8s from "@pulumi/kubernetes";
import { ComponentResource, type ComponentResourceOptions, type Resource } from "@pulumi/pulumi";
import { externalAccount } from "../../plan/federation";
import { namespaces } from "../../plan/names";
import { federationAudience } from "../../plan/standby";
import { standbyPool } from "../../plan/state";
import { credentialsFile, googleFolder, tokenFile } from "../job-pod";
import type { EksCluster } from "./eks-cluster";

/** Arguments of {@link GoogleAccess}. */
export interface GoogleAccessArgs {
  cluster: EksCluster;
  /** Name of the ConfigMap, in the namespace of the copy jobs. */
  configMap: string;
  /** Number of the project whose pool trusts the cluster's issuer. */
  projectNumber: string;
  /** Google service account that is acted as. */
  email: string;
}

/**
 * How a pod of the standby is let in at Google without a key: the token of its own Kubernetes account, for Google alone, is
 * exchanged at Google's STS. What is in the ConfigMap is no secret. Google's own support for AWS wants the credentials of a
 * machine or a task, which Pod Identity does not give; the cluster's issuer is what the pool trusts (ADR 27).
 */
export class GoogleAccess extends ComponentResource {
  readonly audience: string;
  readonly config: Resource;

  constructor(name: string, args: GoogleAccessArgs, opts?: ComponentResourceOptions) {
    super("iconik:aws:GoogleAccess", name, {}, opts);
    this.audience = federationAudience(args.projectNumber, standbyPool.id, standbyPool.provider);
    this.config = new k8s.core.v1.ConfigMap(
      `${name}-config`,
      {
        metadata: { name: args.configMap, namespace: namespaces.dr },
        data: {
          [credentialsFile]: JSON.stringify(externalAccount(this.audience, args.email, `${googleFolder}/${tokenFile}`)),
        },
      },
      args.cluster.inside(this),
    );
    this.registerOutputs({});
  }
}
