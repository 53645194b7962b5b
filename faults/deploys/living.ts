/** What lives in a cloud, and whether it is what should: as sets, so that something too much never hides something missing. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { LocalProject } from "../../tests/lib/local-project";

/** A resource of the cloud or of a state. */
export interface Living {
  type: string;
  id: string;
}

/** A state as `pulumi stack export` has it, as far as it is read here. */
export interface Exported {
  deployment: { resources?: (Partial<Living> & { custom?: boolean })[] };
}

/** A resource as one word, by which sets of them are compared. */
export const keyOf = ({ type, id }: Living): string => `${type} ${id}`;

/** What lives in a project's cloud. */
export const living = ({ cloud }: Pick<LocalProject, "cloud">): Living[] =>
  (JSON.parse(readFileSync(join(cloud.dir, "resources.json"), "utf8")) as { resources: Living[] }).resources;

/** What a state says that lives: neither components nor providers, which are in no cloud. */
export const livingByState = ({ deployment }: Exported): Living[] =>
  (deployment.resources ?? []).flatMap(({ type = "", id = "", custom }) =>
    custom && !type.startsWith("pulumi:") ? [{ type, id }] : [],
  );

/**
 * How much lives that should not, and how much does not that should.
 * @param wanted how many resources should live. Default: as many as `should` names
 * @throws when `should` itself does not name as many
 */
export function compared(
  should: readonly Living[],
  lives: readonly Living[],
  wanted = should.length,
): { twice: number; missing: number } {
  const [expected, found] = [should, lives].map((each) => new Set(each.map(keyOf))) as [Set<string>, Set<string>];
  if (expected.size !== wanted)
    throw new Error(
      `the state has ${expected.size} resources; allowed: ${wanted}, each that the program declares, once. See which by pulumi stack export`,
    );
  const without = (those: Set<string>, others: Set<string>) => [...those].filter((each) => !others.has(each)).length;
  return { twice: without(found, expected), missing: without(expected, found) };
}
