/**
 * The Google Cloud provider of the sandbox: inputs are checked and compared here, along the table of the real provider's
 * schema; resources live in the sandbox's control plane.
 */
import type { ControlClient } from "../../cloud/api";
import { CloudError, type Props } from "../../lib/types";
import type { CheckFailure, DiffResult, Provider, ResourceRef } from "../provider";
import { cloudInputs, DEFAULTS } from "../shape/defaults";
import { mustBeKnown, previewUpdate, unknownOutputs } from "../shape/preview";
import type { ResourceType } from "../shape/table";
import { checkShape } from "./check";
import { diffInputs } from "./diff";
import { keepsExplicitName, type Locations, withDefaults } from "./names";
import { checkRules } from "./rules";
import { packageVersion, resourceType } from "./table";

/** Outputs that every update may change. */
const VOLATILE = ["etag", "updated", "fingerprint", "labelFingerprint", "effectiveLabels", "pulumiLabels"];

/** The provider, with a client of the control plane and the environment its configuration falls back to. */
export function gcpProvider(control: ControlClient, env: NodeJS.ProcessEnv): Provider {
  let config: Props = {};

  const setting = (name: string, ...variables: string[]): string | undefined =>
    [config[name], ...variables.map((variable) => env[variable])].find(
      (value): value is string => typeof value === "string" && value !== "",
    );
  const locations = (): Locations => ({
    project: setting("project", "GOOGLE_PROJECT", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT"),
    region: setting("region", "GOOGLE_REGION", "GCLOUD_REGION", "CLOUDSDK_COMPUTE_REGION"),
    zone: setting("zone", "GOOGLE_ZONE", "GCLOUD_ZONE", "CLOUDSDK_COMPUTE_ZONE"),
  });
  const caller = () =>
    setting("impersonateServiceAccount", "GOOGLE_IMPERSONATE_SERVICE_ACCOUNT") ?? "deployer@sandbox.example";

  return {
    name: "gcp",
    version: packageVersion,
    schema: () => "{}",

    async configure(inputs) {
      config = inputs;
    },

    async check(req) {
      const { key, type } = known(req.type);
      const inputs = withDefaults(key, type.properties, req, locations());
      const checked = cloudInputs(inputs);
      const failures = checkShape(type, checked);
      // Rules presume the right shape; one mistake should not be reported twice.
      if (failures.length > 0) return { inputs, failures };
      return { inputs, failures: [...missingLocation(key, type, checked), ...checkRules(key, checked)] };
    },

    async diff(req): Promise<DiffResult> {
      const { key, type } = known(req.type);
      const diff = diffInputs(type, cloudInputs(req.oldInputs), cloudInputs(req.news));
      return {
        ...diff,
        deleteBeforeReplace: diff.replaces.length > 0 && keepsExplicitName(key, req.oldInputs, req.news),
      };
    },

    async create(req) {
      const { type } = known(req.type);
      const inputs = cloudInputs(req.inputs);
      if (req.preview) return { id: "", outputs: { ...unknownOutputs(type), ...inputs } };
      mustBeKnown(req, inputs);
      const { id, outputs } = await cloud(`creating ${req.name}`, () =>
        control.create(req.type, req.name, inputs, caller()),
      );
      return { id, outputs: { ...inputs, ...outputs } };
    },

    async read(req) {
      known(req.type);
      // `pulumi import` takes bindings with blanks between their parts; the state has slashes.
      const id = req.id.replaceAll(" ", "/");
      const found = await cloud(`reading ${req.name}`, () => control.read(req.type, id));
      if (!found) return undefined;
      const inputs = { ...found.inputs, [DEFAULTS]: req.inputs[DEFAULTS] ?? [] };
      return { id, inputs, outputs: { ...found.inputs, ...found.outputs } };
    },

    async update(req) {
      const inputs = cloudInputs(req.news);
      if (req.preview) return previewUpdate(req.oldInputs, req.oldOutputs, inputs, VOLATILE);
      mustBeKnown(req, inputs);
      const outputs = await cloud(`updating ${req.name}`, () => control.update(req.type, req.id, inputs, caller()));
      return { ...inputs, ...outputs };
    },

    async delete(req) {
      if (req.inputs.deletionPolicy === "ABANDON") return;
      refuseProtected(req);
      await cloud(`deleting ${req.name}`, async () => {
        if (await control.read(req.type, req.id)) await control.delete(req.type, req.id, caller());
      });
    },

    async invoke(token, args) {
      return { outputs: await cloud(`calling ${token}`, () => control.invoke(token, args, caller())) };
    },
  };
}

/** The type in the table, or a refusal that says how to add it. */
function known(token: string): { key: string; type: ResourceType } {
  const type = resourceType(token);
  if (type) return { key: token.replace(/^gcp:/, ""), type };
  throw new Error(
    `the sandbox does not know ${token}; ` +
      "add it to resourceTypes in sandbox/providers/gcp/generate.ts, run that, and give it a behaviour in sandbox/cloud",
  );
}

/** The API needs a place although the schema lets the provider's configuration give it. */
function missingLocation(key: string, type: ResourceType, inputs: Props): CheckFailure[] {
  const needed = ["project", "region", ...(key === "container/cluster:Cluster" ? ["location"] : [])];
  // A node pool takes both from its cluster's id.
  if (key === "container/nodePool:NodePool") return [];
  return needed
    .filter((property) => property in type.properties && (inputs[property] ?? "") === "")
    .map((property) => ({
      property,
      reason: `${property}: required field is not set: set it here or in the provider's configuration`,
    }));
}

/** The provider, not the API, guards clusters and whatever has a deletion policy; a cluster is guarded by default. */
function refuseProtected(req: ResourceRef & { inputs: Props }): void {
  if (req.type === "gcp:container/cluster:Cluster" && req.inputs.deletionProtection !== false) {
    throw new Error(
      `cannot destroy cluster ${req.name} without setting deletionProtection=false and running \`pulumi up\``,
    );
  }
  if (req.inputs.deletionPolicy === "PREVENT") {
    throw new Error(`cannot destroy ${req.name} while its deletionPolicy is PREVENT; set DELETE and run \`pulumi up\``);
  }
}

/** Words a refusal of the cloud as the real provider does. */
async function cloud<T>(doing: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof CloudError)) throw error;
    throw new Error(`error ${doing}: googleapi: Error ${error.status}: ${error.message}, ${error.reason}`);
  }
}
