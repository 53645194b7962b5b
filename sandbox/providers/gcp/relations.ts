/** What the cloud's APIs and the provider refuse between properties of one resource, by resource type. */
import type { Props } from "../../lib/types";
import type { CheckFailure } from "../provider";
import { containsUnknown, isRecord, isUnknown } from "../values";
import { failIf, isEmpty, type Relation, records } from "./relation";
import { loadBalancingRelations } from "./rules/load-balancing-relations";
import { monitoringRelations } from "./rules/monitoring";
import { overlap } from "./syntax";

/** Failures between properties. `type` has no `gcp:` in front. Values that are not known yet pass. */
export function relations(type: string, inputs: Props): CheckFailure[] {
  const failures = byType[type]?.(inputs) ?? [];
  return failures.filter((failure) => failure !== undefined);
}

const byType: Record<string, Relation> = {
  ...loadBalancingRelations,
  ...monitoringRelations,
  "storage/bucket:Bucket": (inputs) => [
    ...records(inputs.lifecycleRules).flatMap((item, index) => lifecycleRule(item, `lifecycleRules[${index}]`)),
    softDelete(inputs.softDeletePolicy),
    dataLocations(inputs.customPlacementConfig),
  ],
  "compute/subnetwork:Subnetwork": (inputs) => {
    const secondary = records(inputs.secondaryIpRanges);
    const ranges = [
      { property: "ipCidrRange", range: inputs.ipCidrRange },
      ...secondary.map((item, index) => ({
        property: `secondaryIpRanges[${index}].ipCidrRange`,
        range: item.ipCidrRange,
      })),
    ];
    return ranges.flatMap((a, index) =>
      ranges
        .slice(0, index)
        .filter((b) => overlap(String(a.range), String(b.range)))
        .map((b) => ({ property: a.property, reason: `${a.range} overlaps ${b.range} of ${b.property}` })),
    );
  },
  "compute/routerNat:RouterNat": ({ sourceSubnetworkIpRangesToNat, subnetworks, natIpAllocateOption, natIps }) => [
    failIf(
      sourceSubnetworkIpRangesToNat === "LIST_OF_SUBNETWORKS" && isEmpty(subnetworks),
      "subnetworks",
      "LIST_OF_SUBNETWORKS needs a list of subnetworks",
    ),
    failIf(natIpAllocateOption === "MANUAL_ONLY" && isEmpty(natIps), "natIps", "MANUAL_ONLY needs natIps"),
    failIf(natIpAllocateOption === "AUTO_ONLY" && !isEmpty(natIps), "natIps", "AUTO_ONLY takes no natIps"),
  ],
  "compute/firewall:Firewall": ({ allows, denies, direction = "INGRESS", ...inputs }) => [
    failIf(isEmpty(allows) === isEmpty(denies), "allows", "exactly one of allows and denies must be set"),
    failIf(
      direction === "INGRESS" &&
        ["sourceRanges", "sourceTags", "sourceServiceAccounts"].every((k) => isEmpty(inputs[k])),
      "sourceRanges",
      "one of sourceTags, sourceRanges, or sourceServiceAccounts must be defined",
    ),
    failIf(
      direction === "EGRESS" && !isEmpty(inputs.sourceRanges),
      "sourceRanges",
      "an EGRESS rule takes destinationRanges, not sourceRanges",
    ),
  ],
  "container/cluster:Cluster": ({ enableAutopilot, initialNodeCount, nodePools, ...inputs }) => [
    failIf(
      !enableAutopilot && isEmpty(nodePools) && !initialNodeCount,
      "initialNodeCount",
      "must be greater than zero unless nodePools are given; with removeDefaultNodePool write 1",
    ),
    failIf(
      inputs.networkingMode === "VPC_NATIVE" && isEmpty(inputs.ipAllocationPolicy),
      "ipAllocationPolicy",
      "networkingMode VPC_NATIVE needs an ipAllocationPolicy",
    ),
    zonesOf(inputs.nodeLocations, inputs.location),
    maintenance(inputs.maintenancePolicy),
    secretsKey(inputs.databaseEncryption),
  ],
  "container/nodePool:NodePool": ({ nodeLocations, location, nodeConfig }) => [
    zonesOf(nodeLocations, location),
    reservedMetadata(nodeConfig),
  ],
};

/** Uploads have an age and a name, nothing else. */
const uploadConditions = ["age", "matchesPrefixes", "matchesSuffixes"];

function lifecycleRule(rule: Props, at: string): (CheckFailure | undefined)[] {
  const { action, condition } = rule;
  if (!isRecord(action) || !isRecord(condition) || containsUnknown(rule)) return [];
  const moves = action.type === "SetStorageClass";
  return [
    failIf(moves && isEmpty(action.storageClass), `${at}.action.storageClass`, "SetStorageClass needs a storageClass"),
    failIf(
      !moves && !isEmpty(action.storageClass),
      `${at}.action.storageClass`,
      `${action.type} takes no storageClass`,
    ),
    failIf(Object.values(condition).every(isEmpty), `${at}.condition`, "a lifecycle rule needs a condition"),
    ...(action.type === "AbortIncompleteMultipartUpload"
      ? Object.keys(condition)
          .filter((key) => !isEmpty(condition[key]) && !uploadConditions.includes(key))
          .map((key) => ({
            property: `${at}.condition.${key}`,
            reason: `${action.type} takes ${uploadConditions.join(", ")} only`,
          }))
      : []),
  ];
}

/** 0 switches soft delete off; otherwise 7 to 90 days. */
function softDelete(policy: unknown): CheckFailure | undefined {
  const seconds = isRecord(policy) ? policy.retentionDurationSeconds : undefined;
  if (typeof seconds !== "number" || seconds === 0 || (seconds >= 604_800 && seconds <= 7_776_000)) return undefined;
  return {
    property: "softDeletePolicy.retentionDurationSeconds",
    reason: `expected 0 or a number from 604800 (7 days) to 7776000 (90 days), got ${seconds}`,
  };
}

function dataLocations(config: unknown): CheckFailure | undefined {
  const locations = isRecord(config) ? config.dataLocations : undefined;
  if (!Array.isArray(locations) || locations.length === 2) return undefined;
  return {
    property: "customPlacementConfig.dataLocations",
    reason: `a dual-region has exactly 2 regions, got ${locations.length}`,
  };
}

/** Zones of nodes must be in the cluster's region. */
function zonesOf(zones: unknown, location: unknown): CheckFailure | undefined {
  if (!Array.isArray(zones) || typeof location !== "string" || isUnknown(location)) return undefined;
  const region = location.replace(/-[a-z]$/, "");
  const index = zones.findIndex(
    (zone) => typeof zone === "string" && !isUnknown(zone) && !zone.startsWith(`${region}-`),
  );
  if (index < 0) return undefined;
  return { property: `nodeLocations[${index}]`, reason: `${JSON.stringify(zones[index])} is not a zone of ${region}` };
}

/** 48 hours of maintenance in 32 days, in windows of 4 hours or more: what weekly days give in four weeks. */
function maintenance(policy: unknown): CheckFailure | undefined {
  const window = isRecord(policy) && isRecord(policy.recurringWindow) ? policy.recurringWindow : undefined;
  if (!window || containsUnknown(window)) return undefined;
  const property = "maintenancePolicy.recurringWindow";
  const hours = (Date.parse(String(window.endTime)) - Date.parse(String(window.startTime))) / 3_600_000;
  if (!(hours >= 4)) return { property, reason: `a window has 4 hours or more, got ${hours}` };
  const days = /(?:^|;)BYDAY=([A-Z,]+)/.exec(String(window.recurrence))?.[1]?.split(",").length;
  const weekly = /(?:^|;)FREQ=WEEKLY(?:;|$)/.test(String(window.recurrence)) && days !== undefined;
  if (!weekly || days * hours * 4 >= 48) return undefined;
  return { property, reason: `48 hours or more in 32 days are needed, got ${days * hours * 4}` };
}

function secretsKey(encryption: unknown): CheckFailure | undefined {
  if (!isRecord(encryption) || encryption.state !== "ENCRYPTED") return undefined;
  return failIf(isEmpty(encryption.keyName), "databaseEncryption.keyName", "ENCRYPTED needs the name of a key");
}

/** GKE keeps labels of its own domains for itself. */
function reservedMetadata(config: unknown): CheckFailure | undefined {
  const labels = isRecord(config) && isRecord(config.labels) ? Object.keys(config.labels) : [];
  const reserved = labels.find(
    (key) => /^(?:[^/]+\.)?(?:kubernetes|k8s)\.io\//.test(key) && !key.startsWith("node.kubernetes.io/"),
  );
  if (!reserved) return undefined;
  return { property: "nodeConfig.labels", reason: `label ${reserved} is in a domain reserved for Kubernetes` };
}
