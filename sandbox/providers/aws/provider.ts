/**
 * The AWS provider of the sandbox: inputs are checked and compared here, along the table of the real package's declarations;
 * resources live in the sandbox's control plane.
 */
import type { ControlClient } from "../../cloud/api";
import { CloudError, type Props } from "../../lib/types";
import type { CheckFailure, DiffResult, Provider } from "../provider";
import { checkShape } from "../shape/check";
import { cloudInputs, DEFAULTS, fillDefaults, keepsName } from "../shape/defaults";
import { diffInputs } from "../shape/diff";
import { mustBeKnown, previewUpdate, unknownOutputs } from "../shape/preview";
import type { ResourceType } from "../shape/table";
import { isRecord, isUnknown, UNKNOWN } from "../values";
import { autoNames } from "./names";
import { isAwsRegion } from "./regions";
import { checkRules } from "./rules";
import { objectType, packageVersion, resourceType } from "./table";

/** Outputs that every update may change. */
const VOLATILE = ["tagsAll", "versionId", "etag"];
/** Account of whoever deploys without a role and without allowed accounts. */
const ACCOUNT = "123456789012";
/** Guards that the provider, not the API, keeps when something is to be deleted. */
const GUARDS = ["deletionProtection", "enableDeletionProtection"];

/** The provider, with a client of the control plane and the environment its configuration falls back to. */
export function awsProvider(control: ControlClient, env: NodeJS.ProcessEnv): Provider {
  let config: Props = {};

  const region = (): string | undefined =>
    [config.region, env.AWS_REGION, env.AWS_DEFAULT_REGION].find(
      (value): value is string => typeof value === "string" && value !== "",
    );
  /** The role that deploys: the last one taken, or the deployer of the account that is allowed. */
  const caller = (): string => {
    const roles = list(config.assumeRoles).map((each) => (isRecord(each) ? String(each.roleArn ?? "") : ""));
    const [account = ACCOUNT] = list(config.allowedAccountIds) as string[];
    return roles.at(-1) || env.SANDBOX_AWS_ROLE || `arn:aws:iam::${account}:role/deployer`;
  };
  const tagged = (type: ResourceType, inputs: Props): Props => {
    if (!("tags" in type.properties)) return {};
    const { tags = {} } = parsed(config.defaultTags) as { tags?: Props };
    return { tagsAll: { ...tags, ...(inputs.tags as Props | undefined) } };
  };

  return {
    name: "aws",
    version: packageVersion,
    schema: () => "{}",

    async configure(inputs) {
      config = inputs;
    },

    async checkConfig(news) {
      const failures: CheckFailure[] = [];
      if (typeof news.region === "string" && !isUnknown(news.region) && !isAwsRegion(news.region))
        failures.push({
          property: "region",
          reason: `"${news.region}" is not a region of AWS; write e.g. "eu-west-1"`,
        });
      const accounts = list(news.allowedAccountIds)
        .filter((each) => !isUnknown(each))
        .map(String);
      const wrong = accounts.find((each) => !/^\d{12}$/.test(each));
      if (wrong !== undefined)
        failures.push({ property: "allowedAccountIds", reason: `"${wrong}" is no account: write its twelve digits` });
      for (const each of list(news.assumeRoles)) {
        const account = isRecord(each) ? (/^arn:aws:iam::(\d{12}):/.exec(String(each.roleArn))?.[1] ?? "") : "";
        if (accounts.length > 0 && account && !accounts.includes(account))
          failures.push({ property: "allowedAccountIds", reason: `AWS account ID not allowed: ${account}` });
      }
      return failures;
    },

    async check(req) {
      const { key, type } = known(req.type);
      const inputs = fillDefaults(type.properties, req, autoNameOf(key, req.news), { region: region() });
      const checked = cloudInputs(inputs);
      const failures = checkShape(type, checked, objectType);
      // Rules presume the right shape; one mistake should not be reported twice.
      if (failures.length > 0) return { inputs, failures };
      return { inputs, failures: [...missingRegion(type, checked), ...checkRules(key, checked)] };
    },

    async diff(req): Promise<DiffResult> {
      const { key, type } = known(req.type);
      const diff = diffInputs(type, cloudInputs(req.oldInputs), cloudInputs(req.news), objectType);
      const replaced = diff.replaces.length > 0;
      return { ...diff, deleteBeforeReplace: replaced && keepsName(autoNames[key], req.oldInputs, req.news) };
    },

    async create(req) {
      const { type } = known(req.type);
      const inputs = cloudInputs(req.inputs);
      const tags = tagged(type, inputs);
      if (req.preview)
        return { id: "", outputs: { ...unknownOutputs(type), ...tags, ...withComputed(req.type, inputs) } };
      mustBeKnown(req, inputs);
      const { id, outputs } = await cloud(`creating ${req.name}`, () =>
        control.create(req.type, req.name, inputs, caller()),
      );
      return { id, outputs: { ...inputs, ...visible(outputs), ...tags } };
    },

    async read(req) {
      const { type } = known(req.type);
      const found = await cloud(`reading ${req.name}`, () => control.read(req.type, req.id));
      if (!found) return undefined;
      const inputs = { ...found.inputs, [DEFAULTS]: req.inputs[DEFAULTS] ?? [] };
      return {
        id: req.id,
        inputs,
        outputs: { ...found.inputs, ...visible(found.outputs), ...tagged(type, found.inputs) },
      };
    },

    async update(req) {
      const { type } = known(req.type);
      const inputs = cloudInputs(req.news);
      const tags = tagged(type, inputs);
      if (req.preview) {
        const known = withComputed(req.type, inputs, req.oldOutputs);
        return { ...previewUpdate(req.oldInputs, req.oldOutputs, inputs, VOLATILE), ...known, ...tags };
      }
      mustBeKnown(req, inputs);
      const outputs = await cloud(`updating ${req.name}`, () => control.update(req.type, req.id, inputs, caller()));
      return { ...inputs, ...visible(outputs), ...tags };
    },

    async delete(req) {
      const guard = GUARDS.find((name) => req.inputs[name] === true);
      if (guard)
        throw new Error(`cannot delete ${req.name} while its ${guard} is on; set it to false and run \`pulumi up\``);
      await cloud(`deleting ${req.name}`, async () => {
        if (await control.read(req.type, req.id)) await control.delete(req.type, req.id, caller());
      });
    },

    async invoke(token, args) {
      const where = region();
      const placed = args.region === undefined && where !== undefined ? { ...args, region: where } : args;
      return { outputs: await cloud(`invoking ${token}`, () => control.invoke(token, placed, caller())) };
    },
  };
}

/** Outputs that the cloud computes within an input, by resource type. */
const COMPUTED: Record<string, Record<string, string[]>> = {
  "aws:eks/cluster:Cluster": { vpcConfig: ["clusterSecurityGroupId", "vpcId"] },
};

/** Inputs with what the cloud computes within them: what it was, or not known yet. */
function withComputed(type: string, inputs: Props, olds: Props = {}): Props {
  const parts = Object.entries(COMPUTED[type] ?? {}).flatMap(([property, names]) => {
    const value = inputs[property];
    if (!isRecord(value)) return [];
    const old = olds[property];
    const computed = names.map((name) => [name, (isRecord(old) ? old[name] : undefined) ?? UNKNOWN] as const);
    return [[property, { ...Object.fromEntries(computed), ...value }] as const];
  });
  return { ...inputs, ...Object.fromEntries(parts) };
}

/** The type in the table, or a refusal that says how to add it. */
function known(token: string): { key: string; type: ResourceType } {
  const type = resourceType(token);
  if (type) return { key: token.replace(/^aws:/, ""), type };
  throw new Error(
    `the sandbox does not know ${token}; ` +
      "add it to sandbox/providers/aws/replacements.ts, run generate.ts there, and give it a behaviour in sandbox/cloud/aws",
  );
}

/** A name is made only where the program gives neither the name nor what it begins with. */
const autoNameOf = (key: string, news: Props) =>
  news.namePrefix === undefined && news.bucketPrefix === undefined && news.nodeGroupNamePrefix === undefined
    ? autoNames[key]
    : undefined;

function missingRegion(type: ResourceType, inputs: Props): CheckFailure[] {
  if (!("region" in type.properties) || inputs.region !== undefined) return [];
  return [
    { property: "region", reason: "Missing region configuration: set aws:region, or region of the provider or here" },
  ];
}

/** A list of the configuration: the SDK sends lists as JSON text. */
function list(value: unknown): unknown[] {
  const read = parsed(value);
  return Array.isArray(read) ? read : [];
}

function parsed(value: unknown): unknown {
  if (typeof value !== "string") return value ?? {};
  try {
    return JSON.parse(value);
  } catch {
    return {};
  }
}

/** Outputs without what the control plane keeps for itself. */
const visible = (outputs: Props): Props =>
  Object.fromEntries(Object.entries(outputs).filter(([name]) => !name.startsWith("__")));

/** Words a refusal of the cloud as the real provider does. */
async function cloud<T>(doing: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof CloudError)) throw error;
    throw new Error(
      `${doing}: https response error StatusCode: ${error.status}, api error ${error.reason}: ${error.message}`,
    );
  }
}
