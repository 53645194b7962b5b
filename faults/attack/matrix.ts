/** Tries every cell and holds the answers against the plan's. */
import { randomUUID } from "node:crypto";
import {
  actionsAt,
  administers,
  type Cloud,
  expected,
  expectedMint,
  MINT,
  type Operation,
  type Place,
  type Principal,
  placeName,
  placeOperations,
  type Verdict,
} from "./cells";
import type { Measured, Storage, Target } from "./storage";

/** One cell. */
export interface Cell {
  cloud: Cloud;
  principal: string;
  /** Name of a place; of a token that is to be minted: whose it is; of one that is to be exchanged: the pool's provider. */
  place: string;
  operation: Operation;
  expected: Verdict;
  measured: Measured["verdict"];
  status: number;
  /** It was asked without credentials. */
  anonymous?: true;
  pass: boolean;
  /** What storage said, when it was not what the plan says. */
  said?: string;
}

/** Everybody, everywhere. */
export interface AttackStage {
  principals: readonly Principal[];
  places: readonly Place[];
  storages: Record<Cloud, Storage>;
}

/** What an attempt is aimed at is made anew for it when it may go. */
const DESTROYS: readonly string[] = ["overwrite", "delete", "delete version"];

/** Name of an object that no run before has made: what is there already is replaced, which is another operation. */
const bait = (place: Place) => `${place.prefix}attack/${randomUUID()}`;

/**
 * Runs every cell of these principals. Places are attacked side by side, one attempt at a time in each: policies are put back
 * before the next one is tried. `only` leaves cells out.
 * @throws when nobody may put or find an object to aim at
 */
export async function runMatrix(
  stage: AttackStage,
  tell: (place: Place, cells: readonly Cell[]) => void = () => undefined,
  only: (who: Principal, place: Place) => boolean = () => true,
): Promise<Cell[]> {
  const buckets = [...new Set(stage.places.map(({ cloud, bucket }) => `${cloud} ${bucket}`))];
  const found = await Promise.all(
    buckets.map(async (key) => {
      const cells: Cell[] = [];
      for (const place of stage.places.filter(({ cloud, bucket }) => `${cloud} ${bucket}` === key)) {
        const own = await attackPlace(stage, place, only);
        tell(place, own);
        cells.push(...own);
      }
      return cells;
    }),
  );
  return found.flat();
}

async function attackPlace(
  { principals, storages }: AttackStage,
  place: Place,
  only: (who: Principal, place: Place) => boolean,
): Promise<Cell[]> {
  const storage = storages[place.cloud];
  const who = (what: string, may: (each: Principal) => boolean): Principal => {
    const first = principals.filter(({ cloud }) => cloud === place.cloud).find(may);
    if (!first) throw new Error(`nobody ${what} ${placeName(place)} by the plan: there would be nothing to aim at`);
    return first;
  };
  const writer = who("writes to", (each) => actionsAt(each, place).has("create"));
  const reader = who("lists and reads", (each) => ["get", "list"].every((a) => actionsAt(each, place).has(a as "get")));
  const administrator = principals.find((each) => each.cloud === place.cloud && administers(each, place));
  const target: Target = (await storage.find(reader, place)) ?? (await storage.seed(writer, place, bait(place)));
  const cells: Cell[] = [];
  for (const principal of principals.filter((each) => only(each, place))) {
    for (const operation of placeOperations) {
      const plan = expected(principal, place, operation);
      const gone = DESTROYS.includes(operation) && plan === "allowed";
      const aim = {
        target: gone ? await storage.seed(writer, place, bait(place)) : target,
        fresh: bait(place),
        ...(administrator && { administrator }),
      };
      const measured = await storage.attempt(principal, place, operation, aim);
      cells.push(cellOf(place.cloud, principal, placeName(place), operation, plan, measured));
    }
  }
  return cells;
}

/**
 * Asks everybody's cloud once who they are: whoever comes with a broken or expired token is refused everywhere, which says
 * nothing.
 * @throws naming each who is nobody, or somebody else
 */
export async function identifyAll({ principals, storages }: Omit<AttackStage, "places">): Promise<void> {
  const asked = principals.map(async (who) => {
    const known = await storages[who.cloud].identify(who).catch((error: Error) => error);
    if (known === who.name) return [];
    return [
      known instanceof Error ? `${who.name} is nobody (${known.message})` : `${who.name} is ${known || "nobody"}`,
    ];
  });
  const problems = (await Promise.all(asked)).flat();
  if (problems.length > 0)
    throw new Error(`${problems.length} of ${principals.length} are not who they attack as: ${problems.join("; ")}`);
}

/** Everybody asks for the token of everybody else of the same cloud, once; people have none. */
export async function runMinting({ principals, storages }: Omit<AttackStage, "places">): Promise<Cell[]> {
  const cells: Cell[] = [];
  for (const victim of principals.filter(hasToken))
    for (const who of principals.filter((each) => each.cloud === victim.cloud && each !== victim)) {
      const measured = await storages[who.cloud].mint(who, victim);
      cells.push(cellOf(who.cloud, who, victim.name, MINT, expectedMint(who, victim), measured));
    }
  return cells;
}

/** Whether it is the name of an account of Google, and no person's. */
export const isAccount = (name: string): boolean => name.endsWith(".gserviceaccount.com");
const hasToken = ({ cloud, name }: Principal) => cloud === "aws" || isAccount(name);

/** A cell by what the plan says and what was answered. */
export function cellOf(
  cloud: Cloud,
  { name }: Pick<Principal, "name">,
  place: string,
  operation: Operation,
  plan: Verdict,
  { verdict, status, said, anonymous }: Measured,
): Cell {
  const pass = verdict === plan;
  const answer = { expected: plan, measured: verdict, status, ...(anonymous && { anonymous }), pass };
  return { cloud, principal: name, place, operation, ...answer, ...(pass || !said ? {} : { said }) };
}

/** A bucket that somebody can empty, and the strongest there of those who can. */
export interface Reached {
  bucket: string;
  by: string;
}

/**
 * The buckets that some principals can empty by what storage answered them: whoever may give itself everything comes before
 * whoever may only delete.
 */
export function reached(cells: readonly Cell[], among: readonly Principal[], places: readonly Place[]): Reached[] {
  const names = among.map(({ name }) => name);
  const worth: Partial<Record<Operation, number>> = { "grant to oneself": 2, "delete version": 1 };
  const best = new Map<string, Reached & { worth: number }>();
  for (const { principal, place, operation, measured } of cells) {
    const found = worth[operation] ?? 0;
    const bucket = places.find((each) => placeName(each) === place)?.bucket;
    if (measured !== "allowed" || found === 0 || bucket === undefined || !names.includes(principal)) continue;
    if (found > (best.get(bucket)?.worth ?? 0)) best.set(bucket, { bucket, by: principal, worth: found });
  }
  return [...best.values()].map(({ bucket, by }) => ({ bucket, by }));
}
