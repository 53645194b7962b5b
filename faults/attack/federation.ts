/**
 * The only way from the standby on AWS into Google Cloud: the token of a Kubernetes account of its cluster is exchanged at a
 * workload identity pool, and what comes of it asks for the token of a Google account. Every account of the cluster tries
 * both, everywhere.
 */
import { accountId } from "../../plan/identities";
import { kubernetesSubject, serviceAccountEmail } from "../../plan/names";
import { type StandbyReaderId, standbySubject } from "../../plan/state";
import { EXCHANGE, MINT, type Verdict } from "./cells";
import { type Cell, cellOf } from "./matrix";
import { type Answer, measured } from "./storage";

/** A pool that trusts the standby's cluster. */
export interface Pool {
  /** Full name of its provider, `projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER`. */
  provider: string;
  project: string;
  /** Rows of the matrix that it lets in; their accounts are in its project. */
  lets: readonly StandbyReaderId[];
}

/** A Kubernetes account of the standby's cluster. */
export interface KubernetesSubject {
  namespace: string;
  name: string;
}

/** Asks Google's STS and IAM credentials. */
export interface FederationClient {
  /** Exchanges a token of the account that is made for the provider. `token` is what came of it. */
  exchange(subject: KubernetesSubject, provider: string): Promise<Answer & { token?: string }>;
  mint(token: string, email: string): Promise<Answer>;
}

/** The row as which a pool lets a subject in; undefined: it does not. */
const rowOf = (subject: KubernetesSubject, { lets }: Pool) =>
  lets.find((row) => standbySubject[row] === kubernetesSubject(subject));

/** Every subject at every pool, and whoever is let in at every account. */
export async function runFederation(
  client: FederationClient,
  subjects: readonly KubernetesSubject[],
  pools: readonly Pool[],
  accounts: readonly string[],
): Promise<Cell[]> {
  const cells: Cell[] = [];
  for (const pool of pools)
    for (const subject of subjects) {
      const who = { name: `standby: ${subject.namespace}/${subject.name}` };
      const row = rowOf(subject, pool);
      const free = (given: boolean): Verdict => (given ? "allowed" : "refused");
      const { token, ...answer } = await client.exchange(subject, pool.provider);
      const exchanged = measured(answer, () => false);
      cells.push(cellOf("aws", who, pool.provider, EXCHANGE, free(row !== undefined), exchanged));
      if (token === undefined) continue;
      const own = row && serviceAccountEmail(accountId(row), pool.project);
      for (const email of accounts) {
        const minted = measured(await client.mint(token, email), () => false);
        cells.push(cellOf("aws", who, email, MINT, free(email === own), minted));
      }
    }
  return cells;
}
