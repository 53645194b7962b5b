/** Load balancers: inputs that the APIs take, and changes of them that they refuse. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Props } from "../../../lib/types";
import { UNKNOWN } from "../../values";
import { checkShape } from "../check";
import { checkRules } from "../rules";
import { resourceType } from "../table";

const backend = {
  group: "projects/my-project/zones/europe-west1-b/networkEndpointGroups/front",
  balancingMode: "RATE",
  maxRatePerEndpoint: 100,
  capacityScaler: 1,
};
const throttle = {
  action: "throttle",
  priority: 1000,
  match: { versionedExpr: "SRC_IPS_V1", config: { srcIpRanges: ["*"] } },
  rateLimitOptions: {
    conformAction: "allow",
    exceedAction: "deny(429)",
    enforceOnKey: "IP",
    rateLimitThreshold: { count: 600, intervalSec: 60 },
  },
};

const valid: Record<string, Props> = {
  "compute/networkEndpointGroup:NetworkEndpointGroup": {
    project: "my-project",
    name: "front",
    zone: "europe-west1-b",
    network: "n",
    subnetwork: "s",
    networkEndpointType: "GCE_VM_IP_PORT",
  },
  "compute/healthCheck:HealthCheck": {
    name: "front",
    checkIntervalSec: 2,
    timeoutSec: 2,
    httpHealthCheck: { requestPath: "/healthz", portSpecification: "USE_SERVING_PORT" },
  },
  "compute/backendService:BackendService": {
    name: "front",
    protocol: "HTTP",
    loadBalancingScheme: "EXTERNAL_MANAGED",
    healthChecks: "projects/my-project/global/healthChecks/front",
    backends: [backend],
    outlierDetection: { consecutiveErrors: 5, interval: { seconds: 1 }, maxEjectionPercent: 50 },
    logConfig: { enable: true, sampleRate: 1 },
    customResponseHeaders: ["Strict-Transport-Security: max-age=1"],
  },
  "compute/backendServiceIamBinding:BackendServiceIamBinding": {
    name: "front",
    role: "roles/compute.loadBalancerServiceUser",
    members: ["user:a@x"],
  },
  "compute/uRLMap:URLMap": {
    name: "front",
    defaultUrlRedirect: { hostRedirect: "a.example.com", stripQuery: false },
    hostRules: [{ hosts: ["a.example.com"], pathMatcher: "app" }],
    pathMatchers: [{ name: "app", defaultService: "projects/p/global/backendServices/front" }],
  },
  "compute/targetHttpProxy:TargetHttpProxy": { name: "front", urlMap: "u" },
  "compute/targetHttpsProxy:TargetHttpsProxy": {
    name: "front",
    urlMap: "u",
    certificateMap: "//certificatemanager.googleapis.com/projects/p/locations/global/certificateMaps/m",
  },
  "compute/globalForwardingRule:GlobalForwardingRule": {
    name: "front",
    target: "t",
    loadBalancingScheme: "EXTERNAL_MANAGED",
    portRange: "443",
    ipProtocol: "TCP",
  },
  "compute/securityPolicy:SecurityPolicy": { name: "front", type: "CLOUD_ARMOR", rules: [throttle] },
  "compute/sSLPolicy:SSLPolicy": { name: "front", profile: "MODERN", minTlsVersion: "TLS_1_2" },
  "certificatemanager/dnsAuthorization:DnsAuthorization": { name: "app", domain: "a.example.com" },
  "certificatemanager/certificate:Certificate": {
    name: "app",
    managed: { domains: ["a.example.com"], dnsAuthorizations: ["d"] },
  },
  "certificatemanager/certificateMap:CertificateMap": { name: "app" },
  "certificatemanager/certificateMapEntry:CertificateMapEntry": {
    name: "app",
    map: "app",
    certificates: ["c"],
    hostname: "a.example.com",
  },
};

function failures(type: string, inputs: Props): string[] {
  const table = resourceType(`gcp:${type}`);
  assert.ok(table, type);
  return [...checkShape(table, inputs), ...checkRules(type, inputs)].map((one) => `${one.property}: ${one.reason}`);
}

for (const [type, inputs] of Object.entries(valid)) {
  test(`${type}: valid inputs pass, and so do values that are not known yet`, () => {
    assert.deepEqual(failures(type, inputs), []);
    const unknowns = Object.fromEntries(Object.keys(inputs).map((name) => [name, UNKNOWN]));
    assert.deepEqual(failures(type, unknowns), []);
  });
}

const rule = (change: Props) => ({ rules: [{ ...throttle, ...change }] });

const refusals: [type: string, change: Props, expected: RegExp][] = [
  ["compute/networkEndpointGroup:NetworkEndpointGroup", { zone: "europe-west1" }, /^zone: .* is not a zone/],
  [
    "compute/networkEndpointGroup:NetworkEndpointGroup",
    { networkEndpointType: "IP" },
    /^networkEndpointType: expected/,
  ],
  ["compute/healthCheck:HealthCheck", { timeoutSec: 3 }, /^timeoutSec: 3 s are longer than the interval of 2 s/],
  ["compute/healthCheck:HealthCheck", { httpHealthCheck: undefined }, /^httpHealthCheck: exactly one of http/],
  ["compute/healthCheck:HealthCheck", { tcpHealthCheck: { port: 1 } }, /^httpHealthCheck: exactly one of http/],
  [
    "compute/healthCheck:HealthCheck",
    { httpHealthCheck: { portSpecification: "USE_SERVING_PORT", port: 80 } },
    /^httpHealthCheck\.port: USE_SERVING_PORT takes no port/,
  ],
  [
    "compute/healthCheck:HealthCheck",
    { httpHealthCheck: { requestPath: "healthz" } },
    /^httpHealthCheck\.requestPath: .*begins with/,
  ],
  ["compute/backendService:BackendService", { healthChecks: undefined }, /^healthChecks: backends that are network/],
  [
    "compute/backendService:BackendService",
    { loadBalancingScheme: undefined },
    /^outlierDetection: a load balancer of scheme EXTERNAL has none/,
  ],
  [
    "compute/backendService:BackendService",
    { backends: [{ group: backend.group }] },
    /^backends\[0\]\.balancingMode: UTILIZATION is for instance groups/,
  ],
  [
    "compute/backendService:BackendService",
    { backends: [{ group: backend.group, balancingMode: "RATE" }] },
    /^backends\[0\]\.maxRatePerEndpoint: RATE needs/,
  ],
  [
    "compute/backendService:BackendService",
    { backends: [{ ...backend, maxUtilization: 0.8 }] },
    /^backends\[0\]\.maxUtilization: a network endpoint group has no utilization/,
  ],
  ["compute/backendService:BackendService", { customResponseHeaders: ["x"] }, /^customResponseHeaders\[0\]: "x"/],
  ["compute/backendServiceIamBinding:BackendServiceIamBinding", { members: ["a@x"] }, /^members\[0\]: "a@x"/],
  ["compute/uRLMap:URLMap", { defaultUrlRedirect: undefined }, /^defaultService: exactly one of/],
  ["compute/uRLMap:URLMap", { defaultService: "s" }, /^defaultService: exactly one of/],
  [
    "compute/uRLMap:URLMap",
    { hostRules: [{ hosts: ["a.example.com"], pathMatcher: "api" }] },
    /^hostRules\[0\]\.pathMatcher: there is no path matcher "api"/,
  ],
  ["compute/uRLMap:URLMap", { defaultUrlRedirect: { hostRedirect: "a" } }, /^defaultUrlRedirect\.stripQuery: Missing/],
  ["compute/targetHttpsProxy:TargetHttpsProxy", { certificateMap: undefined }, /^sslCertificates: one of/],
  ["compute/targetHttpsProxy:TargetHttpsProxy", { certificateMap: "m" }, /^certificateMap: "m" is not valid: write/],
  ["compute/globalForwardingRule:GlobalForwardingRule", { target: undefined }, /^target: Missing/],
  ["compute/globalForwardingRule:GlobalForwardingRule", { portRange: "80-443" }, /^portRange: one port, not a range/],
  ["compute/globalForwardingRule:GlobalForwardingRule", { portRange: undefined }, /^portRange: .*needs a port/],
  ["compute/globalForwardingRule:GlobalForwardingRule", { ipProtocol: "UDP" }, /^ipProtocol: target HTTP/],
  ["compute/securityPolicy:SecurityPolicy", { type: "ARMOR" }, /^type: expected one of CLOUD_ARMOR/],
  ["compute/securityPolicy:SecurityPolicy", { rules: [throttle, throttle] }, /^rules\[1\]\.priority: 1000 is given tw/],
  [
    "compute/securityPolicy:SecurityPolicy",
    rule({ rateLimitOptions: undefined }),
    /^rules\[0\]\.rateLimitOptions: .*needs/,
  ],
  ["compute/securityPolicy:SecurityPolicy", rule({ action: "allow" }), /^rules\[0\]\.rateLimitOptions: .*takes none/],
  ["compute/securityPolicy:SecurityPolicy", rule({ match: {} }), /^rules\[0\]\.match: exactly one of/],
  [
    "compute/securityPolicy:SecurityPolicy",
    rule({ match: { versionedExpr: "SRC_IPS_V1" } }),
    /^rules\[0\]\.match\.config: SRC_IPS_V1 needs/,
  ],
  [
    "compute/securityPolicy:SecurityPolicy",
    rule({
      priority: 2_147_483_647,
      match: { versionedExpr: "SRC_IPS_V1", config: { srcIpRanges: ["192.0.2.0/24"] } },
    }),
    /^rules\[0\]\.match: the rule of the last priority/,
  ],
  ["compute/sSLPolicy:SSLPolicy", { minTlsVersion: "1.2" }, /^minTlsVersion: expected one of TLS_1_0/],
  ["compute/sSLPolicy:SSLPolicy", { profile: "CUSTOM" }, /^customFeatures: profile CUSTOM needs/],
  ["compute/sSLPolicy:SSLPolicy", { customFeatures: ["X"] }, /^customFeatures: profile MODERN takes none/],
  ["certificatemanager/dnsAuthorization:DnsAuthorization", { domain: "*.example.com" }, /^domain: .*without \*/],
  ["certificatemanager/certificate:Certificate", { managed: undefined }, /^managed: exactly one of/],
  [
    "certificatemanager/certificate:Certificate",
    { managed: { domains: ["*.example.com"] } },
    /^managed\.dnsAuthorizations: a wildcard needs/,
  ],
  ["certificatemanager/certificateMapEntry:CertificateMapEntry", { matcher: "PRIMARY" }, /^hostname: exactly one of/],
  ["certificatemanager/certificateMapEntry:CertificateMapEntry", { certificates: [] }, /^certificates: an entry has/],
];

for (const [type, change, expected] of refusals) {
  test(`${type}: refuses ${JSON.stringify(change)}`, () => {
    const found = failures(type, { ...valid[type], ...change });
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0]!, expected);
  });
}
