/** The buckets and bindings that the stacks declare, on the storage that does what Google's does, for tests of the matrix. */
import { FOUNDATION, PROD, VAULT } from "../../drill/config";
import type { BootstrapConfig, FoundationConfig, SiteConfig, VaultConfig } from "../../stacks/config";
import { parsed } from "../../stacks/config/testing";
import { declared, MARKER_KEY } from "../../tests/lib/declared";
import { type Declared, type GatewayStage, Refused, startGatewayStage } from "../stage";
import type { Principal } from "./cells";
import {
  attackedFoundation,
  attackedSite,
  attackedVault,
  BOOTSTRAP,
  bootstrapConfig,
  googlePlaces,
  known,
  people,
  VAULT_BOOTSTRAP,
  vaultBootstrapConfig,
} from "./config";
import { GcsAttack, NOBODY } from "./gcs";
import type { AttackStage } from "./matrix";
import { accountPrincipal } from "./principals";
import type { Storage } from "./storage";

/** Google's half under attack. */
export interface DeclaredAttack extends AttackStage {
  gateway: GatewayStage;
  /** What each stack declares. */
  stacks: Record<string, readonly Declared[]>;
}

/** The programs of Google's stacks under attack, in the order they come up. */
export async function googlePrograms(): Promise<[stack: string, program: () => unknown][]> {
  const until = new Date(Date.now() + 3600_000);
  const { foundation } = await import("../../stacks/foundation");
  const { vault } = await import("../../stacks/vault");
  const { site } = await import("../../stacks/site");
  const { bootstrap } = await import("../../stacks/bootstrap");
  return [
    [BOOTSTRAP, () => bootstrap(parsed(bootstrapConfig(), BOOTSTRAP) as BootstrapConfig, BOOTSTRAP)],
    [
      VAULT_BOOTSTRAP,
      () => bootstrap(parsed(vaultBootstrapConfig(), VAULT_BOOTSTRAP) as BootstrapConfig, VAULT_BOOTSTRAP),
    ],
    [VAULT, () => vault(parsed(attackedVault(until, true), VAULT) as VaultConfig)],
    [PROD, () => site(parsed(attackedSite([MARKER_KEY]), PROD) as SiteConfig, "token")],
    [FOUNDATION, () => foundation(parsed(attackedFoundation(until, true), FOUNDATION) as FoundationConfig)],
  ];
}

/** Declares everything; nobody's credentials are of AWS here. */
export async function openDeclaredAttack(): Promise<DeclaredAttack> {
  const gateway = await startGatewayStage();
  const stacks: Record<string, readonly Declared[]> = {};
  const principals: Principal[] = [...people];
  for (const [stack, program] of await googlePrograms()) {
    const { resources } = await declared(program, stack);
    stacks[stack] = resources;
    await gateway.declare(resources);
    await gateway.bind(resources);
    for (const { type, inputs } of resources)
      if (type === "gcp:serviceaccount/account:Account")
        principals.push(
          accountPrincipal(`${inputs.accountId}@${inputs.project}.iam.gserviceaccount.com`, stack, known),
        );
  }
  return { gateway, stacks, principals, places: googlePlaces(false), storages: { gcp: storageOf(gateway), aws: none } };
}

const nobody = () => Promise.reject(new Error("there is no S3 here"));
const none: Storage = { seed: nobody, find: nobody, attempt: nobody, identify: nobody, mint: nobody };

function storageOf(gateway: GatewayStage): Storage {
  return new GcsAttack({
    async send(email, { method, path, body }) {
      if (email === NOBODY) return { status: 401, body: "" };
      try {
        return { status: 200, body: await gateway.call(email, method, path, body) };
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        return { status: error.status, body: error.message };
      }
    },
    whoami: async (email) => ({ status: 200, body: JSON.stringify({ email }) }),
    mint: async (email, victim) => ({ status: gateway.mayActAs(email, victim) ? 200 : 403, body: "" }),
  });
}
