/**
 * The drill of D5: every stack comes up, everybody tries everything everywhere, the strongest identity of production wipes
 * whatever it reaches, and all of it comes back from what it could not reach.
 */
import type { Stack } from "@pulumi/pulumi/automation";
import { jobEnds, kubeConfig } from "../../drill/clusters";
import {
  FOUNDATION,
  MEDIA_BUCKETS,
  PRIMARY_BUCKET,
  PROD,
  PROD_PROJECT,
  REBUILD,
  SMALL,
  VAULT,
  VAULT_PROJECT,
} from "../../drill/config";
import { Drill } from "../../drill/drill";
import { Media } from "../../drill/media";
import { runVaultJob } from "../../drill/night";
import type { Phase } from "../../drill/phases";
import { down, SANDBOX_DIR } from "../../drill/sandbox";
import { forget, openStack, serviceAccounts, setConfig, stateOf, up } from "../../drill/workspace";
import { mediaJobName, mediaRestoreJobName } from "../../plan/media";
import { namespaces } from "../../plan/names";
import { standbyRegion } from "../../plan/standby";
import { standbyPool } from "../../plan/state";
import type { Principal } from "./cells";
import { sandboxFederation, sandboxStorages, subjectsOf } from "./clients";
import {
  attackedFoundation,
  attackedSite,
  attackedVault,
  BOOTSTRAP,
  BOOTSTRAP_PROJECT,
  bootstrapConfig,
  googlePlaces,
  known,
  onCall,
  people,
  pipelineRoles,
  rebuiltSite,
  STANDBY,
  standbyConfig,
  standbyPlaces,
  VAULT_BOOTSTRAP,
  vaultBootstrapConfig,
  withRestores,
} from "./config";
import { type Pool, runFederation } from "./federation";
import {
  type AttackStage,
  type Cell,
  identifyAll,
  isAccount,
  type Reached,
  reached,
  runMatrix,
  runMinting,
} from "./matrix";
import { accountPrincipal, rolePrincipal } from "./principals";
import { wipe } from "./wipe";

type Tell = (line: string) => void;

const STACKS = [BOOTSTRAP, VAULT_BOOTSTRAP, VAULT, PROD, FOUNDATION, STANDBY, REBUILD];
/** How long grants of the attack last. */
const OPEN_MS = 2 * 3600_000;
const RESTORE_SECONDS = 120;

/** The phases of the attack. */
export class AttackDrill extends Drill {
  cells: Cell[] = [];
  wiped: { objects: number; buckets: Reached[] } | null = null;
  mediaRestored = 0;

  private readonly until = new Date(Date.now() + OPEN_MS);
  private attacked!: AttackStage;
  /** It is the window of a failback: the vault has a door for the standby's backups. */
  private returning = false;
  private bootstraps: Stack[] = [];
  private standby?: Stack;
  private standbyKubeconfig = "";
  /** Of the standby's cluster; undefined: it is not known yet. */
  private issuer?: string;

  /** @param withStandby the standby on AWS is up as well */
  constructor(private readonly withStandby: boolean) {
    super(SMALL, STACKS);
  }

  override phases(): Phase[] {
    return [
      { name: "local cloud starts", run: (tell) => this.start(tell) },
      { name: "pulumi up of both bootstraps", run: (tell) => this.upBootstraps(tell) },
      { name: "pulumi up vault, restores granted", run: (tell) => this.upVault(tell) },
      {
        name: `pulumi up prod${this.withStandby ? ", and the standby on AWS" : ""}`,
        // Neither waits for the other.
        run: async (tell) => void (await Promise.all([this.upProd(tell), this.withStandby && this.upStandby(tell)])),
      },
      { name: "pulumi up foundation, which names both", run: (tell) => this.upFoundation(tell) },
      { name: "data is written in every region", run: (tell) => this.write(tell) },
      { name: "the night: snapshots and replication", run: (tell) => this.backUp(tell) },
      { name: "media reached their secondaries", run: (tell) => this.media.verify(tell) },
      {
        name: "pulumi up vault, in the window of a failback; the standby's cluster is trusted",
        run: (tell) => this.openWindow(tell),
      },
      { name: "everybody attacks everything", run: (tell) => this.everybody(tell) },
      { name: "production wipes what it reaches", run: (tell) => this.wipeAll(tell) },
      { name: "every region is lost", run: (tell) => this.disaster(tell) },
      { name: "pulumi up of a fresh stack, restored", run: (tell) => this.rebuild(tell) },
      { name: "verification of what came back", run: (tell) => this.verify(tell) },
      { name: "media come back from their secondaries", run: (tell) => this.restoreMedia(tell) },
    ];
  }

  /** What is locked cannot be destroyed: the local cloud goes as a whole. */
  override cleanUp(failed: boolean): Phase[] {
    return [
      {
        name: "the local cloud is removed",
        run: async (tell) => {
          await down(tell, failed);
          for (const name of this.stacks) forget(name);
        },
      },
    ];
  }

  /** The second copies are locked as in production: not even the vault's own deployer is to get at them. */
  protected override vaultConfig(): Record<string, unknown> {
    return { ...attackedVault(this.until, this.returning, this.issuer), deletionProtection: true };
  }

  protected override prodConfig(): Record<string, unknown> {
    return attackedSite(this.markerKeys);
  }

  protected override rebuildConfig(): Record<string, unknown> {
    return rebuiltSite(this.markerKeys);
  }

  protected override foundationConfig(): Record<string, unknown> {
    return attackedFoundation(this.until, this.returning);
  }

  private async upBootstraps(tell: Tell): Promise<void> {
    this.bootstraps = [
      await openStack(BOOTSTRAP, bootstrapConfig(this.until)),
      await openStack(VAULT_BOOTSTRAP, vaultBootstrapConfig()),
    ];
    await Promise.all(this.bootstraps.map((stack) => up(stack, tell)));
  }

  private async upStandby(tell: Tell): Promise<void> {
    this.standby = await openStack(STANDBY, standbyConfig(this.markerKeys));
    const outputs = await up(this.standby, tell);
    this.standbyKubeconfig = outputs.kubeconfig?.value;
    this.issuer = outputs.issuer?.value;
  }

  /** After the night, which would wait for backups of a standby that wrote none. */
  private async openWindow(tell: Tell): Promise<void> {
    this.returning = true;
    setConfig(VAULT, this.vaultConfig());
    setConfig(BOOTSTRAP, bootstrapConfig(this.until, this.issuer));
    await up(this.vault, tell);
    await up(this.bootstraps[0]!, tell);
    // The account that may add to the media is the vault's, and there from now on.
    setConfig(FOUNDATION, this.foundationConfig());
    await up(this.foundation, tell);
  }

  private async everybody(tell: Tell): Promise<void> {
    const principals: Principal[] = [...people, onCall];
    for (const stack of [...this.bootstraps, this.vault, this.prod, this.foundation])
      for (const email of await serviceAccounts(stack)) principals.push(accountPrincipal(email, stack.name, known));
    if (this.standby) {
      const roles = (await stateOf(this.standby))
        .filter(({ type }) => type === "aws:iam/role:Role")
        .map(({ outputs }) => String(outputs?.arn));
      for (const roleArn of [...pipelineRoles, ...roles.sort()])
        principals.push(rolePrincipal(roleArn, STANDBY, known));
    }
    this.attacked = {
      principals,
      places: [...googlePlaces(true), ...(this.standby ? standbyPlaces() : [])],
      storages: await sandboxStorages(SANDBOX_DIR, standbyRegion),
    };
    await identifyAll(this.attacked);
    tell(`${principals.length} identities are who they should be`);
    const [places, tokens] = await Promise.all([
      runMatrix(this.attacked, ({ bucket }, cells) => tell(`${bucket}: ${cells.length} attempts`)),
      runMinting(this.attacked),
    ]);
    tell(`tokens of others: ${tokens.length} attempts`);
    this.cells = [...places, ...tokens, ...(this.standby ? await this.fromStandby(tell) : [])];
    const differing = this.cells.filter(({ pass }) => !pass).length;
    if (differing > 0) throw new Error(`${differing} of ${this.cells.length} attempts were not answered as planned`);
  }

  /** The standby's accounts at the pools that trust its cluster. @throws when not even the declared ones get through */
  private async fromStandby(tell: Tell): Promise<Cell[]> {
    const provider = async (stack: Stack) => {
      const trusted = `/workloadIdentityPools/${standbyPool.id}/providers/${standbyPool.provider}`;
      const names = (await stateOf(stack))
        .filter(({ type }) => type === "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider")
        .map(({ outputs }) => String(outputs?.name));
      const found = names.find((name) => name.endsWith(trusted));
      if (!found) throw new Error(`${stack.name} has no provider …${trusted} among ${names.join(", ") || "none"}`);
      return found;
    };
    const pools: Pool[] = [
      {
        provider: await provider(this.vault),
        project: VAULT_PROJECT,
        lets: ["standby-copier", "standby-failback"],
      },
      { provider: await provider(this.bootstraps[0]!), project: BOOTSTRAP_PROJECT, lets: ["state-reader"] },
    ];
    const accounts = this.attacked.principals.map(({ name }) => name).filter((name) => isAccount(name));
    const client = await sandboxFederation(SANDBOX_DIR, this.standbyKubeconfig);
    const cells = await runFederation(client, await subjectsOf(this.standbyKubeconfig), pools, accounts);
    tell(`from the standby's cluster: ${cells.length} attempts`);
    for (const { provider } of pools)
      if (!cells.some(({ place, measured }) => place === provider && measured === "allowed"))
        throw new Error(`no account of the standby's cluster got in at ${provider}: refusals there say nothing`);
    return cells;
  }

  /** Each bucket that an identity of production can empty is emptied by the strongest there. */
  private async wipeAll(tell: Tell): Promise<void> {
    const production = this.attacked.principals.filter(({ name }) =>
      name.endsWith(`@${PROD_PROJECT}.iam.gserviceaccount.com`),
    );
    const buckets = reached(this.cells, production, this.attacked.places);
    const expected = [PRIMARY_BUCKET, ...MEDIA_BUCKETS.map(({ name }) => name)];
    if (expected.some((each) => !buckets.some(({ bucket }) => bucket === each)))
      throw new Error(
        `production reaches ${buckets.map(({ bucket }) => bucket).join(", ")}, not ${expected.join(", ")}`,
      );
    this.wiped = { objects: await wipe(SANDBOX_DIR, buckets, tell), buckets };
    // The next night must not follow.
    for (const { name, secondary } of MEDIA_BUCKETS) {
      const failure = await runVaultJob(this.vaultKubeconfig, mediaJobName(name)).then(
        () => "it succeeded",
        (error: Error) => error.message,
      );
      if (!failure.includes(secondary)) throw new Error(`the night after the wipe of ${name}: ${failure}`);
      await this.media.verifySecondary(MEDIA_BUCKETS.find((each) => each.name === name)!);
    }
  }

  /** As docs/runbooks/media-restore.md says: the vault first, then the foundation. */
  private async restoreMedia(tell: Tell): Promise<void> {
    const restores = MEDIA_BUCKETS.map(({ name }, index) => ({
      id: `wiped-${index}`,
      bucket: name,
      at: this.backedUp.toISOString(),
      expires: this.until.toISOString(),
    }));
    setConfig(VAULT, withRestores(this.vaultConfig(), restores));
    await up(this.vault, tell);
    setConfig(FOUNDATION, withRestores(this.foundationConfig(), restores));
    await up(this.foundation, tell);
    const vault = kubeConfig(this.vaultKubeconfig);
    for (const { id } of restores) await jobEnds(vault, namespaces.dr, mediaRestoreJobName(id), RESTORE_SECONDS);
    this.mediaRestored = await new Media(this.storage).verifyPrimaries(tell);
  }
}
