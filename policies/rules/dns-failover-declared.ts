import { recordTtlSeconds, route53Check } from "../../plan/failover";
import { appDomain } from "../../plan/traffic";
import { awsTypes, isStandby, ofType } from "../lib/aws";
import { judge } from "../lib/judge";
import type { Declared, StackRule } from "../lib/rule";
import { objects, shown, texts, type Values } from "../lib/values";

/**
 * DNS leaves Google Cloud without anybody's call: a primary and a standby record with health checks that are there beforehand,
 * that ask Google by its address and never by the public name, and fast enough.
 */
export const dnsFailoverDeclared: StackRule = {
  name: "dns-failover-declared",
  description: "The public name has failover records with health checks that ask by address, made beforehand",
  plan: ["S7", "D4"],
  checkStack: (resources) => {
    if (!isStandby(resources)) return [];
    const checks = ofType(resources, awsTypes.healthCheck);
    return [
      ...recordProblems(resources),
      ...judge(checks, checkProblems),
      ...(judge(checks, ({ props }) => (asksByAddress(props) ? ["asks"] : [])).length > 0
        ? []
        : [`no health check asks for ${appDomain} at the primary's address; declare one with ipAddress and fqdn`]),
      ...(judge(checks, ({ props }) => (combines(props) ? ["both"] : [])).length > 0
        ? []
        : ["no calculated health check says that the primary answers and that it serves; declare one over two checks"]),
    ];
  },
};

function recordProblems(resources: Declared[]): string[] {
  const records = new Map<string, Declared[]>([
    ["PRIMARY", []],
    ["SECONDARY", []],
  ]);
  const problems = judge(ofType(resources, awsTypes.record), (record) => {
    const { props } = record;
    if (props.name !== appDomain || props.type !== "A") return [];
    const [policy] = objects(props.failoverRoutingPolicies);
    const of = records.get(String(policy?.type));
    if (!of) return [`record ${record.name} of ${appDomain} has no failover; it would answer beside the others`];
    of.push(record);
    const [alias] = objects(props.aliases);
    return [
      ...(Object.getOwnPropertyDescriptor(props, "healthCheckId") ? [] : ["has no health check"]),
      ...(alias || Number(props.ttl) <= recordTtlSeconds
        ? []
        : [`has a TTL of ${shown(props.ttl)}; set ${recordTtlSeconds}`]),
      ...(policy?.type === "SECONDARY" && alias?.evaluateTargetHealth !== true
        ? ["answers without a healthy pod; set evaluateTargetHealth"]
        : []),
    ].map((problem) => `record ${record.name} ${problem}`);
  });
  return [
    ...problems,
    ...[...records]
      .filter(([, found]) => found.length !== 1)
      .map(([type, found]) => `${appDomain} has ${found.length} ${type} records; declare one`),
  ];
}

const asksByAddress = ({ ipAddress, fqdn }: Values) => ipAddress !== undefined && fqdn === appDomain;

function combines({ type, childHealthThreshold, childHealthchecks }: Values): boolean {
  const children = Array.isArray(childHealthchecks) ? childHealthchecks.length : 0;
  return type === "CALCULATED" && children >= 2 && childHealthThreshold === children;
}

function checkProblems({ name, props }: Declared): string[] {
  const { type, fqdn, ipAddress, disabled, invertHealthcheck, requestInterval, failureThreshold } = props;
  const polls = type !== "CALCULATED";
  return [
    ...(fqdn === appDomain && ipAddress === undefined
      ? [`asks for ${appDomain} by its name, and so whoever serves; set ipAddress`]
      : []),
    ...(disabled === true ? ["is disabled, which counts as healthy"] : []),
    ...(invertHealthcheck === true ? ["is inverted: what cannot be asked would count as healthy"] : []),
    ...(polls && !texts(["HTTPS", "HTTPS_STR_MATCH"]).includes(String(type))
      ? [`asks by ${shown(type)}; use HTTPS`]
      : []),
    ...(polls && Number(requestInterval) > route53Check.intervalSeconds
      ? [`asks every ${requestInterval} s; set ${route53Check.intervalSeconds}`]
      : []),
    ...(polls && Number(failureThreshold) > route53Check.failureThreshold
      ? [`fails after ${failureThreshold} failures; set ${route53Check.failureThreshold}`]
      : []),
  ].map((problem) => `health check ${name} ${problem}`);
}
