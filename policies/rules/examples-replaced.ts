import { isDrillProject } from "../../plan/names";
import { judge } from "../lib/judge";
import type { Declared, StackRule } from "../lib/rule";
import { shown, textsIn } from "../lib/values";

/** What this repository's stack files say where only the cloud or a person knows the value, and what takes its place. */
const examples: { pattern: RegExp; fix: string }[] = [
  // A name that belongs to nobody. Source: RFC 2606.
  { pattern: /[\w.-]+@example\.com/, fix: "name whoever is on call" },
  // Nobody's network. Source: RFC 5737.
  { pattern: /^192\.0\.2\.\d{1,3}(\/\d+)?$/, fix: "set your own networks, or the foundation's address" },
  { pattern: /AEr9IiyIOPjZCmjeL2Y740v3/, fix: "set the vault's output markerKeys" },
];

/**
 * A stack that was brought up with an example tells nobody of an incident, lets nobody in, or believes no copy. A warning and no
 * refusal, once for each value: what fills some of them is another stack's output, which is not there on the first day.
 */
export const examplesReplaced: StackRule = {
  name: "examples-replaced",
  description: "Addresses, networks and keys are somebody's own, not the examples of the repository's stack files",
  plan: ["S4", "S7", "D4"],
  level: "advisory",
  checkStack: (resources) => {
    const found = new Map<string, { fix: string; users: Set<string> }>();
    judge(resources, (each) => {
      for (const text of isDrill(each) ? [] : textsIn(each.props))
        for (const { pattern, fix } of examples) {
          const value = pattern.exec(text)?.[0];
          if (value === undefined) continue;
          const { users } = found.get(value) ?? { users: new Set<string>() };
          found.set(value, { fix, users: users.add(each.name) });
        }
      return [];
    });
    return [...found].map(
      ([
        value,
        {
          fix,
          users: { size },
        },
      ]) =>
        `${shown(value)} of ${size === 1 ? "one resource" : `${size} resources`} is an example; ${fix} (docs/runbooks/bootstrap.md)`,
    );
  },
};

/** Drills have nobody to tell and no network of their own. */
function isDrill({ props }: Declared): boolean {
  return [props.project, props.bucket, props.name].some((name) => isDrillProject(String(name)));
}
