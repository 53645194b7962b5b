/** What load balancers, Cloud Armor and Certificate Manager refuse of single values, by resource type and path. */
import { atMost, between, cidr, matches, member, oneOf, type Rule, resourceName, role, zone } from "../syntax";

const scheme = oneOf("EXTERNAL", "EXTERNAL_MANAGED", "INTERNAL_MANAGED", "INTERNAL_SELF_MANAGED");
const requestPath = matches(/^\//, "a path begins with /");
const httpCheck = (name: string): Record<string, Rule> => ({
  [`${name}.requestPath`]: requestPath,
  [`${name}.port`]: between(1, 65535),
  [`${name}.portSpecification`]: oneOf("USE_FIXED_PORT", "USE_NAMED_PORT", "USE_SERVING_PORT"),
  [`${name}.proxyHeader`]: oneOf("NONE", "PROXY_V1"),
});
const redirectCode = oneOf(
  "FOUND",
  "MOVED_PERMANENTLY_DEFAULT",
  "PERMANENT_REDIRECT",
  "SEE_OTHER",
  "TEMPORARY_REDIRECT",
);
const ruleAction = matches(
  /^(?:allow|deny\((?:403|404|502)\)|redirect|throttle|rate_based_ban)$/,
  "an action is allow, deny(403), deny(404), deny(502), redirect, throttle or rate_based_ban",
);
const domain = matches(
  /^(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/,
  "a domain is written in lower case and with two parts or more",
);
/** Certificate Manager's names may be longer than they ever are. */
const certificateName = resourceName();

/** Cloud Armor takes a range, or `*` for every address. */
const sourceRange: Rule = (value) => (value === "*" ? undefined : cidr()(value));

export const loadBalancingRules: Record<string, Record<string, Rule>> = {
  "compute/networkEndpointGroup:NetworkEndpointGroup": {
    name: resourceName(),
    zone,
    networkEndpointType: oneOf("GCE_VM_IP", "GCE_VM_IP_PORT", "NON_GCP_PRIVATE_IP_PORT"),
    defaultPort: between(1, 65535),
  },
  "compute/healthCheck:HealthCheck": {
    name: resourceName(),
    checkIntervalSec: between(1, 300),
    timeoutSec: between(1, 300),
    healthyThreshold: between(1, 10),
    unhealthyThreshold: between(1, 10),
    ...httpCheck("httpHealthCheck"),
    ...httpCheck("httpsHealthCheck"),
  },
  "compute/backendService:BackendService": {
    name: resourceName(),
    protocol: oneOf("HTTP", "HTTPS", "HTTP2", "H2C", "TCP", "SSL", "UDP", "GRPC", "UNSPECIFIED"),
    loadBalancingScheme: scheme,
    timeoutSec: between(1, 2_147_483_647),
    connectionDrainingTimeoutSec: between(0, 3600),
    sessionAffinity: oneOf(
      "NONE",
      "CLIENT_IP",
      "CLIENT_IP_PORT_PROTO",
      "CLIENT_IP_PROTO",
      "GENERATED_COOKIE",
      "HEADER_FIELD",
      "HTTP_COOKIE",
      "STRONG_COOKIE_AFFINITY",
    ),
    localityLbPolicy: oneOf(
      "ROUND_ROBIN",
      "LEAST_REQUEST",
      "RING_HASH",
      "RANDOM",
      "ORIGINAL_DESTINATION",
      "MAGLEV",
      "WEIGHTED_MAGLEV",
      "WEIGHTED_ROUND_ROBIN",
    ),
    compressionMode: oneOf("AUTOMATIC", "DISABLED"),
    "backends[].balancingMode": oneOf("UTILIZATION", "RATE", "CONNECTION", "CUSTOM_METRICS", "IN_FLIGHT"),
    "backends[].capacityScaler": between(0, 1),
    "logConfig.sampleRate": between(0, 1),
    "logConfig.optionalMode": oneOf("INCLUDE_ALL_OPTIONAL", "EXCLUDE_ALL_OPTIONAL", "CUSTOM"),
    "outlierDetection.maxEjectionPercent": between(0, 100),
    "outlierDetection.enforcingConsecutiveErrors": between(0, 100),
    "outlierDetection.enforcingConsecutiveGatewayFailure": between(0, 100),
    "outlierDetection.enforcingSuccessRate": between(0, 100),
    "customResponseHeaders[]": matches(/^[A-Za-z0-9-]+:.*$/, 'a header is written "Name: value"'),
    "customRequestHeaders[]": matches(/^[A-Za-z0-9-]+:.*$/, 'a header is written "Name: value"'),
  },
  "compute/backendServiceIamBinding:BackendServiceIamBinding": { role, "members[]": member },
  "compute/uRLMap:URLMap": {
    name: resourceName(),
    "defaultUrlRedirect.redirectResponseCode": redirectCode,
    "pathMatchers[].defaultUrlRedirect.redirectResponseCode": redirectCode,
    "hostRules[].hosts[]": matches(
      /^(?:\*|[-a-z0-9.*]+)(?::\d+)?$/,
      "a host is a domain, or a pattern that begins with *",
    ),
  },
  "compute/targetHttpProxy:TargetHttpProxy": { name: resourceName(), httpKeepAliveTimeoutSec: between(5, 1200) },
  "compute/targetHttpsProxy:TargetHttpsProxy": {
    name: resourceName(),
    httpKeepAliveTimeoutSec: between(5, 1200),
    quicOverride: oneOf("NONE", "ENABLE", "DISABLE"),
    tlsEarlyData: oneOf("STRICT", "PERMISSIVE", "UNRESTRICTED", "DISABLED"),
    certificateMap: matches(
      /^\/\/certificatemanager\.googleapis\.com\/projects\/[^/]+\/locations\/[^/]+\/certificateMaps\/[^/]+$/,
      'write "//certificatemanager.googleapis.com/projects/PROJECT/locations/global/certificateMaps/NAME"',
    ),
  },
  "compute/globalForwardingRule:GlobalForwardingRule": {
    name: resourceName(),
    loadBalancingScheme: scheme,
    ipProtocol: oneOf("TCP", "UDP", "ESP", "AH", "SCTP", "ICMP"),
    networkTier: oneOf("PREMIUM", "STANDARD"),
    ipVersion: oneOf("IPV4", "IPV6"),
    portRange: matches(/^\d{1,5}(?:-\d{1,5})?$/, 'a port is written "443"'),
  },
  "compute/securityPolicy:SecurityPolicy": {
    name: resourceName(),
    type: oneOf("CLOUD_ARMOR", "CLOUD_ARMOR_EDGE", "CLOUD_ARMOR_INTERNAL_SERVICE"),
    "rules[].action": ruleAction,
    "rules[].priority": between(0, 2_147_483_647),
    "rules[].description": atMost(64),
    "rules[].match.versionedExpr": oneOf("SRC_IPS_V1"),
    "rules[].match.config.srcIpRanges[]": sourceRange,
    "rules[].match.expr.expression": atMost(2048),
    "rules[].rateLimitOptions.conformAction": oneOf("allow"),
    "rules[].rateLimitOptions.exceedAction": matches(
      /^(?:deny\((?:403|404|429|502)\)|redirect)$/,
      "an exceed action is deny(403), deny(404), deny(429), deny(502) or redirect",
    ),
    "rules[].rateLimitOptions.enforceOnKey": oneOf(
      "ALL",
      "IP",
      "HTTP_HEADER",
      "XFF_IP",
      "HTTP_COOKIE",
      "HTTP_PATH",
      "SNI",
      "REGION_CODE",
      "TLS_JA3_FINGERPRINT",
      "TLS_JA4_FINGERPRINT",
      "USER_IP",
    ),
    "rules[].rateLimitOptions.rateLimitThreshold.count": between(1, 1_000_000),
    "rules[].rateLimitOptions.rateLimitThreshold.intervalSec": (value) =>
      [10, 30, 60, 120, 180, 240, 270, 300, 600, 900, 1200, 1800, 2700, 3600].includes(Number(value))
        ? undefined
        : `expected 10, 30, 60, 120, 180, 240, 270, 300, 600, 900, 1200, 1800, 2700 or 3600 seconds, got ${value}`,
    "adaptiveProtectionConfig.layer7DdosDefenseConfig.ruleVisibility": oneOf("STANDARD", "PREMIUM"),
    "advancedOptionsConfig.jsonParsing": oneOf("DISABLED", "STANDARD", "STANDARD_WITH_GRAPHQL"),
    "advancedOptionsConfig.logLevel": oneOf("NORMAL", "VERBOSE"),
  },
  "compute/sSLPolicy:SSLPolicy": {
    name: resourceName(),
    profile: oneOf("COMPATIBLE", "MODERN", "RESTRICTED", "CUSTOM", "FIPS_202205"),
    minTlsVersion: oneOf("TLS_1_0", "TLS_1_1", "TLS_1_2", "TLS_1_3"),
  },
  "certificatemanager/dnsAuthorization:DnsAuthorization": {
    name: certificateName,
    domain: matches(
      /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/,
      "a domain without *: its authorization covers the wildcard below it",
    ),
    type: oneOf("FIXED_RECORD", "PER_PROJECT_RECORD"),
  },
  "certificatemanager/certificate:Certificate": {
    name: certificateName,
    scope: oneOf("DEFAULT", "EDGE_CACHE", "ALL_REGIONS", "CLIENT_AUTH"),
    "managed.domains[]": domain,
  },
  "certificatemanager/certificateMap:CertificateMap": { name: certificateName },
  "certificatemanager/certificateMapEntry:CertificateMapEntry": {
    name: certificateName,
    hostname: domain,
    matcher: oneOf("PRIMARY"),
  },
};
