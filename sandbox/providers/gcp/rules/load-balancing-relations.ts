/** What load balancers, Cloud Armor and Certificate Manager refuse between properties of one resource. */
import type { Props } from "../../../lib/types";
import type { CheckFailure } from "../../provider";
import { containsUnknown, isRecord, isUnknown } from "../../values";
import { failIf, isEmpty, type Relation, records } from "../relation";

const DEFAULT_PRIORITY = 2_147_483_647;
const PROTOCOLS = ["http", "https", "http2", "tcp", "ssl", "grpc", "grpcTls"].map((name) => `${name}HealthCheck`);
const LIMITS_OF_RATE = ["maxRate", "maxRatePerEndpoint", "maxRatePerInstance"];

export const loadBalancingRelations: Record<string, Relation> = {
  "compute/networkEndpointGroup:NetworkEndpointGroup": ({ networkEndpointType = "GCE_VM_IP_PORT", ...inputs }) => [
    failIf(
      networkEndpointType === "GCE_VM_IP" && !isEmpty(inputs.defaultPort),
      "defaultPort",
      "endpoints of type GCE_VM_IP have no port",
    ),
    failIf(
      networkEndpointType === "NON_GCP_PRIVATE_IP_PORT" && !isEmpty(inputs.subnetwork),
      "subnetwork",
      "endpoints outside Google Cloud have no subnetwork",
    ),
  ],
  "compute/healthCheck:HealthCheck": (inputs) => {
    const { checkIntervalSec = 5, timeoutSec = 5 } = inputs;
    const given = PROTOCOLS.filter((name) => !isEmpty(inputs[name]));
    return [
      failIf(
        Number(timeoutSec) > Number(checkIntervalSec),
        "timeoutSec",
        `${timeoutSec} s are longer than the interval of ${checkIntervalSec} s`,
      ),
      failIf(given.length !== 1, "httpHealthCheck", `exactly one of ${PROTOCOLS.join(", ")} must be set`),
      ...given.map((name) => servingPort(inputs[name], name)),
    ];
  },
  "compute/backendService:BackendService": backendService,
  "compute/uRLMap:URLMap": urlMap,
  "compute/targetHttpsProxy:TargetHttpsProxy": ({
    certificateMap,
    certificateManagerCertificates: own,
    sslCertificates: classic,
  }) => [
    failIf(
      isEmpty(certificateMap) && isEmpty(own) && isEmpty(classic),
      "sslCertificates",
      "one of sslCertificates, certificateMap and certificateManagerCertificates must be set",
    ),
    failIf(
      !isEmpty(own) && !isEmpty(classic),
      "certificateManagerCertificates",
      "sslCertificates and certificateManagerCertificates exclude each other",
    ),
  ],
  "compute/globalForwardingRule:GlobalForwardingRule": ({ loadBalancingScheme, ipProtocol = "TCP", portRange }) => [
    failIf(
      loadBalancingScheme === "EXTERNAL_MANAGED" && isEmpty(portRange),
      "portRange",
      "a forwarding rule to a target proxy needs a port",
    ),
    failIf(
      loadBalancingScheme === "EXTERNAL_MANAGED" && /^(\d+)-(?!\1$)/.test(String(portRange)),
      "portRange",
      `one port, not a range: ${portRange}`,
    ),
    failIf(
      loadBalancingScheme === "EXTERNAL_MANAGED" && ipProtocol !== "TCP" && !isUnknown(ipProtocol),
      "ipProtocol",
      "target HTTP and HTTPS proxies take TCP",
    ),
  ],
  "compute/securityPolicy:SecurityPolicy": securityPolicy,
  "compute/sSLPolicy:SSLPolicy": ({ profile = "COMPATIBLE", customFeatures, minTlsVersion }) => [
    failIf(
      profile === "CUSTOM" && isEmpty(customFeatures),
      "customFeatures",
      "profile CUSTOM needs its list of features",
    ),
    failIf(
      profile !== "CUSTOM" && !isUnknown(profile) && !isEmpty(customFeatures),
      "customFeatures",
      `profile ${profile} takes none`,
    ),
    failIf(
      minTlsVersion === "TLS_1_3" && profile !== "RESTRICTED" && !isUnknown(profile),
      "minTlsVersion",
      "TLS_1_3 needs profile RESTRICTED",
    ),
  ],
  "certificatemanager/certificate:Certificate": ({ managed, selfManaged }) => [
    failIf(isEmpty(managed) === isEmpty(selfManaged), "managed", "exactly one of managed and selfManaged must be set"),
    ...wildcards(managed),
  ],
  "certificatemanager/certificateMapEntry:CertificateMapEntry": ({ hostname, matcher, certificates }) => [
    failIf(isEmpty(hostname) === isEmpty(matcher), "hostname", "exactly one of hostname and matcher must be set"),
    failIf(
      Array.isArray(certificates) && (certificates.length === 0 || certificates.length > 4),
      "certificates",
      "an entry has 1 to 4 certificates",
    ),
  ],
};

function servingPort(check: unknown, name: string): CheckFailure | undefined {
  if (!isRecord(check)) return undefined;
  const { portSpecification, port } = check;
  return (
    failIf(
      portSpecification === "USE_SERVING_PORT" && !isEmpty(port),
      `${name}.port`,
      "USE_SERVING_PORT takes no port: it is each endpoint's own",
    ) ?? failIf(portSpecification === "USE_FIXED_PORT" && isEmpty(port), `${name}.port`, "USE_FIXED_PORT needs a port")
  );
}

function backendService(inputs: Props): (CheckFailure | undefined)[] {
  const { protocol = "HTTP", loadBalancingScheme = "EXTERNAL", healthChecks, outlierDetection, backends } = inputs;
  const managed = /^INTERNAL_(?:SELF_)?MANAGED$|^EXTERNAL_MANAGED$/.test(String(loadBalancingScheme));
  const groups = records(backends).filter(({ group }) => /\/networkEndpointGroups\//.test(String(group)));
  return [
    failIf(
      !managed && !isUnknown(loadBalancingScheme) && !isEmpty(outlierDetection),
      "outlierDetection",
      `a load balancer of scheme ${loadBalancingScheme} has none; EXTERNAL_MANAGED has`,
    ),
    failIf(
      loadBalancingScheme === "EXTERNAL_MANAGED" && ["UDP", "UNSPECIFIED"].includes(String(protocol)),
      "protocol",
      `${protocol} is not for EXTERNAL_MANAGED`,
    ),
    failIf(
      groups.length > 0 && isEmpty(healthChecks),
      "healthChecks",
      "backends that are network endpoint groups need a health check",
    ),
    ...records(backends).flatMap((backend, index) => (groups.includes(backend) ? endpointBackend(backend, index) : [])),
  ];
}

/** Zonal network endpoint groups behind HTTP are measured in requests, and nothing else is known of them. */
function endpointBackend(backend: Props, index: number): (CheckFailure | undefined)[] {
  const { balancingMode = "UTILIZATION" } = backend;
  const at = `backends[${index}]`;
  if (containsUnknown(backend) || ["IN_FLIGHT", "CUSTOM_METRICS", "CONNECTION"].includes(String(balancingMode)))
    return [];
  return [
    failIf(
      balancingMode === "UTILIZATION",
      `${at}.balancingMode`,
      "UTILIZATION is for instance groups; a network endpoint group takes RATE",
    ),
    failIf(
      balancingMode === "RATE" && LIMITS_OF_RATE.every((name) => isEmpty(backend[name])),
      `${at}.maxRatePerEndpoint`,
      "RATE needs maxRate or maxRatePerEndpoint",
    ),
    failIf(
      balancingMode === "RATE" && !isEmpty(backend.maxRatePerInstance),
      `${at}.maxRatePerInstance`,
      "a network endpoint group has endpoints, not instances; set maxRatePerEndpoint",
    ),
    failIf(!isEmpty(backend.maxUtilization), `${at}.maxUtilization`, "a network endpoint group has no utilization"),
  ];
}

function urlMap({ hostRules, pathMatchers, ...inputs }: Props): (CheckFailure | undefined)[] {
  const names = records(pathMatchers).map(({ name }) => name);
  return [
    ways(inputs, ""),
    ...records(pathMatchers).flatMap((matcher, index) => [
      ways(matcher, `pathMatchers[${index}].`),
      failIf(names.indexOf(matcher.name) !== index, `pathMatchers[${index}].name`, `${matcher.name} is given twice`),
    ]),
    ...records(hostRules).map(({ pathMatcher }, index) =>
      failIf(
        Array.isArray(pathMatchers) && !isUnknown(pathMatcher) && !names.includes(pathMatcher),
        `hostRules[${index}].pathMatcher`,
        `there is no path matcher ${JSON.stringify(pathMatcher)}`,
      ),
    ),
  ];
}

/** A request that nothing else matches goes one way. */
function ways(from: Props, at: string): CheckFailure | undefined {
  const { defaultService, defaultUrlRedirect, defaultRouteAction } = from;
  const weighted = isRecord(defaultRouteAction) && !isEmpty(defaultRouteAction.weightedBackendServices);
  const given = [!isEmpty(defaultService), !isEmpty(defaultUrlRedirect), weighted].filter(Boolean).length;
  return (
    failIf(
      given !== 1 && !isUnknown(defaultRouteAction),
      `${at}defaultService`,
      "exactly one of defaultService, defaultUrlRedirect and defaultRouteAction.weightedBackendServices must be set",
    ) ??
    failIf(
      isRecord(defaultUrlRedirect) &&
        !isEmpty(defaultUrlRedirect.pathRedirect) &&
        !isEmpty(defaultUrlRedirect.prefixRedirect),
      `${at}defaultUrlRedirect.pathRedirect`,
      "pathRedirect and prefixRedirect exclude each other",
    )
  );
}

function securityPolicy({ rules }: Props): (CheckFailure | undefined)[] {
  const all = records(rules);
  const priorities = all.map(({ priority }) => Number(priority));
  return all.flatMap((rule, index) => {
    const { action, match, rateLimitOptions: limit, priority } = rule;
    const at = `rules[${index}]`;
    if (containsUnknown(rule) || !isRecord(match)) return [];
    const ranges = isRecord(match.config) ? match.config.srcIpRanges : undefined;
    const limiting = action === "throttle" || action === "rate_based_ban";
    return [
      failIf(priorities.indexOf(Number(priority)) !== index, `${at}.priority`, `${priority} is given twice`),
      failIf(limiting && isEmpty(limit), `${at}.rateLimitOptions`, `action ${action} needs them`),
      failIf(!limiting && !isEmpty(limit), `${at}.rateLimitOptions`, `action ${action} takes none`),
      failIf(
        isEmpty(match.expr) === isEmpty(match.versionedExpr),
        `${at}.match`,
        "exactly one of expr and versionedExpr must be set",
      ),
      failIf(!isEmpty(match.versionedExpr) && isEmpty(ranges), `${at}.match.config`, "SRC_IPS_V1 needs srcIpRanges"),
      failIf(
        Array.isArray(ranges) && ranges.length > 10,
        `${at}.match.config.srcIpRanges`,
        "a rule takes 10 ranges or fewer",
      ),
      failIf(
        Number(priority) === DEFAULT_PRIORITY && !(Array.isArray(ranges) && ranges.length === 1 && ranges[0] === "*"),
        `${at}.match`,
        'the rule of the last priority is the default and matches "*"',
      ),
    ];
  });
}

function wildcards(managed: unknown): (CheckFailure | undefined)[] {
  if (!isRecord(managed) || !Array.isArray(managed.domains)) return [];
  return [
    failIf(
      managed.domains.some((domain) => String(domain).startsWith("*.")) && isEmpty(managed.dnsAuthorizations),
      "managed.dnsAuthorizations",
      "a wildcard needs DNS authorizations",
    ),
    failIf(managed.domains.length > 100, "managed.domains", "a managed certificate has 100 domains or fewer"),
  ];
}
