/**
 * Envoy's configuration for what is declared. Google's global external Application Load Balancer is Envoy, so a declared
 * value is mostly one of Envoy's of the same name; the rest is Google's documented behaviour.
 *
 * A backend service is a cluster for each of its regions: the front ends near it, to which clients go that are closest to it.
 * They prefer its endpoints and fall back to the next-closest region's.
 */
import { regionOf } from "../cloud/gcp/cluster";
import type { Props } from "../lib/types";
import type { Weights } from "./capacity";
import type { Action, BackendService, Declared, FrontEnd, Redirect } from "./declaration";
import { byDistance, knownRegions } from "./places";

/** Header by which a client says which region it is in. It is not passed on. */
export const CLIENT_REGION_HEADER = "x-sandbox-client-region";

/** A pod behind a group. */
export interface Endpoint {
  address: string;
  port: number;
}

/** An address and port that Envoy connects to. */
export interface Target {
  host: string;
  port: number;
}

/** What the configuration depends on besides the declaration. */
export interface Surroundings {
  /** Serving pods of a group, by its id. */
  endpoints(group: string): readonly Endpoint[];
  /** Where front ends near a region reach a port of an endpoint. */
  reach(from: string, group: string, endpoint: Endpoint, port: number): Target;
  /** How the front ends near a region spread what is more than it takes; undefined: it takes everything. */
  weights?(service: BackendService, near: string): Weights | undefined;
  /** Loopback port of a front end. */
  listener(frontEnd: FrontEnd): number;
  /** Certificate and key, in PEM, for declared names. */
  certificate(domains: string[]): { certificate: string; key: string };
  /** Files of the front ends' logs, where the declaration asks for logs. */
  logs: { requests: string; health: string };
  /** File that a resource is read from, by its kind and name. */
  file(kind: "route" | "assignment", name: string): string;
}

/** Envoy's resources by name. */
export interface EnvoyConfig {
  listeners: Map<string, Props>;
  routes: Map<string, Props>;
  clusters: Map<string, Props>;
  assignments: Map<string, Props>;
}

const TYPE = "type.googleapis.com/";
const LISTENER = `${TYPE}envoy.config.listener.v3.Listener`;
const ROUTES = `${TYPE}envoy.config.route.v3.RouteConfiguration`;
const CLUSTER = `${TYPE}envoy.config.cluster.v3.Cluster`;
const ASSIGNMENT = `${TYPE}envoy.config.endpoint.v3.ClusterLoadAssignment`;
const extension = (name: string, type: string, config: Props) => ({
  name,
  typed_config: { "@type": `${TYPE}${type}`, ...config },
});

/** Google closes connections to backends that were idle for so long, and keeps those of clients for so long. */
const BACKEND_IDLE_SECONDS = 600;
const CLIENT_IDLE_SECONDS = 610;
/** Envoy's own limits are for sidecars. */
const NO_LIMIT = 1_000_000;
/** Clients whose rate is counted at once. */
const RATE_LIMITED_CLIENTS = 10_000;

const LB_POLICY: Record<string, string> = {
  LEAST_REQUEST: "LEAST_REQUEST",
  RANDOM: "RANDOM",
  RING_HASH: "RING_HASH",
  ROUND_ROBIN: "ROUND_ROBIN",
  MAGLEV: "MAGLEV",
};

/** The configuration. @throws naming what a declaration has that cannot be served here */
export function envoyConfig({ frontEnds, services }: Declared, around: Surroundings): EnvoyConfig {
  const config: EnvoyConfig = { listeners: new Map(), routes: new Map(), clusters: new Map(), assignments: new Map() };
  for (const service of services) {
    for (const near of regionsOf(service)) {
      const name = clusterName(service, near);
      config.clusters.set(name, cluster(name, service, around));
      config.assignments.set(name, assignment(name, service, near, around));
    }
  }
  for (const frontEnd of frontEnds) {
    config.routes.set(frontEnd.id, routes(frontEnd, services));
    config.listeners.set(frontEnd.id, listener(frontEnd, around));
  }
  return config;
}

/** Regions of a backend service's groups, by name. */
export function regionsOf(service: BackendService): string[] {
  return [...new Set(service.groups.map(({ zone }) => regionOf(zone)))].sort();
}

/** Name of the cluster of the front ends near a region, e.g. `app of my-project near europe-west1`. */
export function clusterName({ id }: Pick<BackendService, "id">, near: string): string {
  return `${id.split("/").at(-1)} of ${id.split("/")[1]} near ${near}`;
}

function listener(frontEnd: FrontEnd, around: Surroundings): Props {
  const manager = extension(
    "envoy.filters.network.http_connection_manager",
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    {
      stat_prefix: "front",
      codec_type: "AUTO",
      use_remote_address: true,
      strip_any_host_port: true,
      via: "1.1 google",
      common_http_protocol_options: { idle_timeout: `${CLIENT_IDLE_SECONDS}s` },
      rds: { route_config_name: frontEnd.id, config_source: fromFile(around.file("route", frontEnd.id)) },
      access_log: [
        extension("envoy.access_loggers.file", "envoy.extensions.access_loggers.file.v3.FileAccessLog", {
          path: around.logs.requests,
          log_format: { json_format: REQUEST },
        }),
      ],
      http_filters: [
        extension("envoy.filters.http.local_ratelimit", `${HTTP}local_ratelimit.v3.LocalRateLimit`, {
          stat_prefix: "armor",
        }),
        extension("envoy.filters.http.router", `${HTTP}router.v3.Router`, {}),
      ],
    },
  );
  const chain = (match: Props | undefined, domains?: string[]) => ({
    ...(match ? { filter_chain_match: match } : {}),
    filters: [manager],
    ...(domains ? { transport_socket: downstreamTls(frontEnd, around.certificate(domains)) } : {}),
  });
  return {
    "@type": LISTENER,
    name: frontEnd.id,
    address: { socket_address: { address: "127.0.0.1", port_value: around.listener(frontEnd) } },
    ...(frontEnd.tls
      ? { listener_filters: [extension("envoy.filters.listener.tls_inspector", TLS_INSPECTOR, {})] }
      : {}),
    filter_chains: frontEnd.tls
      ? frontEnd.tls.certificates.map(({ host, domains }) => chain(host ? { server_names: [host] } : {}, domains))
      : [chain(undefined)],
  };
}

const HTTP = "envoy.extensions.filters.http.";
const TLS_INSPECTOR = "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector";

/** A request as Cloud Logging has it, as far as anybody asks for it. */
const REQUEST = {
  time: "%START_TIME%",
  method: "%REQ(:METHOD)%",
  path: "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
  status: "%RESPONSE_CODE%",
  flags: "%RESPONSE_FLAGS%",
  ms: "%DURATION%",
  attempts: "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
  cluster: "%UPSTREAM_CLUSTER%",
  upstream: "%UPSTREAM_HOST%",
};

function downstreamTls({ tls }: FrontEnd, pair: { certificate: string; key: string }): Props {
  return extension("envoy.transport_sockets.tls", "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext", {
    common_tls_context: {
      alpn_protocols: ["h2", "http/1.1"],
      tls_params: { tls_minimum_protocol_version: tls!.minVersion.replace(/^TLS_(\d)_(\d)$/, "TLSv$1_$2") },
      tls_certificates: [
        { certificate_chain: { inline_string: pair.certificate }, private_key: { inline_string: pair.key } },
      ],
    },
  });
}

function routes({ id, routing }: FrontEnd, services: readonly BackendService[]): Props {
  const to = (match: Props, action: Action) => routesOf(match, action, services);
  const everything = { prefix: "/" };
  const hosts = routing.hosts.map(({ patterns, paths, otherwise }, index) => ({
    name: `host-${index}`,
    domains: patterns,
    routes: [
      // The longest path decides, not the first.
      ...paths
        .flatMap((rule) => rule.paths.map((path) => ({ path, action: rule.to })))
        .sort((a, b) => b.path.length - a.path.length)
        .flatMap(({ path, action }) => to(pathMatch(path), action)),
      ...to(everything, otherwise),
    ],
  }));
  const any = hosts.some(({ domains }) => domains.includes("*"));
  return {
    "@type": ROUTES,
    name: id,
    request_headers_to_remove: [CLIENT_REGION_HEADER],
    virtual_hosts: [
      ...hosts,
      ...(any ? [] : [{ name: "otherwise", domains: ["*"], routes: to(everything, routing.otherwise) }]),
    ],
  };
}

const pathMatch = (path: string): Props => (path.endsWith("/*") ? { prefix: path.slice(0, -1) } : { path });

/** One route per front end that may be the closest; a client that does not say where it is, is near the first region. */
function routesOf(match: Props, action: Action, services: readonly BackendService[]): Props[] {
  if ("redirect" in action) return [{ match, redirect: redirect(action.redirect) }];
  const service = services.find(({ id }) => id === action.service)!;
  const regions = regionsOf(service);
  if (regions.length === 0) return [{ match, direct_response: said(503, "no healthy upstream") }];
  const fronts = regions.flatMap((near, index) => {
    const clients = knownRegions.filter((client) => byDistance(client, regions)[0] === near);
    const here = { name: CLIENT_REGION_HEADER, string_match: { safe_regex: { regex: clients.join("|") } } };
    const unsaid = { name: CLIENT_REGION_HEADER, present_match: false };
    return (index === 0 ? [here, unsaid] : [here]).flatMap((header) =>
      forwarded(match, header, clusterName(service, near), service),
    );
  });
  return [...fronts, { match, direct_response: said(400, `${CLIENT_REGION_HEADER} names no region of Google Cloud`) }];
}

const said = (status: number, text: string) => ({ status, body: { inline_string: text } });

/**
 * Requests without a body are tried once more after 502, 503, 504 or no answer, others never. Source: "External Application
 * Load Balancer overview", retries.
 */
function forwarded(match: Props, header: Props, name: string, service: BackendService): Props[] {
  const { timeoutSec = 30, customResponseHeaders } = service.inputs;
  const retried = { retry_on: "gateway-error", num_retries: 1 };
  const withoutBody = { name: ":method", string_match: { safe_regex: { regex: "GET|HEAD" } } };
  return [true, false].map((again) => ({
    match: { ...match, headers: again ? [header, withoutBody] : [header] },
    route: { cluster: name, timeout: `${timeoutSec}s`, ...(again ? { retry_policy: retried } : {}) },
    response_headers_to_add: ((customResponseHeaders as string[]) ?? []).map((text) => {
      const [key = "", ...value] = text.split(":");
      return {
        header: { key: key.trim(), value: value.join(":").trim() },
        append_action: "OVERWRITE_IF_EXISTS_OR_ADD",
      };
    }),
    ...security(service.security),
  }));
}

/**
 * Of a Cloud Armor policy, the limit of requests of an address. Signatures of attacks are not known here, and ranges of
 * addresses mean nothing on a loopback.
 */
function security(rules: readonly Props[]): Props {
  const limit = rules.find(({ action, preview }) => action === "throttle" && preview !== true);
  if (!limit) return {};
  const options = limit.rateLimitOptions as {
    exceedAction: string;
    enforceOnKey?: string;
    rateLimitThreshold: { count: number; intervalSec: number };
  };
  const { count, intervalSec } = options.rateLimitThreshold;
  const bucket = { max_tokens: count, tokens_per_fill: count, fill_interval: `${intervalSec}s` };
  const perClient = (options.enforceOnKey ?? "ALL") !== "ALL";
  const share = { runtime_key: "armor", default_value: { numerator: 100, denominator: "HUNDRED" } };
  return {
    typed_per_filter_config: {
      "envoy.filters.http.local_ratelimit": {
        "@type": `${TYPE}${HTTP}local_ratelimit.v3.LocalRateLimit`,
        stat_prefix: "armor",
        status: { code: Number(/\d+/.exec(options.exceedAction)?.[0] ?? 429) },
        filter_enabled: share,
        filter_enforced: share,
        ...(perClient
          ? {
              token_bucket: { max_tokens: NO_LIMIT, tokens_per_fill: NO_LIMIT, fill_interval: "1s" },
              always_consume_default_token_bucket: false,
              max_dynamic_descriptors: RATE_LIMITED_CLIENTS,
              rate_limits: [{ actions: [{ remote_address: {} }] }],
              descriptors: [{ entries: [{ key: "remote_address" }], token_bucket: bucket }],
            }
          : { token_bucket: bucket }),
      },
    },
  };
}

function redirect({ host, https, path, prefix, status, stripQuery }: Redirect): Props {
  const codes: Record<number, string> = {
    301: "MOVED_PERMANENTLY",
    302: "FOUND",
    303: "SEE_OTHER",
    307: "TEMPORARY_REDIRECT",
    308: "PERMANENT_REDIRECT",
  };
  return {
    ...(host ? { host_redirect: host } : {}),
    ...(https ? { https_redirect: true } : {}),
    ...(path ? { path_redirect: path } : {}),
    ...(prefix ? { prefix_rewrite: prefix } : {}),
    response_code: codes[status],
    strip_query: stripQuery,
  };
}

function cluster(name: string, service: BackendService, around: Surroundings): Props {
  const { localityLbPolicy = "ROUND_ROBIN", outlierDetection } = service.inputs;
  const policy = LB_POLICY[String(localityLbPolicy)];
  if (!policy)
    throw new Error(`${service.id} has localityLbPolicy ${localityLbPolicy}, which the sandbox does not serve`);
  return {
    "@type": CLUSTER,
    name,
    type: "EDS",
    eds_cluster_config: { eds_config: fromFile(around.file("assignment", name)), service_name: name },
    connect_timeout: "5s",
    lb_policy: policy,
    // Only healthy endpoints get requests, however few they are, from the moment that they are found not to be.
    // A group is chosen by its weight, and the policy chooses among its endpoints.
    common_lb_config: {
      healthy_panic_threshold: { value: 0 },
      update_merge_window: "0s",
      locality_weighted_lb_config: {},
    },
    // A pod that has left its group is out at once, whatever its last health check said.
    ignore_health_on_host_removal: true,
    circuit_breakers: {
      thresholds: ["DEFAULT", "HIGH"].map((priority) => ({
        priority,
        max_connections: NO_LIMIT,
        max_pending_requests: NO_LIMIT,
        max_requests: NO_LIMIT,
        max_retries: NO_LIMIT,
      })),
    },
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": `${TYPE}envoy.extensions.upstreams.http.v3.HttpProtocolOptions`,
        common_http_protocol_options: { idle_timeout: `${BACKEND_IDLE_SECONDS}s` },
        explicit_http_config: { http_protocol_options: {} },
      },
    },
    health_checks: [healthCheck(service, around)],
    ...(outlierDetection ? { outlier_detection: outliers(outlierDetection as Props) } : {}),
  };
}

function healthCheck({ healthCheck: declared }: BackendService, around: Surroundings): Props {
  const { checkIntervalSec = 5, timeoutSec = 5, healthyThreshold = 2, unhealthyThreshold = 2, logConfig } = declared;
  const http = declared.httpHealthCheck as Props | undefined;
  if (!http && !declared.tcpHealthCheck)
    throw new Error(`health check ${declared.name} is neither HTTP nor TCP; others are not served by the sandbox`);
  return {
    interval: `${checkIntervalSec}s`,
    // Probes come whether or not there are requests.
    no_traffic_interval: `${checkIntervalSec}s`,
    timeout: `${timeoutSec}s`,
    healthy_threshold: healthyThreshold,
    unhealthy_threshold: unhealthyThreshold,
    reuse_connection: false,
    ...(http
      ? {
          http_health_check: {
            path: http.requestPath ?? "/",
            ...(http.host ? { host: http.host } : {}),
            expected_statuses: [{ start: 200, end: 201 }],
            // Any other answer is one failure of several.
            retriable_statuses: [
              { start: 100, end: 200 },
              { start: 201, end: 600 },
            ],
          },
        }
      : { tcp_health_check: {} }),
    ...((logConfig as { enable?: boolean } | undefined)?.enable
      ? {
          event_logger: [
            extension(
              "envoy.health_check.event_sinks.file",
              "envoy.extensions.health_check.event_sinks.file.v3.HealthCheckEventFileSink",
              { event_log_path: around.logs.health },
            ),
          ],
        }
      : {}),
  };
}

/** Port that health checks of an endpoint go to. */
export function checkedPort({ healthCheck: declared }: BackendService, endpoint: Endpoint): number {
  const { port, portSpecification } = (declared.httpHealthCheck ?? declared.tcpHealthCheck ?? {}) as Props;
  return portSpecification === "USE_SERVING_PORT" ? endpoint.port : Number(port ?? 80);
}

/** Google's fields have Envoy's names, but for "errors", which are 5xx; what is not declared is not enforced. */
function outliers(declared: Props): Props {
  const seconds = (value: unknown, fallback: number) => {
    const { seconds: whole = fallback, nanos = 0 } = (value ?? {}) as { seconds?: number; nanos?: number };
    return `${Number(whole) + Number(nanos) / 1e9}s`;
  };
  return {
    consecutive_5xx: declared.consecutiveErrors ?? 5,
    enforcing_consecutive_5xx: declared.enforcingConsecutiveErrors ?? 0,
    consecutive_gateway_failure: declared.consecutiveGatewayFailure ?? 3,
    enforcing_consecutive_gateway_failure: declared.enforcingConsecutiveGatewayFailure ?? 100,
    enforcing_success_rate: declared.enforcingSuccessRate ?? 100,
    success_rate_minimum_hosts: declared.successRateMinimumHosts ?? 5,
    success_rate_request_volume: declared.successRateRequestVolume ?? 100,
    success_rate_stdev_factor: declared.successRateStdevFactor ?? 1900,
    interval: seconds(declared.interval, 1),
    base_ejection_time: seconds(declared.baseEjectionTime, 30),
    max_ejection_percent: declared.maxEjectionPercent ?? 50,
  };
}

function assignment(name: string, service: BackendService, near: string, around: Surroundings): Props {
  const regions = byDistance(near, regionsOf(service));
  const groups = service.groups.filter(({ serves }) => serves);
  const weights = around.weights?.(service, near);
  // Regions that share what comes are of one priority; the others follow by distance.
  const sharing = weights
    ? [[...weights.keys()], ...regions.filter((each) => !weights.has(each)).map((each) => [each])]
    : regions.map((each) => [each]);
  const count = (some: readonly { id: string }[]) => some.reduce((sum, { id }) => sum + around.endpoints(id).length, 0);
  return {
    "@type": ASSIGNMENT,
    cluster_name: name,
    endpoints: sharing.flatMap((some, priority) =>
      some.flatMap((region) => {
        const own = groups.filter(({ zone }) => regionOf(zone) === region);
        // In thousandths of a percent, as weights are whole numbers.
        const perEndpoint = (1000 * (weights?.get(region) ?? 100)) / Math.max(1, count(own));
        return own.map((group) => ({
          priority,
          locality: { region, zone: group.zone },
          load_balancing_weight: Math.max(1, Math.round(perEndpoint * count([group]))),
          lb_endpoints: around.endpoints(group.id).map((endpoint) => {
            const serving = around.reach(near, group.id, endpoint, endpoint.port);
            const checked = around.reach(near, group.id, endpoint, checkedPort(service, endpoint));
            return {
              endpoint: {
                address: address(serving),
                // Envoy puts a host and port of the pod into its logs and answers.
                hostname: `${endpoint.address}:${endpoint.port}`,
                ...(checked.port === serving.port ? {} : { health_check_config: { address: address(checked) } }),
              },
            };
          }),
        }));
      }),
    ),
  };
}

const address = ({ host, port }: Target) => ({ socket_address: { address: host, port_value: port } });

const fromFile = (path: string): Props => ({ path_config_source: { path }, resource_api_version: "V3" });
