/** Rules as pure functions over declared resources, and how the policy engine calls them. */
import type {
  EnforcementLevel,
  PolicyProviderResource,
  PolicyResourceOptions,
  ResourceValidationPolicy,
  StackValidationPolicy,
} from "@pulumi/policy";
import type { DisasterId } from "../../plan/objectives";
import type { SystemId } from "../../plan/systems";
import { judge, notKnown } from "./judge";

/** A row of the plan: a system that it protects or a disaster that it answers. */
export type PlanRow = SystemId | DisasterId;

/** A resource as a program declares it. */
export interface Declared {
  /** Pulumi type token. */
  type: string;
  /** Pulumi name. */
  name: string;
  props: Record<string, unknown>;
  protect: boolean;
  /** Cluster that a Kubernetes object is in, as `projects/P/locations/L/clusters/N`; undefined for everything else. */
  cluster?: string;
  /** Id in the cloud, once it is known. */
  id?: string;
}

interface Described {
  /** Name of the rule's file as well. */
  name: string;
  description: string;
  /** Rows of the plan that it enforces; every violation names them. */
  plan: readonly [PlanRow, ...PlanRow[]];
  /** `advisory` only warns. Default: mandatory, a violation stops the preview. */
  level?: Extract<EnforcementLevel, "advisory" | "mandatory">;
}

/** A rule about single resources. An empty answer means that it holds. */
export interface ResourceRule extends Described {
  /** Type tokens it looks at, or what tells whether it looks at one. */
  types: readonly string[] | ((type: string) => boolean);
  check(resource: Declared): string[];
}

/** A rule about resources together. It judges each subject by itself with {@link judge}. */
export interface StackRule extends Described {
  checkStack(resources: Declared[]): string[];
}

export type Rule = ResourceRule | StackRule;

/** Does the rule look at resources of this type? */
export function concerns({ types }: ResourceRule, type: string): boolean {
  return typeof types === "function" ? types(type) : types.includes(type);
}

/** Violations of a rule, each naming the plan's rows, e.g. `S2, D5: second copies …`. */
export function violations(rule: Rule, resources: Declared[]): string[] {
  const found =
    "checkStack" in rule
      ? judge([resources], (all) => rule.checkStack(all))
      : judge(
          resources.filter(({ type }) => concerns(rule, type)),
          (resource) => rule.check(resource),
        );
  return found.map((message) => `${rule.plan.join(", ")}: ${message}`);
}

/** The rule as a policy of the engine. */
export function policyOf(rule: Rule): ResourceValidationPolicy | StackValidationPolicy {
  const { name, description, level = "mandatory" } = rule;
  const policy = { name, description: `${description} (${rule.plan.join(", ")})`, enforcementLevel: level };
  if ("checkStack" in rule) {
    return {
      ...policy,
      validateStack: ({ resources }, report) => {
        for (const message of violations(rule, resources.map(declared))) report(message);
      },
    };
  }
  return {
    ...policy,
    validateResource: (args, report) => {
      for (const message of violations(rule, [declared(args)])) report(message);
    },
  };
}

/** What the engine tells of a resource. */
interface EngineResource {
  type: string;
  name: string;
  props: Record<string, unknown>;
  opts: PolicyResourceOptions;
  provider?: PolicyProviderResource;
}

function declared({ type, name, props, opts, provider }: EngineResource): Declared {
  // In a preview without its cluster nothing is known of an object, not even what the program said.
  const blank = type.startsWith("kubernetes:") && Object.keys(props).length === 0;
  const known = blank ? notKnown() : props;
  return {
    type,
    name,
    props: known,
    protect: opts.protect,
    ...placed(type, provider),
    ...("id" in props && { id: idOf(props) }),
  };
}

function placed(type: string, provider?: PolicyProviderResource): Pick<Declared, "cluster"> {
  if (!type.startsWith("kubernetes:") || !provider) return {};
  const [cluster] = judge([provider], ({ props }) => [String(props.clusterIdentifier ?? provider.name)]);
  return { cluster: cluster ?? provider.name };
}

function idOf(props: Record<string, unknown>): string | undefined {
  return judge([props], ({ id }) => [String(id)])[0];
}
