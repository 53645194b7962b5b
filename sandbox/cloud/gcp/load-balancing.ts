/**
 * Load balancers, Cloud Armor and Certificate Manager: recorded, with what their APIs check. What a resource names has to
 * exist, and stays for as long as something names it.
 */
import { createHash } from "node:crypto";
import { type Behaviour, CloudError, type CloudResource, type Props } from "../../lib/types";
import { type Access, memberOf } from "../iam/access";
import { type Registry, text } from "../registry";
import { checkMember } from "./bucket";
import { absent, etag, invalid, LABEL, matches, notFound, required } from "./checks";
import { fullId, GLOBAL_ADDRESS, NETWORK, SUBNETWORK } from "./compute";

const type = (name: string) => `gcp:compute/${name[0]?.toLowerCase()}${name.slice(1)}:${name}`;
const certificateType = (name: string) => `gcp:certificatemanager/${name[0]?.toLowerCase()}${name.slice(1)}:${name}`;

/** Type tokens. */
export const TOKENS = {
  group: type("NetworkEndpointGroup"),
  healthCheck: type("HealthCheck"),
  securityPolicy: type("SecurityPolicy"),
  sslPolicy: type("SSLPolicy"),
  backendService: type("BackendService"),
  backendServiceBinding: type("BackendServiceIamBinding"),
  urlMap: type("URLMap"),
  httpProxy: type("TargetHttpProxy"),
  httpsProxy: type("TargetHttpsProxy"),
  forwardingRule: type("GlobalForwardingRule"),
  dnsAuthorization: certificateType("DnsAuthorization"),
  certificate: certificateType("Certificate"),
  certificateMap: certificateType("CertificateMap"),
  certificateMapEntry: certificateType("CertificateMapEntry"),
} as const;

const USE = "compute.backendServices.use";

/** A name of another resource among the inputs: who is meant, by id, self link or bare name. */
interface Reference {
  /** Types that it may be of. */
  types: string[];
  value: string;
  /** May it be of another project? */
  anywhere?: boolean;
}

/** What the inputs of each type name. */
const references: Record<string, (inputs: Props) => Reference[]> = {
  [TOKENS.group]: ({ network, subnetwork }) => [
    { types: [NETWORK], value: String(network) },
    ...one([SUBNETWORK], subnetwork),
  ],
  [TOKENS.backendService]: ({ backends, healthChecks, securityPolicy }) => [
    ...list(backends).flatMap(({ group }) => one([TOKENS.group], group)),
    ...one([TOKENS.healthCheck], healthChecks),
    ...one([TOKENS.securityPolicy], securityPolicy),
  ],
  [TOKENS.urlMap]: (inputs) =>
    services(inputs).map((value) => ({ types: [TOKENS.backendService], value, anywhere: true })),
  [TOKENS.httpProxy]: ({ urlMap }) => one([TOKENS.urlMap], urlMap),
  [TOKENS.httpsProxy]: ({ urlMap, sslPolicy, certificateMap }) => [
    ...one([TOKENS.urlMap], urlMap),
    ...one([TOKENS.sslPolicy], sslPolicy),
    ...one([TOKENS.certificateMap], certificateMap),
  ],
  [TOKENS.forwardingRule]: ({ target }) => one([TOKENS.httpProxy, TOKENS.httpsProxy], target),
  [TOKENS.certificate]: ({ managed }) =>
    ((managed as { dnsAuthorizations?: string[] } | undefined)?.dnsAuthorizations ?? []).flatMap((each) =>
      one([TOKENS.dnsAuthorization], each),
    ),
  [TOKENS.certificateMapEntry]: ({ map, certificates }) => [
    ...one([TOKENS.certificateMap], map),
    ...((certificates as string[] | undefined) ?? []).flatMap((each) => one([TOKENS.certificate], each)),
  ],
};

/** Behaviours by type token. */
export function loadBalancingBehaviours(registry: Registry, access: Access): Record<string, Behaviour> {
  const global = (collection: string) => (inputs: Props) => `global/${collection}/${text(inputs, "name")}`;
  const located = (collection: string) => (inputs: Props) =>
    `locations/${text(inputs, "location") || "global"}/${collection}/${text(inputs, "name")}`;
  const simple = (token: string, path: (inputs: Props) => string, more: Partial<Checks> = {}) =>
    behaviour(registry, access, token, path, more);
  return {
    [TOKENS.group]: simple(
      TOKENS.group,
      (inputs) =>
        `zones/${required(inputs, "zone", "network endpoint group")}/networkEndpointGroups/${text(inputs, "name")}`,
      { check: (inputs) => inZone(registry, inputs) },
    ),
    [TOKENS.healthCheck]: simple(TOKENS.healthCheck, global("healthChecks")),
    [TOKENS.securityPolicy]: simple(TOKENS.securityPolicy, global("securityPolicies")),
    [TOKENS.sslPolicy]: simple(TOKENS.sslPolicy, global("sslPolicies")),
    [TOKENS.backendService]: simple(TOKENS.backendService, global("backendServices"), {
      outputs: () => ({ generatedId: 0 }),
    }),
    [TOKENS.urlMap]: simple(TOKENS.urlMap, global("urlMaps")),
    [TOKENS.httpProxy]: simple(TOKENS.httpProxy, global("targetHttpProxies")),
    [TOKENS.httpsProxy]: simple(TOKENS.httpsProxy, global("targetHttpsProxies")),
    [TOKENS.forwardingRule]: simple(TOKENS.forwardingRule, global("forwardingRules"), {
      check: (inputs, id) => freeAddress(registry, inputs, id),
    }),
    [TOKENS.dnsAuthorization]: simple(TOKENS.dnsAuthorization, located("dnsAuthorizations"), {
      outputs: (inputs, id) => ({ dnsResourceRecords: [challenge(text(inputs, "domain"), id)] }),
    }),
    [TOKENS.certificate]: simple(TOKENS.certificate, located("certificates"), {
      check: (inputs) => authorized(registry, inputs),
    }),
    [TOKENS.certificateMap]: simple(TOKENS.certificateMap, located("certificateMaps")),
    [TOKENS.certificateMapEntry]: simple(
      TOKENS.certificateMapEntry,
      (inputs) =>
        `locations/global/certificateMaps/${text(inputs, "map").split("/").at(-1)}/certificateMapEntries/${text(inputs, "name")}`,
    ),
    [TOKENS.backendServiceBinding]: backendServiceBinding(registry, access),
  };
}

/** What a type has beyond names, references and use. */
interface Checks {
  check(inputs: Props, id: string): void;
  outputs(inputs: Props, id: string): Props;
}

function behaviour(
  registry: Registry,
  access: Access,
  token: string,
  path: (inputs: Props) => string,
  { check, outputs }: Partial<Checks>,
): Behaviour {
  const checked = (inputs: Props, id: string, caller: string) => {
    for (const reference of references[token]?.(inputs) ?? []) {
      const found = resolve(registry, reference, inputs);
      const project = projectOf(found.id);
      if (project === inputs.project) continue;
      if (!reference.anywhere)
        throw invalid(`Cross project referencing is not allowed for this resource: '${found.id}' from ${id}`);
      if (!mayUse(registry, access, caller, found))
        throw new CloudError(403, "forbidden", `Required '${USE}' permission for '${found.id}'`);
    }
    check?.(inputs, id);
  };
  return {
    create: async (inputs, caller) => {
      matches(text(inputs, "name"), LABEL, "name");
      const id = `projects/${required(inputs, "project", token)}/${path(inputs)}`;
      absent(registry, token, id);
      checked(inputs, id, caller);
      const selfLink = `https://www.googleapis.com/compute/v1/${id}`;
      return {
        id,
        outputs: { ...inputs, ...(token.startsWith("gcp:compute") ? { selfLink } : {}), ...outputs?.(inputs, id) },
      };
    },
    update: async (resource, inputs, caller) => {
      checked(inputs, resource.id, caller);
      return { ...resource.outputs, ...inputs };
    },
    delete: async (resource) => {
      const user = userOf(registry, resource);
      if (user) throw inUse(resource.id, user.id);
    },
  };
}

/** The refusal to delete what another resource names. */
export function inUse(id: string, user: string): CloudError {
  return new CloudError(
    400,
    "resourceInUseByAnotherResource",
    `The resource '${id}' is already being used by '${user}'`,
  );
}

/** A resource that names this one, in whatever project it is. */
export function userOf(registry: Registry, resource: CloudResource): CloudResource | undefined {
  return Object.entries(references)
    .flatMap(([token, named]) => registry.all(token).map((user) => ({ user, named: named(user.inputs) })))
    .find(({ user, named }) =>
      named.some(
        ({ types, value }) =>
          types.includes(resource.type) && meant(value, resource, text(user.inputs, "project"), user.inputs),
      ),
    )?.user;
}

/** Does a reference of a resource in `project` mean the resource? */
function meant(value: string, { id, inputs: own }: CloudResource, project: string, inputs: Props): boolean {
  const reference = plain(value);
  if (reference.includes("/")) return reference === id;
  return own.name === reference && own.project === project && (own.zone === undefined || own.zone === inputs.zone);
}

/** The resource of one of the types that `value`, among the inputs of another resource, means. */
export function named(
  resources: Pick<Registry, "all">,
  types: string[],
  value: unknown,
  inputs: Props,
): CloudResource | undefined {
  return types
    .flatMap((token) => resources.all(token))
    .find((each) => meant(String(value), each, text(inputs, "project"), inputs));
}

function resolve(registry: Registry, { types, value }: Reference, inputs: Props): CloudResource {
  const found = named(registry, types, value, inputs);
  if (!found) throw notFound(`The resource '${plain(value)}'`);
  return found;
}

/** `projects/…` of an id, a self link, a certificate map's name or a bare name. */
const plain = (reference: string) => fullId(reference).replace(/^\/\/certificatemanager\.googleapis\.com\//, "");

const projectOf = (id: string) => id.split("/")[1] ?? "";

/** Another project's backend service needs a permission on it or on its project. */
function mayUse(registry: Registry, access: Access, caller: string, service: CloudResource): boolean {
  const member = memberOf(caller);
  const bindings = [
    ...access.projectBindings(projectOf(service.id)),
    ...registry
      .all(TOKENS.backendServiceBinding)
      .filter(({ id }) => id.startsWith(`${service.id}/`))
      .map(({ inputs }) => ({ role: text(inputs, "role"), members: (inputs.members as string[]) ?? [] })),
  ];
  return bindings.some(
    ({ role, members }) => members.includes(member) && (access.rolePermissions(role)?.includes(USE) ?? false),
  );
}

/** Who has a role on one backend service. */
function backendServiceBinding(registry: Registry, access: Access): Behaviour {
  const checked = (inputs: Props) => {
    access.checkRole(text(inputs, "role"), text(inputs, "project"));
    for (const each of (inputs.members as string[]) ?? []) checkMember(each, registry);
    return { ...inputs, etag: etag() };
  };
  const service = (inputs: Props): CloudResource =>
    resolve(registry, { types: [TOKENS.backendService], value: required(inputs, "name", "IAM binding") }, inputs);
  return {
    create: async (inputs) => ({ id: `${service(inputs).id}/${text(inputs, "role")}`, outputs: checked(inputs) }),
    update: async (_, inputs) => checked(inputs),
    read: async (binding) =>
      registry.get(TOKENS.backendService, binding.id.split("/roles/")[0] ?? "") ? binding.outputs : undefined,
  };
}

/** The subnetwork of a zonal group is of its network and in the zone's region. */
function inZone(registry: Registry, inputs: Props): void {
  const [subnetwork] = one([SUBNETWORK], inputs.subnetwork);
  if (!subnetwork) return;
  const { inputs: found, id } = resolve(registry, subnetwork, inputs);
  const region = text(inputs, "zone").replace(/-[a-z]$/, "");
  if (found.region !== region) throw invalid(`The subnetwork '${id}' is not in the region of zone ${inputs.zone}`);
  const network = resolve(registry, { types: [NETWORK], value: text(inputs, "network") }, inputs);
  if (resolve(registry, { types: [NETWORK], value: text(found, "network") }, found).id !== network.id)
    throw invalid(`The subnetwork '${id}' is not in network '${network.id}'`);
}

/** An address serves each port once, and only the project that reserved it. */
function freeAddress(registry: Registry, inputs: Props, id: string): void {
  const given = text(inputs, "ipAddress");
  if (!given) return;
  const reserved = registry
    .all(GLOBAL_ADDRESS)
    .find((each) => each.outputs.address === given || meant(given, each, text(inputs, "project"), inputs));
  if (!reserved) throw invalid(`Invalid value for field 'resource.IPAddress': '${given}' is no reserved address`);
  if (projectOf(reserved.id) !== inputs.project)
    throw invalid(`Invalid value for field 'resource.IPAddress': '${reserved.id}' is of another project`);
  const port = (each: Props) => text(each, "portRange").split("-")[0];
  const other = registry
    .all(TOKENS.forwardingRule)
    .find((each) => each.id !== id && each.inputs.ipAddress === given && port(each.inputs) === port(inputs));
  if (other)
    throw new CloudError(
      409,
      "conflict",
      `Invalid value for field 'resource.IPAddress': '${given}' port ${port(inputs)} is in use by '${other.id}'`,
    );
}

/** An authorization is for one domain and the wildcard below it. */
function authorized(registry: Registry, inputs: Props): void {
  const { domains = [] } = (inputs.managed ?? {}) as { domains?: string[] };
  const named = references[TOKENS.certificate]?.(inputs) ?? [];
  if (named.length === 0) return;
  const covered = named.map((each) => text(resolve(registry, each, inputs).inputs, "domain"));
  const left = domains.find((domain) => !covered.includes(domain.replace(/^\*\./, "")));
  if (left) throw invalid(`Domain ${left} has no matching DNS authorization; there are ${covered.join(", ")}`);
}

/** The record by which a domain's owner shows that certificates may be issued. */
function challenge(domain: string, id: string) {
  const token = createHash("sha256").update(id).digest("hex");
  return { name: `_acme-challenge.${domain}.`, type: "CNAME", data: `${token.slice(0, 36)}.0.authorize.example.com.` };
}

function services(inputs: Props): string[] {
  const from = [inputs, ...list(inputs.pathMatchers)];
  const rules = list(inputs.pathMatchers).flatMap(({ pathRules }) => list(pathRules));
  return [...from.map(({ defaultService }) => defaultService), ...rules.map(({ service }) => service)]
    .filter((value) => value !== undefined && value !== null && value !== "")
    .map(String);
}

const list = (value: unknown) => (Array.isArray(value) ? (value as Props[]) : []);
const one = (types: string[], value: unknown): Reference[] =>
  value === undefined || value === null || value === "" ? [] : [{ types, value: String(value) }];
