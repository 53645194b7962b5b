/** Inputs the provider fills in: generated names, and project and location from its configuration. */
import { randomBytes } from "node:crypto";
import type { Props } from "../../lib/types";
import { isUnknown } from "../values";

/** Input that lists the inputs the provider filled in; it is kept in the state and never sent to the cloud. */
export const DEFAULTS = "__defaults";

/** A property that gets a generated value when the program leaves it out. */
interface AutoName {
  property: string;
  maxLength: number;
  separator: string;
}

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

/**
 * The inputs with what the program left out. A name generated once is kept for as long as the resource lives, so that an
 * update does not replace it.
 */
export function withDefaults(
  type: string,
  properties: Record<string, string>,
  req: { name: string; olds: Props; news: Props; randomSeed: Uint8Array },
  config: Locations,
): Props {
  const { [DEFAULTS]: _, ...inputs } = req.news;
  const filled: string[] = [];
  const fill = (property: string, value: string | undefined) => {
    if (value === undefined || !(property in properties) || isSet(inputs[property])) return;
    inputs[property] = value;
    filled.push(property);
  };
  const auto = autoNames[type];
  if (auto) {
    const kept = filledBefore(req.olds).includes(auto.property) ? req.olds[auto.property] : undefined;
    fill(auto.property, typeof kept === "string" ? kept : generateName(auto, req.name, req.randomSeed));
  }
  fill("project", config.project);
  fill("region", config.region);
  // A node pool is where its cluster is, which its `cluster` input says.
  if (type === "container/cluster:Cluster") fill("location", config.zone ?? config.region);
  return { ...inputs, [DEFAULTS]: filled };
}

/** True when the program chose a name that the replacement keeps: the new resource cannot exist beside the old one. */
export function keepsExplicitName(type: string, olds: Props, news: Props): boolean {
  const auto = autoNames[type];
  return (
    auto !== undefined &&
    !filledBefore(news).includes(auto.property) &&
    !isUnknown(news[auto.property]) &&
    olds[auto.property] === news[auto.property]
  );
}

/** The inputs as the cloud gets them. */
export function cloudInputs(inputs: Props): Props {
  const { [DEFAULTS]: _, ...rest } = inputs;
  return rest;
}

function generateName(auto: AutoName, name: string, seed: Uint8Array): string {
  const bytes = seed.length >= 4 ? seed : randomBytes(4);
  const suffix = auto.separator + Buffer.from(bytes).toString("hex").slice(0, 7);
  const stem = name.toLowerCase().replace(/[^a-z0-9]+/g, auto.separator);
  return stem.slice(0, auto.maxLength - suffix.length) + suffix;
}

function filledBefore(inputs: Props): string[] {
  return Array.isArray(inputs[DEFAULTS]) ? inputs[DEFAULTS] : [];
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}
