/** Inputs the provider fills in: generated names, and project and location from its configuration. */
import type { Props } from "../../lib/types";
import { type AutoName, fillDefaults, keepsName, type Unfilled } from "../shape/defaults";

const dashed = (property: string, maxLength: number): AutoName => ({ property, maxLength, separator: "-" });

const autoNames: Record<string, AutoName> = {
  "compute/backendService:BackendService": dashed("name", 63),
  "compute/firewall:Firewall": dashed("name", 63),
  "compute/globalAddress:GlobalAddress": dashed("name", 63),
  "compute/globalForwardingRule:GlobalForwardingRule": dashed("name", 63),
  "compute/healthCheck:HealthCheck": dashed("name", 63),
  "compute/network:Network": dashed("name", 63),
  "compute/networkEndpointGroup:NetworkEndpointGroup": dashed("name", 63),
  "compute/router:Router": dashed("name", 63),
  "compute/routerNat:RouterNat": dashed("name", 63),
  "compute/sSLPolicy:SSLPolicy": dashed("name", 63),
  "compute/securityPolicy:SecurityPolicy": dashed("name", 63),
  "compute/subnetwork:Subnetwork": dashed("name", 63),
  "compute/targetHttpProxy:TargetHttpProxy": dashed("name", 63),
  "compute/targetHttpsProxy:TargetHttpsProxy": dashed("name", 63),
  "compute/uRLMap:URLMap": dashed("name", 63),
  "container/cluster:Cluster": dashed("name", 40),
  "container/nodePool:NodePool": dashed("name", 40),
  "kms/cryptoKey:CryptoKey": dashed("name", 63),
  "kms/keyRing:KeyRing": dashed("name", 63),
  "projects/iAMCustomRole:IAMCustomRole": { property: "roleId", maxLength: 64, separator: "_" },
  "serviceaccount/account:Account": dashed("accountId", 30),
  "storage/bucket:Bucket": dashed("name", 63),
};

/** The provider's configuration that fills absent inputs. */
export interface Locations {
  project?: string;
  region?: string;
  zone?: string;
}

/** The inputs with what the program left out. */
export function withDefaults(
  type: string,
  properties: Record<string, string>,
  req: Unfilled,
  config: Locations,
): Props {
  const { project, region, zone } = config;
  // A node pool is where its cluster is, which its `cluster` input says.
  const location = type === "container/cluster:Cluster" ? (zone ?? region) : undefined;
  return fillDefaults(properties, req, autoNames[type], { project, region, location });
}

/** True when the program chose a name that the replacement keeps: the new resource cannot exist beside the old one. */
export function keepsExplicitName(type: string, olds: Props, news: Props): boolean {
  return keepsName(autoNames[type], olds, news);
}
