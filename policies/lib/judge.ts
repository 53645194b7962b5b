/** What a preview cannot know yet is judged in the update that follows; what cannot be read is a violation. */

/** A value that should be of some form and is not. */
export class MalformedError extends Error {}

/** Is this what reading a value throws that a preview does not know yet? */
function isUnknown(error: unknown): boolean {
  return error instanceof Error && "unknownTypeSentinel" in error;
}

/**
 * Problems of each thing. A thing with a value that is not known yet has none for now; one that cannot be read has that as
 * its problem. One thing that cannot be judged never keeps the others from it.
 */
export function judge<T>(things: Iterable<T>, problems: (thing: T) => string[]): string[] {
  return [...things].flatMap((thing) => {
    try {
      return problems(thing);
    } catch (error) {
      if (isUnknown(error)) return [];
      if (error instanceof MalformedError) return [error.message];
      throw error;
    }
  });
}

/** Properties of which not one is known. */
export function notKnown(): Record<string, unknown> {
  const refuse = () => {
    throw Object.assign(new Error("not known during a preview"), { unknownTypeSentinel: "" });
  };
  return new Proxy({}, { get: refuse, has: refuse, ownKeys: refuse });
}
