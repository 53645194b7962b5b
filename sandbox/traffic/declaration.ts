/**
 * The load balancers that are declared: what global forwarding rules lead to, by the references among the resources. Nothing
 * here is known but resources.
 */
import { fullId, GLOBAL_ADDRESS, NETWORK } from "../cloud/gcp/compute";
import { named, TOKENS } from "../cloud/gcp/load-balancing";
import { type Registry, text } from "../cloud/registry";
import type { CloudResource, Props } from "../lib/types";

/** One global forwarding rule with all that is behind it. */
export interface FrontEnd {
  /** Id of the forwarding rule. */
  id: string;
  /** Public address and port. */
  address: string;
  port: number;
  /** Absent: plain HTTP. */
  tls?: Tls;
  routing: Routing;
}

/** What a target HTTPS proxy presents. */
export interface Tls {
  /** Declared names of each certificate, and the host that it is for; without one, it is for whoever asks for another. */
  certificates: { host?: string; domains: string[] }[];
  /** Smallest version, as SSL policies name it, e.g. `TLS_1_2`. */
  minVersion: string;
}

/** A URL map: the host decides, then the path. */
export interface Routing {
  hosts: { patterns: string[]; paths: { paths: string[]; to: Action }[]; otherwise: Action }[];
  otherwise: Action;
}

/** Where a request goes: to a backend service, by its id, or elsewhere. */
export type Action = { service: string } | { redirect: Redirect };

/** A URL map's redirect. */
export interface Redirect {
  host?: string;
  https: boolean;
  path?: string;
  prefix?: string;
  /** HTTP status. */
  status: number;
  stripQuery: boolean;
}

/** A backend service with its health check and Cloud Armor policy. */
export interface BackendService {
  id: string;
  inputs: Props;
  groups: BackendGroup[];
  healthCheck: Props;
  /** Rules of its Cloud Armor policy, first match wins. */
  security: Props[];
}

/** An endpoint group as a backend. */
export interface BackendGroup {
  id: string;
  zone: string;
  network: string;
  /** It has capacity. */
  serves: boolean;
  /** Requests per second of each healthy endpoint before others help; absent: whatever comes. */
  ratePerEndpoint?: number;
}

/** What is served, and what is declared but cannot be served here, with the reason. */
export interface Declared {
  frontEnds: FrontEnd[];
  services: BackendService[];
  refused: { id: string; reason: string }[];
}

/** Resources by type. */
export type Resources = Pick<Registry, "all">;

const STATUS: Record<string, number> = {
  FOUND: 302,
  MOVED_PERMANENTLY_DEFAULT: 301,
  PERMANENT_REDIRECT: 308,
  SEE_OTHER: 303,
  TEMPORARY_REDIRECT: 307,
};

/** What a URL map can have that is not served here. */
const NOT_SERVED = ["routeRules", "defaultRouteAction", "headerAction", "defaultCustomErrorResponsePolicy"];

/** Reads every load balancer. */
export function declared(resources: Resources): Declared {
  const frontEnds: FrontEnd[] = [];
  const services = new Map<string, BackendService>();
  const refused: Declared["refused"] = [];
  for (const rule of resources.all(TOKENS.forwardingRule)) {
    if (rule.inputs.loadBalancingScheme !== "EXTERNAL_MANAGED") continue;
    try {
      const found = frontEnd(resources, rule);
      for (const id of servicesOf(found.routing))
        if (!services.has(id)) services.set(id, backendService(resources, id));
      frontEnds.push(found);
    } catch (error) {
      refused.push({ id: rule.id, reason: (error as Error).message });
    }
  }
  return { frontEnds, services: [...services.values()], refused };
}

/** Ids of the backend services that a URL map names. */
export function servicesOf(routing: Routing): string[] {
  const actions = [
    routing.otherwise,
    ...routing.hosts.flatMap(({ paths, otherwise }) => [otherwise, ...paths.map(({ to }) => to)]),
  ];
  return [...new Set(actions.flatMap((action) => ("service" in action ? [action.service] : [])))];
}

function frontEnd(resources: Resources, rule: CloudResource): FrontEnd {
  const proxy = must(resources, [TOKENS.httpProxy, TOKENS.httpsProxy], rule.inputs.target, rule);
  const map = must(resources, [TOKENS.urlMap], proxy.inputs.urlMap, proxy);
  const given = text(rule.inputs, "ipAddress");
  const reserved = named(resources, [GLOBAL_ADDRESS], given, rule.inputs);
  return {
    id: rule.id,
    address: reserved ? text(reserved.outputs, "address") : given,
    port: Number(text(rule.inputs, "portRange").split("-")[0]),
    ...(proxy.type === TOKENS.httpsProxy ? { tls: tls(resources, proxy) } : {}),
    routing: routing(resources, map),
  };
}

function tls(resources: Resources, proxy: CloudResource): Tls {
  const { certificateMap, sslPolicy } = proxy.inputs;
  if (!certificateMap)
    throw new Error(`${proxy.id} has no certificate map; only those of Certificate Manager are served`);
  const map = must(resources, [TOKENS.certificateMap], certificateMap, proxy);
  const entries = resources
    .all(TOKENS.certificateMapEntry)
    .filter((entry) => named(resources, [TOKENS.certificateMap], entry.inputs.map, entry.inputs)?.id === map.id);
  const policy = sslPolicy ? must(resources, [TOKENS.sslPolicy], sslPolicy, proxy) : undefined;
  return {
    certificates: entries.flatMap((entry) =>
      ((entry.inputs.certificates as string[]) ?? []).map((name) => {
        const certificate = must(resources, [TOKENS.certificate], name, entry);
        const domains = (certificate.inputs.managed as { domains?: string[] } | undefined)?.domains ?? [];
        if (domains.length === 0) throw new Error(`${certificate.id} is not managed by Google; only those are served`);
        return { ...(entry.inputs.hostname ? { host: text(entry.inputs, "hostname") } : {}), domains };
      }),
    ),
    minVersion: text(policy?.inputs ?? {}, "minTlsVersion") || "TLS_1_0",
  };
}

function routing(resources: Resources, map: CloudResource): Routing {
  const matchers = list(map.inputs.pathMatchers);
  for (const part of [map.inputs, ...matchers]) {
    const found = NOT_SERVED.find((name) => part[name] !== undefined);
    if (found) throw new Error(`${map.id} has ${found}, which the sandbox does not serve`);
  }
  const action = (service: unknown, redirect: unknown): Action => {
    if (service) return { service: must(resources, [TOKENS.backendService], service, map).id };
    if (redirect) return { redirect: redirectOf(redirect as Props) };
    throw new Error(`${map.id} has neither a service nor a redirect where one is needed`);
  };
  const otherwise = action(map.inputs.defaultService, map.inputs.defaultUrlRedirect);
  return {
    otherwise,
    hosts: list(map.inputs.hostRules).map((rule) => {
      const matcher = matchers.find(({ name }) => name === rule.pathMatcher);
      if (!matcher) throw new Error(`${map.id} has no path matcher "${rule.pathMatcher}"`);
      return {
        patterns: (rule.hosts as string[]) ?? [],
        paths: list(matcher.pathRules).map(({ paths, service, urlRedirect }) => ({
          paths: paths as string[],
          to: action(service, urlRedirect),
        })),
        otherwise: action(matcher.defaultService, matcher.defaultUrlRedirect),
      };
    }),
  };
}

function redirectOf(given: Props): Redirect {
  return {
    ...(given.hostRedirect ? { host: String(given.hostRedirect) } : {}),
    ...(given.pathRedirect ? { path: String(given.pathRedirect) } : {}),
    ...(given.prefixRedirect ? { prefix: String(given.prefixRedirect) } : {}),
    https: given.httpsRedirect === true,
    status: STATUS[String(given.redirectResponseCode ?? "MOVED_PERMANENTLY_DEFAULT")] ?? 301,
    stripQuery: given.stripQuery === true,
  };
}

function backendService(resources: Resources, id: string): BackendService {
  const found = resources.all(TOKENS.backendService).find((each) => each.id === id)!;
  const { inputs } = found;
  const protocol = inputs.protocol ?? "HTTP";
  if (protocol !== "HTTP") throw new Error(`${id} speaks ${protocol} to its backends; only HTTP is served`);
  const check = must(resources, [TOKENS.healthCheck], inputs.healthChecks, found);
  const policy = inputs.securityPolicy
    ? must(resources, [TOKENS.securityPolicy], inputs.securityPolicy, found)
    : undefined;
  return {
    id,
    inputs,
    groups: list(inputs.backends).map(({ group, capacityScaler = 1, maxRatePerEndpoint }) => {
      const resource = must(resources, [TOKENS.group], group, found);
      return {
        id: resource.id,
        zone: text(resource.inputs, "zone"),
        network: must(resources, [NETWORK], resource.inputs.network, resource).id,
        serves: Number(capacityScaler) > 0,
        ...(maxRatePerEndpoint ? { ratePerEndpoint: Number(maxRatePerEndpoint) * Number(capacityScaler) } : {}),
      };
    }),
    healthCheck: check.inputs,
    security: list(policy?.inputs.rules).sort((a, b) => Number(a.priority) - Number(b.priority)),
  };
}

function must(resources: Resources, types: string[], value: unknown, from: CloudResource): CloudResource {
  const found = named(resources, types, value, from.inputs);
  if (!found) throw new Error(`${from.id} names ${fullId(String(value))}, which does not exist`);
  return found;
}

const list = (value: unknown): Props[] => (Array.isArray(value) ? (value as Props[]) : []);
