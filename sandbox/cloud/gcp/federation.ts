/** Workload identity federation: pools and providers. Source: "Configure Workload Identity Federation". */
import { createHash } from "node:crypto";
import type { Behaviour, Props } from "../../lib/types";
import { type Registry, text } from "../registry";
import { absent, conflict, invalid, matches, notFound, required } from "./checks";

/** Type token. */
export const POOL = "gcp:iam/workloadIdentityPool:WorkloadIdentityPool";
const PROVIDER = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider";
const ID = /^[a-z0-9-]{4,32}$/;
/** Fact of the registry: a deleted pool or provider keeps its id for 30 days. */
const DELETED = "deleted workload identity pools";
/** Issuers that serve everybody: a provider that trusts one has to say whom of it. */
const SHARED = ["https://token.actions.githubusercontent.com", "https://gitlab.com", "https://app.terraform.io"];

/** Number of a project, as names of pools carry it. */
export function projectNumber(project: string): string {
  const digest = createHash("sha256").update(project).digest();
  return String(100_000_000_000 + (digest.readUInt32BE(0) % 899_999_999));
}

/** Behaviours by type token. */
export function federationBehaviours(registry: Registry): Record<string, Behaviour> {
  const made = (type: string, id: string) => {
    if (registry.knows(DELETED, id)) throw conflict(`${id} (deleted, its id is kept for 30 days)`);
    absent(registry, type, id);
  };
  const ended = async ({ id }: { id: string }) => registry.note(DELETED, id);
  return {
    [POOL]: {
      create: async (inputs) => {
        const poolId = poolIdOf(inputs);
        const id = `projects/${required(inputs, "project", "pool")}/locations/global/workloadIdentityPools/${poolId}`;
        made(POOL, id);
        return { id, outputs: { ...inputs, name: fullName(inputs), state: "ACTIVE" } };
      },
      update: async ({ outputs }, inputs) => ({ ...outputs, ...inputs }),
      delete: async (pool) => {
        for (const provider of registry.all(PROVIDER))
          if (provider.id.startsWith(`${pool.id}/`)) registry.remove(PROVIDER, provider.id);
        await ended(pool);
      },
    },
    [PROVIDER]: {
      create: async (inputs) => {
        const pool = `projects/${required(inputs, "project", "provider")}/locations/global/workloadIdentityPools/${poolIdOf(inputs)}`;
        if (!registry.get(POOL, pool)) throw notFound(`Pool ${pool}`);
        const providerId = text(inputs, "workloadIdentityPoolProviderId");
        matches(providerId, ID, "workload_identity_pool_provider_id");
        checkProvider(inputs);
        const id = `${pool}/providers/${providerId}`;
        made(PROVIDER, id);
        return { id, outputs: { ...inputs, name: `${fullName(inputs)}/providers/${providerId}`, state: "ACTIVE" } };
      },
      update: async ({ outputs }, inputs) => {
        checkProvider(inputs);
        return { ...outputs, ...inputs };
      },
      delete: ended,
    },
  };
}

/** A provider by its full name, unless it or its pool is disabled. */
export function identityProvider(registry: Registry, name: string): Props | undefined {
  const provider = registry.all(PROVIDER).find(({ outputs }) => outputs.name === name);
  const pool = registry.all(POOL).find(({ outputs }) => name.startsWith(`${text(outputs, "name")}/`));
  if (!provider || !pool || provider.inputs.disabled === true || pool.inputs.disabled === true) return undefined;
  return provider.inputs;
}

/** @throws CloudError 400 when the member is of a pool that does not exist */
export function checkPool(member: string, registry: Registry): void {
  const [, name] =
    /^principal(?:Set)?:\/\/iam\.googleapis\.com\/(projects\/[^/]+\/locations\/global\/workloadIdentityPools\/[^/]+)\//.exec(
      member,
    ) ?? [];
  if (!name || !registry.all(POOL).some(({ outputs }) => outputs.name === name))
    throw invalid(`Identity Pool does not exist (${name ?? member}).`);
}

function poolIdOf(inputs: Props): string {
  const id = text(inputs, "workloadIdentityPoolId");
  matches(id, ID, "workload_identity_pool_id");
  if (id.startsWith("gcp-")) throw invalid(`Invalid value for workload_identity_pool_id: "${id}"; gcp- is reserved`);
  return id;
}

const fullName = (inputs: Props) =>
  `projects/${projectNumber(text(inputs, "project"))}/locations/global/workloadIdentityPools/${poolIdOf(inputs)}`;

function checkProvider(inputs: Props): void {
  const mapping = (inputs.attributeMapping ?? {}) as Record<string, string>;
  const oidc = inputs.oidc as { issuerUri?: string } | undefined;
  const kinds = ["oidc", "aws", "saml", "x509"].filter((kind) => inputs[kind] !== undefined);
  if (kinds.length !== 1) throw invalid(`exactly one of oidc, aws, saml and x509 must be set, not ${kinds.length}`);
  if (!oidc) return;
  if (!mapping["google.subject"]) throw invalid("attribute_mapping: google.subject is required of an OIDC provider");
  if (!/^https:\/\/[^?#]+$/.test(oidc.issuerUri ?? ""))
    throw invalid(`issuer_uri "${oidc.issuerUri}" must be an https URL`);
  if (SHARED.includes(oidc.issuerUri ?? "") && !/\bassertion\.\w/.test(text(inputs, "attributeCondition")))
    throw invalid("The attribute condition must reference one of the provider's claims.");
}
