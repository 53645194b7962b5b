/**
 * What Route 53 answers: from records, routing policies and the health of what they lead to. Pure. Source: "Choosing a routing
 * policy", "How Amazon Route 53 chooses records when health checking is configured".
 */
import type { Props } from "../../../lib/types";
import { first } from "../checks";

/** A record as it is declared; `name` is the full one, without a dot at its end. */
export interface DnsRecord {
  name: string;
  type: string;
  ttl: number;
  values: string[];
  alias?: { name: string; evaluateTargetHealth: boolean };
  healthCheckId?: string;
  failover?: "PRIMARY" | "SECONDARY";
  weight?: number;
}

/** What lies outside of the records. */
export interface Surroundings {
  /** State of a health check; one that is not known is healthy. */
  healthy(healthCheckId: string): boolean;
  /** A load balancer by its name: its addresses, and whether it has a healthy target. Undefined: the name is none's. */
  balancer(name: string): { addresses: string[]; healthy: boolean } | undefined;
}

/** One answer. */
export interface Answer {
  name: string;
  type: string;
  ttl: number;
  value: string;
}

/** TTL of an alias to a load balancer, which is its own. */
const ALIAS_TTL = 60;
const DEEPEST = 5;

/** Reads a declared record. */
export function recordOf(inputs: Props, name: string): DnsRecord {
  const alias = first(inputs.aliases);
  const failover = first(inputs.failoverRoutingPolicies).type as "PRIMARY" | "SECONDARY" | undefined;
  const { weight } = first(inputs.weightedRoutingPolicies);
  return {
    name,
    type: String(inputs.type),
    ttl: Number(inputs.ttl ?? ALIAS_TTL),
    values: (inputs.records ?? []) as string[],
    ...(alias.name !== undefined && {
      alias: { name: plain(String(alias.name)), evaluateTargetHealth: alias.evaluateTargetHealth === true },
    }),
    ...(inputs.healthCheckId !== undefined && { healthCheckId: String(inputs.healthCheckId) }),
    ...(failover && { failover }),
    ...(weight !== undefined && { weight: Number(weight) }),
  };
}

/** Answers to a question; empty when there is no such record. `pick` is a number from 0 to 1 that chooses among weights. */
export function answersTo(
  question: { name: string; type: string },
  records: readonly DnsRecord[],
  around: Surroundings,
  pick = Math.random(),
  depth = 0,
): Answer[] {
  const name = plain(question.name);
  if (depth > DEEPEST) return [];
  const own = records.filter((record) => record.name === name);
  const found = own.length > 0 ? own : records.filter((record) => wildcard(record.name, name));
  const same = found.filter(({ type }) => type === question.type);
  const chosen = choose(
    same.length > 0 ? same : found.filter(({ type }) => type === "CNAME"),
    records,
    around,
    pick,
    depth,
  );
  if (!chosen) return [];
  if (!chosen.alias) return chosen.values.map((value) => ({ name, type: chosen.type, ttl: chosen.ttl, value }));
  const target = around.balancer(chosen.alias.name);
  if (target) return target.addresses.map((value) => ({ name, type: chosen.type, ttl: ALIAS_TTL, value }));
  const further = answersTo({ name: chosen.alias.name, type: question.type }, records, around, pick, depth + 1);
  return further.map((answer) => ({ ...answer, name }));
}

function choose(
  records: DnsRecord[],
  all: readonly DnsRecord[],
  around: Surroundings,
  pick: number,
  depth: number,
): DnsRecord | undefined {
  const healthy = (record: DnsRecord) => isHealthy(record, all, around, depth);
  const primary = records.find(({ failover }) => failover === "PRIMARY");
  const secondary = records.find(({ failover }) => failover === "SECONDARY");
  if (primary || secondary) {
    if (primary && healthy(primary)) return primary;
    if (secondary && healthy(secondary)) return secondary;
    // When nobody is healthy, Route 53 answers as if the primary were.
    return primary ?? secondary;
  }
  const weighted = records.filter(({ weight }) => weight !== undefined);
  if (weighted.length === 0) return records[0];
  const alive = weighted.filter(healthy);
  const among = alive.length > 0 ? alive : weighted;
  const mark = pick * among.reduce((sum, { weight = 0 }) => sum + weight, 0);
  let passed = 0;
  for (const record of among) {
    passed += record.weight ?? 0;
    if (mark < passed) return record;
  }
  return among[0];
}

/** A record is healthy when its health check is, and an alias that looks at its target when that is as well. */
export function isHealthy(record: DnsRecord, all: readonly DnsRecord[], around: Surroundings, depth = 0): boolean {
  if (record.healthCheckId !== undefined && !around.healthy(record.healthCheckId)) return false;
  if (!record.alias?.evaluateTargetHealth) return true;
  const { name } = record.alias;
  const balancer = around.balancer(name);
  if (balancer) return balancer.healthy;
  const targets = all.filter((other) => other.name === name && other.type === record.type && other !== record);
  return depth < DEEPEST && targets.some((target) => isHealthy(target, all, around, depth + 1));
}

const plain = (name: string): string => name.toLowerCase().replace(/\.$/, "");

const wildcard = (pattern: string, name: string): boolean =>
  pattern.startsWith("*.") && name.endsWith(pattern.slice(1)) && name.length > pattern.length - 1;
