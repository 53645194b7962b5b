/** Zones, records and health checks; who answers for them is in dns/. Source: "Amazon Route 53 API reference". */
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { type Behaviour, CloudError, type Props } from "../../lib/types";
import { type Registry, text } from "../registry";
import { present, required, texts } from "./checks";
import { AWS } from "./types";

const POLICIES = [
  "failoverRoutingPolicies",
  "weightedRoutingPolicies",
  "latencyRoutingPolicies",
  "geolocationRoutingPolicies",
] as const;

const refused = (code: string, message: string) => new CloudError(400, code, message);
const batch = (message: string) => refused("InvalidChangeBatch", message);
const HOST = /^(\*\.)?([a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}$/;

/** A name without the dot at its end, in small letters. */
export const plainName = (name: string): string => name.toLowerCase().replace(/\.$/, "");

/** Full name of a record: a name without the zone's behind it gets it. */
export function fullName(name: string, zone: string): string {
  const [own, of] = [plainName(name), plainName(zone)];
  if (own === "" || own === of || own.endsWith(`.${of}`)) return own || of;
  return `${own}.${of}`;
}

/** Behaviours by type token. */
export function route53Behaviours(registry: Registry): Record<string, Behaviour> {
  const zoneOf = (inputs: Props) =>
    present(
      registry,
      AWS.zone,
      required(inputs, "zoneId"),
      "NoSuchHostedZone",
      `No hosted zone found with ID: ${inputs.zoneId}`,
    );
  const checkOf = (id: string) =>
    present(registry, AWS.healthCheck, id, "NoSuchHealthCheck", `No health check exists with the ID ${id}`);
  const recordsOf = (zoneId: string) => registry.all(AWS.record).filter(({ inputs }) => inputs.zoneId === zoneId);

  const checkRecord = (inputs: Props, zone: string, self?: string): string => {
    const name = fullName(text(inputs, "name"), zone);
    const type = text(inputs, "type");
    if (!HOST.test(name)) throw batch(`FATAL problem: DomainLabelInvalid: ${name}`);
    if (inputs.healthCheckId) checkOf(text(inputs, "healthCheckId"));
    const others = recordsOf(text(inputs, "zoneId")).filter(({ id }) => id !== self);
    const sameName = others.filter((each) => fullName(text(each.inputs, "name"), zone) === name);
    const same = sameName.filter((each) => each.inputs.type === type);
    const policy = POLICIES.find((each) => inputs[each] !== undefined);
    const policyOf = (each: Props) => POLICIES.find((one) => each[one] !== undefined);
    const clash = same.find((each) => text(each.inputs, "setIdentifier") === text(inputs, "setIdentifier"));
    if (clash)
      throw batch(`Tried to create resource record set [name='${name}.', type='${type}'] but it already exists`);
    if (same.some((each) => policyOf(each.inputs) !== policy))
      throw batch(
        `Tried to create resource record set [name='${name}.', type='${type}'] but a record set with another routing policy exists`,
      );
    if (
      (type === "CNAME" && sameName.some((each) => each.inputs.type !== "CNAME")) ||
      (type !== "CNAME" && sameName.some((each) => each.inputs.type === "CNAME"))
    )
      throw batch(
        `RRSet of type CNAME with DNS name ${name}. is not permitted as it conflicts with other records with the same DNS name in zone ${zone}`,
      );
    if (type === "CNAME" && name === plainName(zone))
      throw batch(`RRSet of type CNAME with DNS name ${name}. is not permitted at apex in zone ${zone}.`);
    for (const failover of (inputs.failoverRoutingPolicies ?? []) as { type?: string }[]) {
      const twin = same.some(
        (each) => ((each.inputs.failoverRoutingPolicies ?? []) as { type?: string }[])[0]?.type === failover.type,
      );
      if (twin) throw batch(`a ${failover.type} record set [name='${name}.', type='${type}'] exists already`);
      const aliased = ((inputs.aliases ?? []) as Props[]).some((alias) => alias.evaluateTargetHealth === true);
      if (failover.type === "PRIMARY" && !inputs.healthCheckId && !aliased)
        throw batch(
          "A PRIMARY failover record set needs a health check, or an alias that evaluates its target's health",
        );
    }
    for (const value of texts(inputs, "records")) {
      if (type === "A" && !/^\d{1,3}(\.\d{1,3}){3}$/.test(value))
        throw batch(`Invalid Resource Record: ARRDATAIllegalIPv4Address: ${value}`);
      if (type === "CAA" && !/^\d+ (issue|issuewild|iodef) ".*"$/.test(value))
        throw batch(`Invalid Resource Record: CAARRDATAIllegal: ${value}`);
      if (type === "TXT" && value.length > 4000) throw batch("CharacterStringTooLong");
    }
    return name;
  };

  return {
    [AWS.zone]: {
      create: async (inputs) => {
        const name = plainName(required(inputs, "name"));
        if (!HOST.test(name) || !name.includes(".")) throw refused("InvalidDomainName", `${name} is not a domain name`);
        const id = `Z${randomBytes(10).toString("hex").toUpperCase()}`;
        const set = createHash("sha256").update(id).digest();
        const nameServers = ["com", "net", "org", "co.uk"].map(
          (end, index) => `ns-${((set[index] ?? 0) % 512) + index * 512}.awsdns-${(set[index + 4] ?? 0) % 64}.${end}`,
        );
        return {
          id,
          outputs: {
            ...inputs,
            name,
            zoneId: id,
            nameServers,
            primaryNameServer: nameServers[0],
            arn: `arn:aws:route53:::hostedzone/${id}`,
          },
        };
      },
      update: async ({ outputs }, inputs) => ({ ...outputs, ...inputs }),
      delete: async ({ id, inputs }) => {
        const left = recordsOf(id);
        if (left.length > 0 && inputs.forceDestroy !== true)
          throw refused(
            "HostedZoneNotEmpty",
            "The specified hosted zone contains non-required resource record sets and so cannot be deleted.",
          );
        for (const record of left) registry.remove(AWS.record, record.id);
      },
    },
    [AWS.record]: {
      create: async (inputs) => {
        const zone = zoneOf(inputs);
        const fqdn = checkRecord(inputs, text(zone.outputs, "name"));
        const id = [zone.id, fqdn, text(inputs, "type"), text(inputs, "setIdentifier")].filter(Boolean).join("_");
        return { id, outputs: { ...inputs, fqdn } };
      },
      update: async ({ id, outputs }, inputs) => {
        const fqdn = checkRecord(inputs, text(zoneOf(inputs).outputs, "name"), id);
        return { ...outputs, ...inputs, fqdn };
      },
    },
    [AWS.healthCheck]: {
      create: async (inputs) => {
        checkHealthCheck(inputs);
        const id = randomUUID();
        return { id, outputs: { ...inputs, arn: `arn:aws:route53:::healthcheck/${id}` } };
      },
      update: async ({ outputs }, inputs) => {
        checkHealthCheck(inputs);
        return { ...outputs, ...inputs };
      },
      delete: async ({ id }) => {
        const parent = registry
          .all(AWS.healthCheck)
          .some(({ inputs }) => texts(inputs, "childHealthchecks").includes(id));
        if (parent) throw refused("HealthCheckInUse", "This health check is in use by a calculated health check.");
      },
    },
  };

  function checkHealthCheck(inputs: Props): void {
    const type = text(inputs, "type");
    const children = texts(inputs, "childHealthchecks");
    for (const child of children) checkOf(child);
    if (children.length > 256) throw refused("InvalidInput", "a calculated health check has 256 children at most");
    if (type === "HTTPS" && inputs.enableSni === undefined) return;
    // Source: "Values that you specify when you create or update health checks".
    const address = text(inputs, "ipAddress");
    if (/^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.)/.test(address))
      throw refused("InvalidInput", `Invalid IPv4 address: ${address} is of a range that Route 53 cannot reach`);
    if (text(inputs, "resourcePath") && !text(inputs, "resourcePath").startsWith("/"))
      throw refused("InvalidInput", `resourcePath "${inputs.resourcePath}" must begin with /`);
  }
}
