/** What the attack needs of a storage: to ask it as somebody, whatever the answer, and to read that as a verdict. */
import type { Place, PlaceOperation, Principal, Verdict } from "./cells";

/** What storage said. */
export interface Answer {
  status: number;
  body: string;
}

/** An object that an attempt is aimed at. */
export interface Target {
  name: string;
  /** Its generation, or id of its version. */
  version: string;
}

/** An answer as a verdict; "unclear" when the request never met the storage's decision, such as 404, 500 or a broken token. */
export interface Measured {
  verdict: Verdict | "unclear";
  status: number;
  /** It was asked without credentials, as by whoever lives on the other cloud. */
  anonymous?: true;
  /** The first words of a refusal. */
  said: string;
}

/** One cloud's storage. Everything is asked as the principal by its own credentials. */
export interface Storage {
  /** Puts an object of a place's, by somebody who may. @throws when it was refused */
  seed(who: Principal, place: Place, name: string): Promise<Target>;
  /** The first object below the place's prefix; undefined: there is none. @throws when it was refused */
  find(who: Principal, place: Place): Promise<Target | undefined>;
  /**
   * Tries it. What an administrator changes is put back by the one who is given.
   * @param fresh name for an object that is not there yet
   */
  attempt(
    who: Principal,
    place: Place,
    operation: PlaceOperation,
    aim: { target: Target; fresh: string; administrator?: Principal },
  ): Promise<Measured>;
  /** Who the cloud says that somebody of its own is. @throws with the cloud's words when it knows nobody by these credentials */
  identify(who: Principal): Promise<string>;
  /** Asks for the token, or the credentials, of somebody else of the same cloud. */
  mint(who: Principal, victim: Principal): Promise<Measured>;
}

const SAID = 200;

/**
 * Codes of AWS for credentials that it cannot tie to anybody: mostly with status 403, as a refusal has it. Source: "Error responses"
 * of S3, "Common errors" of STS.
 */
const UNKNOWN_CALLER =
  /\b(InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|ExpiredTokenException|InvalidToken|InvalidClientTokenId|IncompleteSignature|RequestTimeTooSkewed)\b/;

/**
 * Reads an answer.
 * @param kept whether a refusal is that of a retention or lock
 * @param anonymous it was asked without credentials. With some, whoever is not known was not refused: nobody was judged
 */
export function measured({ status, body }: Answer, kept: (body: string) => boolean, anonymous = false): Measured {
  const said = status < 300 ? "" : body.replace(/\s+/g, " ").slice(0, SAID);
  const as = (verdict: Measured["verdict"]): Measured => ({ verdict, status, said, ...(anonymous && { anonymous }) });
  if (status >= 200 && status < 300) return as("allowed");
  // Both say that they would, and that buckets are changed by their declarations here.
  if (status === 501) return as("allowed");
  if (status !== 401 && status !== 403) return as("unclear");
  if (!anonymous && (status === 401 || UNKNOWN_CALLER.test(body))) return as("unclear");
  return as(kept(body) ? "protected" : "refused");
}
