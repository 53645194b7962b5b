/** Rules as pure functions over declared resources, and how the policy engine calls them. */
import type { PolicyResourceOptions, ResourceValidationPolicy, StackValidationPolicy } from "@pulumi/policy";

/** A resource as a program declares it. */
export interface Declared {
  /** Pulumi type token. */
  type: string;
  /** Pulumi name. */
  name: string;
  props: Record<string, unknown>;
  protect: boolean;
}

/** A rule about single resources. An empty answer means that it holds. */
export interface ResourceRule {
  name: string;
  description: string;
  /** Type tokens it looks at. */
  types: readonly string[];
  check(resource: Declared): string[];
}

/** A rule about resources together. */
export interface StackRule {
  name: string;
  description: string;
  checkStack(resources: Declared[]): string[];
}

export type Rule = ResourceRule | StackRule;

const declared = (
  type: string,
  name: string,
  props: Record<string, unknown>,
  opts: PolicyResourceOptions,
): Declared => ({ type, name, props, protect: opts.protect });

/** The rule as a mandatory policy. */
export function policyOf(rule: Rule): ResourceValidationPolicy | StackValidationPolicy {
  const { name, description } = rule;
  if ("checkStack" in rule) {
    return {
      name,
      description,
      enforcementLevel: "mandatory",
      validateStack: (args, report) => {
        const resources = args.resources.map((each) => declared(each.type, each.name, each.props, each.opts));
        for (const message of rule.checkStack(resources)) report(message);
      },
    };
  }
  return {
    name,
    description,
    enforcementLevel: "mandatory",
    validateResource: (args, report) => {
      if (!rule.types.includes(args.type)) return;
      for (const message of rule.check(declared(args.type, args.name, args.props, args.opts))) report(message);
    },
  };
}
