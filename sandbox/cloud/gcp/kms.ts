/** Keys. Key rings and keys are never deleted: their names stay taken, and a key that goes loses its versions only. */
import { type Behaviour, CloudError, type Props } from "../../lib/types";
import type { Access, Binding } from "../iam/access";
import { bindingId, type Condition, checkCondition } from "../iam/conditions";
import { type Registry, text } from "../registry";
import { checkMember } from "./bucket";
import { absent, conflict, etag, invalid, matches, notFound, required } from "./checks";
import { ALGORITHM, type KeyVersions } from "./key-versions";

const RING = "gcp:kms/keyRing:KeyRing";
const KEY = "gcp:kms/cryptoKey:CryptoKey";
const VERSION = "gcp:kms/cryptoKeyVersion:CryptoKeyVersion";
const BINDING = "gcp:kms/cryptoKeyIAMBinding:CryptoKeyIAMBinding";
/** Facts of the registry: ids that were used once. */
const TAKEN = "names of keys";
const NAME = /^[a-zA-Z0-9_-]{1,63}$/;
const LOCATION = /^(global|[a-z]+(-[a-z]+\d{1,2})?)$/;
const DAY = 24 * 3600;
const SIGN = "ASYMMETRIC_SIGN";

/** Behaviours by type token. */
export function kmsBehaviours(registry: Registry, access: Access, versions: KeyVersions): Record<string, Behaviour> {
  const take = (type: string, id: string) => {
    absent(registry, type, id);
    if (registry.knows(TAKEN, id)) throw conflict(id);
    registry.note(TAKEN, id);
  };
  const checkBinding = (inputs: Props) => {
    const key = required(inputs, "cryptoKeyId", "key IAM binding");
    if (!registry.get(KEY, key)) throw notFound(`CryptoKey ${key}`);
    access.checkRole(required(inputs, "role", "key IAM binding"), projectOf(key));
    if (inputs.condition) checkCondition(inputs.condition as Condition);
    for (const member of (inputs.members as string[]) ?? []) checkMember(member, registry);
  };
  return {
    [RING]: {
      create: async (inputs) => {
        const [project, location] = [required(inputs, "project", "key ring"), required(inputs, "location", "key ring")];
        matches(text(inputs, "name"), NAME, "key ring name");
        matches(location, LOCATION, "key ring location");
        const id = `projects/${project}/locations/${location}/keyRings/${text(inputs, "name")}`;
        take(RING, id);
        return { id, outputs: { ...inputs } };
      },
    },
    [KEY]: {
      create: async (inputs) => {
        const ring = required(inputs, "keyRing", "key");
        if (!registry.get(RING, ring)) throw notFound(`KeyRing ${ring}`);
        matches(text(inputs, "name"), NAME, "key name");
        checkKey(inputs);
        const id = `${ring}/cryptoKeys/${text(inputs, "name")}`;
        take(KEY, id);
        const symmetric = (text(inputs, "purpose") || "ENCRYPT_DECRYPT") === "ENCRYPT_DECRYPT";
        if (!inputs.skipInitialVersionCreation && text(inputs, "purpose") === SIGN)
          versions.make(`${id}/cryptoKeyVersions/1`);
        const primaries = symmetric ? [{ name: `${id}/cryptoKeyVersions/1`, state: "ENABLED" }] : [];
        return { id, outputs: { ...inputs, primaries } };
      },
      update: async ({ outputs }, inputs) => {
        checkKey(inputs);
        return { ...outputs, ...inputs };
      },
    },
    [VERSION]: {
      create: async (inputs) => {
        const id = required(inputs, "cryptoKey", "key version");
        const key = registry.get(KEY, id);
        if (!key) throw notFound(`CryptoKey ${id}`);
        const next = registry.all(VERSION).filter(({ inputs: { cryptoKey } }) => cryptoKey === id).length;
        const name = `${id}/cryptoKeyVersions/${next + (key.inputs.skipInitialVersionCreation ? 1 : 2)}`;
        take(VERSION, name);
        if (text(key.inputs, "purpose") === SIGN) versions.make(name);
        const template = (key.inputs.versionTemplate ?? {}) as Props;
        const { algorithm = "GOOGLE_SYMMETRIC_ENCRYPTION", protectionLevel = "SOFTWARE" } = template;
        return {
          id: name,
          outputs: { ...inputs, name, algorithm, protectionLevel, state: "ENABLED", attestations: [] },
        };
      },
      delete: async ({ id }) => versions.destroy(id),
    },
    [BINDING]: {
      create: async (inputs) => {
        checkBinding(inputs);
        const parts = [text(inputs, "cryptoKeyId"), text(inputs, "role")];
        const id = bindingId(parts, inputs.condition as Condition | undefined);
        absent(registry, BINDING, id);
        return { id, outputs: { ...inputs, etag: etag() } };
      },
      update: async (_, inputs) => {
        checkBinding(inputs);
        return { ...inputs, etag: etag() };
      },
      read: async ({ inputs, outputs }) => (registry.get(KEY, text(inputs, "cryptoKeyId")) ? outputs : undefined),
    },
  };
}

/** @throws CloudError 400 as Cloud KMS refuses periods and purposes */
function checkKey(inputs: Props): void {
  const algorithm = text((inputs.versionTemplate ?? {}) as Props, "algorithm");
  if (text(inputs, "purpose") === SIGN) {
    if (inputs.rotationPeriod) throw invalid("rotation_period can only be set for keys with purpose ENCRYPT_DECRYPT");
    if (!algorithm) throw invalid("version_template.algorithm is required for keys with purpose ASYMMETRIC_SIGN");
    if (algorithm !== ALGORITHM) throw invalid(`the sandbox signs with ${ALGORITHM} only, not with ${algorithm}`);
  } else if (algorithm.startsWith("EC_SIGN_")) throw invalid(`${algorithm} is no algorithm of this key's purpose`);
  const period = secondsOf(inputs, "rotationPeriod");
  if (period !== undefined && period < DAY) throw invalid("rotation_period must be at least one day");
  const scheduled = secondsOf(inputs, "destroyScheduledDuration");
  if (scheduled !== undefined && (scheduled < DAY || scheduled > 120 * DAY))
    throw invalid("destroy_scheduled_duration must be between 24 hours and 120 days");
}

function secondsOf(inputs: Props, name: string): number | undefined {
  const value = text(inputs, name);
  if (!value) return undefined;
  matches(value, /^\d+(\.\d+)?s$/, name);
  return Number(value.slice(0, -1));
}

const projectOf = (id: string) => id.split("/")[1] ?? "";

/** Who asks for something of a key version. */
export interface KeyCall {
  /** IAM member. */
  member: string;
  time: Date;
  /** Owns the key's project. */
  owner?: boolean;
}

/** What can be done with a key version once it is made. Every refusal is a {@link CloudError}. */
export class KeyOperations {
  constructor(
    private readonly registry: Registry,
    private readonly access: Access,
    private readonly versions: KeyVersions,
  ) {}

  sign(version: string, digest: Buffer, call: KeyCall): Buffer {
    this.allow(version, "cloudkms.cryptoKeyVersions.useToSign", call);
    return this.versions.sign(version, digest);
  }

  publicKey(version: string, call: KeyCall): { pem: string; algorithm: string } {
    this.allow(version, "cloudkms.cryptoKeyVersions.viewPublicKey", call);
    return { pem: this.versions.publicKey(version), algorithm: ALGORITHM };
  }

  /** @throws CloudError 403 as Cloud KMS refuses, also what is not there; 400 for a version that cannot sign */
  private allow(version: string, permission: string, { member, time, owner = false }: KeyCall): void {
    const id = version.replace(/\/cryptoKeyVersions\/[^/]+$/, "");
    const key = this.registry.get(KEY, id);
    const bindings = this.registry
      .all(BINDING)
      .filter(({ inputs }) => inputs.cryptoKeyId === id)
      .map(({ inputs }) => inputs as unknown as Binding);
    const context = { time, resourceName: version, resourceType: "cloudkms.googleapis.com/CryptoKeyVersion" };
    const all = [...bindings, ...this.access.projectBindings(projectOf(id))];
    if (!key || !(owner || this.access.holdsPermission(all, member, permission, context)))
      throw new CloudError(
        403,
        "PERMISSION_DENIED",
        `Permission '${permission}' denied on resource '${version}' (or it may not exist).`,
      );
    const first = !key.inputs.skipInitialVersionCreation && version.endsWith("/cryptoKeyVersions/1");
    if (!first && !this.registry.get(VERSION, version)) throw notFound(`CryptoKeyVersion ${version}`);
    if (text(key.inputs, "purpose") !== SIGN)
      throw invalid(`${version} is not enabled for signing: its purpose is another`);
  }
}

/**
 * @throws CloudError 400 as GKE refuses a cluster whose key is not there, is elsewhere, or may not be used by its account
 */
export function checkClusterKey(registry: Registry, key: string, project: string, region: string): void {
  if (!registry.get(KEY, key)) throw invalid(`Cloud KMS key ${key} does not exist.`);
  if (key.split("/")[3] !== region) throw invalid(`Cloud KMS key ${key} must be in the cluster's region ${region}.`);
  const agents = registry
    .all("gcp:projects/serviceIdentity:ServiceIdentity")
    .filter(({ inputs }) => inputs.project === project && inputs.service === "container.googleapis.com")
    .map(({ outputs }) => text(outputs, "member"));
  const allowed = registry
    .all(BINDING)
    .filter(({ inputs }) => inputs.cryptoKeyId === key && /cryptoKeyEncrypterDecrypter$/.test(text(inputs, "role")))
    .flatMap(({ inputs }) => (inputs.members as string[]) ?? []);
  if (!agents.some((agent) => allowed.includes(agent)))
    throw invalid(
      `Cloud KMS key ${key} cannot be used: grant GKE's service agent of project ${project} roles/cloudkms.cryptoKeyEncrypterDecrypter on it.`,
    );
}
