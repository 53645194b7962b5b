import * as k8s from "@pulumi/kubernetes";
import { ComponentResource, type ComponentResourceOptions, type Resource } from "@pulumi/pulumi";
import { daysAsDuration, internodeCertificate } from "../plan/encryption";
import { cassandraClusterName, internodeItem, namespaces, secrets } from "../plan/names";
import type { Cluster } from "./cluster";

/** Arguments of {@link InternodeCertificates}. */
export interface InternodeCertificatesArgs {
  /** The datacenter's cluster. */
  cluster: Cluster;
  datacenter: string;
  /** 1Password vault that holds the authority. */
  vault: string;
}

/**
 * Keystores with which a datacenter's nodes prove that they are nodes of the cluster, and know the others (S1). The
 * authority is the same 1Password item for every datacenter; each region's cert-manager issues from it, so that nodes of a
 * new region, or of a rebuild, are trusted at once.
 */
export class InternodeCertificates extends ComponentResource {
  /** Ready when the keystores are there. */
  readonly certificate: Resource;

  constructor(name: string, args: InternodeCertificatesArgs, opts?: ComponentResourceOptions) {
    super("iconik:cassandra:InternodeCertificates", name, {}, opts);
    const inside = args.cluster.inside(this);
    const authority = new k8s.apiextensions.CustomResource(
      `${name}-authority`,
      {
        apiVersion: "onepassword.com/v1",
        kind: "OnePasswordItem",
        metadata: named(secrets.internodeAuthority),
        spec: { itemPath: `vaults/${args.vault}/items/${internodeItem}` },
      },
      inside,
    );
    const issuer = new k8s.apiextensions.CustomResource(
      `${name}-issuer`,
      {
        apiVersion: "cert-manager.io/v1",
        kind: "Issuer",
        metadata: named(secrets.internodeStores),
        spec: { ca: { secretName: secrets.internodeAuthority } },
      },
      { ...inside, dependsOn: [authority] },
    );
    this.certificate = new k8s.apiextensions.CustomResource(
      `${name}-certificate`,
      {
        apiVersion: "cert-manager.io/v1",
        kind: "Certificate",
        metadata: named(secrets.internodeStores),
        spec: {
          secretName: secrets.internodeStores,
          commonName: `${cassandraClusterName}-${args.datacenter}`,
          duration: daysAsDuration(internodeCertificate.days),
          renewBefore: daysAsDuration(internodeCertificate.renewDaysBefore),
          privateKey: { algorithm: "RSA", size: 3072, rotationPolicy: "Always" },
          // Each node is the one who calls and the one who is called.
          usages: ["digital signature", "key encipherment", "server auth", "client auth"],
          keystores: {
            pkcs12: {
              create: true,
              profile: "Modern2023",
              passwordSecretRef: { name: secrets.internodeAuthority, key: "keystore-password" },
            },
          },
          issuerRef: { group: "cert-manager.io", kind: "Issuer", name: secrets.internodeStores },
        },
      },
      { ...inside, dependsOn: [issuer] },
    );
    this.registerOutputs({});
  }
}

/** An object of the Cassandra namespace that counts as made when its operator says that it is ready. */
function named(name: string) {
  return { name, namespace: namespaces.cassandra, annotations: { "pulumi.com/waitFor": "condition=Ready" } };
}
