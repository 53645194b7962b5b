/**
 * The drill of D2 and D5: a site and its vault come up, data is written, the night runs, every region is lost, and
 * `pulumi up` of a fresh stack brings the data back from the second copy. Everything is destroyed at the end.
 */
import type { Stack } from "@pulumi/pulumi/automation";
import { actionsAt, type Principal, placeName } from "../faults/attack/cells";
import { sandboxStorages } from "../faults/attack/clients";
import { copiesPlaces, known, secondMediaPlaces } from "../faults/attack/config";
import { identifyAll, runMatrix } from "../faults/attack/matrix";
import { accountPrincipal } from "../faults/attack/principals";
import { repository } from "../plan/layout";
import { mediaJobName } from "../plan/media";
import { serviceAccountEmail, verificationJobName } from "../plan/names";
import { standbyRegion } from "../plan/standby";
import { newestRestored, newestWritten, pointOfRecovery } from "./canaries";
import type { RegionOutput } from "./clusters";
import {
  CONTROL_REGION,
  type DrillSize,
  FOUNDATION,
  foundationConfig,
  MEDIA_BUCKETS,
  PRIMARY_BUCKET,
  PROD,
  phaseMinutes,
  REBUILD,
  REGIONS,
  RETENTION_DAYS,
  repositoriesOf,
  SMALL,
  siteConfig,
  VAULT,
  VAULT_PROJECT,
  vaultConfig,
} from "./config";
import { criticalPath, dependenciesOf, type Step, Stopwatch } from "./critical-path";
import { destroySites } from "./destroy";
import { besideFloor, type Floor, measureFloor } from "./floor";
import { expectFresh } from "./freshness";
import { removeCloud } from "./leftovers";
import { Media } from "./media";
import { runNight, runVaultJob } from "./night";
import { type Phase, runWhole, watchMemory } from "./phases";
import type { DrillReport, PhaseTime } from "./report";
import { loseRegion, makeReadable, makeUnreadable, SANDBOX_DIR, upFresh } from "./sandbox";
import { expectNoSecrets, knownSecrets } from "./secrets";
import { RegionStores } from "./stores";
import { expectNoChanges, expectNoDrift, forget, openStack, serviceAccounts, setConfig, up } from "./workspace";

/** How long the restore grant of a drill lasts. */
const GRANT_MS = 60 * 60_000;
const STACKS = [VAULT, FOUNDATION, PROD, REBUILD];

/** A line while a phase runs. */
type Tell = (line: string) => void;

/** Runs the drill. Never rejects: a failure is in the report. */
export async function drill(size: DrillSize): Promise<DrillReport> {
  const memory = watchMemory();
  const times: PhaseTime[] = [];
  const run = new Drill(size);
  let failure = await runWhole(run, times, phaseMinutes(size));
  if (!failure && run.leftovers.length > 0) failure = "something was left behind";
  return {
    result: failure === undefined ? "pass" : "fail",
    failure,
    restored: run.restored,
    denied: run.denied,
    secrets: run.secrets,
    rtoSeconds: run.rtoSeconds,
    rpoSeconds: run.rpoSeconds,
    floor: besideFloor(run.rtoSeconds, run.floor),
    criticalPath: run.criticalPath,
    phases: times,
    peakMemoryMiB: memory.stop(),
    leftovers: run.leftovers,
  };
}

/** The drill's phases and what they found. What other drills do differently they override. */
export class Drill {
  restored: DrillReport["restored"] = null;
  denied: DrillReport["denied"] = null;
  secrets: DrillReport["secrets"] = null;
  rtoSeconds: number | null = null;
  rpoSeconds: number | null = null;
  floor: Floor | null = null;
  criticalPath: Step[] = [];
  leftovers: string[] = [];

  protected vault!: Stack;
  protected prod!: Stack;
  protected prodStores!: RegionStores;
  protected rebuiltStores!: RegionStores;
  protected foundation!: Stack;
  protected media!: Media;
  protected vaultKubeconfig = "";
  protected markerKeys: string[] = [];
  protected storage = "";
  /** Kubeconfigs of the clusters that run, by what they are. */
  protected clusters: Record<string, string> = {};
  /** What previews printed. */
  protected readonly printed: string[] = [];
  protected lostAt = 0;
  protected startSeconds = 0;
  /** Newest canary of prod when it was lost. */
  protected lastWrite = new Date(0);
  protected backedUp = new Date(0);

  constructor(
    protected readonly size: DrillSize,
    /** Stacks that it makes. */
    protected readonly stacks: readonly string[] = STACKS,
  ) {}

  phases(): Phase[] {
    return [
      { name: "local cloud starts", run: (progress) => this.start(progress) },
      { name: "pulumi up vault", run: (progress) => this.upVault(progress) },
      { name: "pulumi up prod, two regions", run: (progress) => this.upProd(progress) },
      { name: "pulumi up foundation, which names both", run: (progress) => this.upFoundation(progress) },
      { name: "a second preview shows no change", run: (progress) => this.unchanged(progress) },
      { name: "a refresh shows no drift", run: (progress) => this.undrifted(progress) },
      { name: "data is written in every region", run: (progress) => this.write(progress) },
      { name: "the night: snapshots and replication", run: (progress) => this.night(progress) },
      { name: "the copies are restored and read", run: (progress) => this.verifyCopies(progress) },
      { name: "media reached their secondaries", run: (progress) => this.media.verify(progress) },
      { name: "media are wiped, the breaker holds", run: (progress) => this.wipe(progress) },
      { name: "attack on the second copy", run: (progress) => this.attack(progress) },
      { name: "no secret in state, backups or logs", run: (progress) => this.secrecy(progress) },
      { name: "every region is lost", run: (progress) => this.disaster(progress) },
      { name: "pulumi up vault, restore granted", run: (progress) => this.grant(progress) },
      { name: "pulumi up of a fresh stack, restored", run: (progress) => this.rebuild(progress) },
      { name: "verification of what came back", run: (progress) => this.verify(progress) },
      { name: "no secret after the rebuild either", run: (progress) => this.secrecy(progress) },
    ];
  }

  /** After a failure the stacks are not destroyed one by one: the sandbox goes as a whole, its logs are kept. */
  cleanUp(failed: boolean): Phase[] {
    return [
      ...(failed ? [] : [{ name: "pulumi destroy of everything", run: (progress: Tell) => this.destroy(progress) }]),
      {
        name: "nothing is left",
        run: async (progress) => {
          this.leftovers = await removeCloud(this.stacks, failed, progress);
        },
      },
    ];
  }

  /** Configuration of the vault before anything is granted. */
  protected vaultConfig(): Record<string, unknown> {
    return vaultConfig({ retentionDays: RETENTION_DAYS });
  }

  protected prodConfig(): Record<string, unknown> {
    return siteConfig(PROD, this.markerKeys);
  }

  protected rebuildConfig(): Record<string, unknown> {
    return siteConfig(REBUILD, this.markerKeys, true);
  }

  protected foundationConfig(): Record<string, unknown> {
    return foundationConfig();
  }

  protected async start(progress: Tell): Promise<void> {
    for (const name of this.stacks) forget(name);
    await upFresh(progress);
    this.storage = process.env.SANDBOX_STORAGE_ENDPOINT ?? "";
    if (!this.storage) throw new Error("the sandbox's environment names no SANDBOX_STORAGE_ENDPOINT");
  }

  protected async upVault(progress: Tell): Promise<void> {
    this.vault = await openStack(VAULT, this.vaultConfig());
    const outputs = await up(this.vault, progress);
    this.vaultKubeconfig = outputs.kubeconfig?.value;
    this.markerKeys = outputs.markerKeys?.value;
    this.clusters = { vault: this.vaultKubeconfig };
  }

  protected async upProd(progress: Tell): Promise<void> {
    this.prod = await openStack(PROD, this.prodConfig());
    const started = Date.now();
    const outputs = await up(this.prod, progress);
    this.startSeconds = (Date.now() - started) / 1000;
    this.prodStores = new RegionStores(outputs.regions?.value);
    this.know(outputs.regions?.value, outputs.control?.value);
    await this.prodStores.open();
  }

  protected async upFoundation(progress: Tell): Promise<void> {
    this.foundation = await openStack(FOUNDATION, this.foundationConfig());
    await up(this.foundation, progress);
    this.media = new Media(this.storage);
  }

  protected async write(progress: Tell): Promise<void> {
    await this.media.write(progress);
    await this.prodStores.write(this.size, progress);
  }

  /** The services' credentials are stolen and every file is deleted; the next night must not follow. */
  protected async wipe(progress: Tell): Promise<void> {
    const [bucket] = MEDIA_BUCKETS;
    await this.media.wipe(bucket!, progress);
    const failure = await runVaultJob(this.vaultKubeconfig, mediaJobName(bucket!.name)).then(
      () => undefined,
      (error: Error) => error.message,
    );
    if (!failure?.includes(`the breaker of gs://${bucket!.secondary} is open`))
      throw new Error(`the breaker did not open; the job ${failure ?? "succeeded"}`);
    await this.media.verifySecondary(bucket!);
    progress("nothing was removed");
  }

  protected async unchanged(progress: Tell): Promise<void> {
    const printing = (line: string) => {
      this.printed.push(line);
      progress(line);
    };
    await Promise.all([this.vault, this.prod, this.foundation].map((stack) => expectNoChanges(stack, printing)));
  }

  /** The clusters of a site that came up; those of one that is gone are forgotten. */
  protected know(regions: RegionOutput[], control: { kubeconfig: string }): void {
    this.clusters = { vault: this.vaultKubeconfig, control: control.kubeconfig };
    for (const { datacenter, kubeconfig } of regions) this.clusters[datacenter] = kubeconfig;
  }

  protected async secrecy(progress: Tell): Promise<void> {
    const secrets = await knownSecrets(this.clusters);
    progress(`${secrets.length} values`);
    const { scanned, bytes, leaks } = await expectNoSecrets(secrets, {
      "output of the previews": this.printed.join("\n"),
    });
    this.secrets = { values: secrets.length, scanned, bytes, found: leaks.length };
    progress(`${scanned} files, objects and logs`);
  }

  protected async undrifted(progress: Tell): Promise<void> {
    await Promise.all([this.vault, this.prod, this.foundation].map((stack) => expectNoDrift(stack, progress)));
  }

  protected async backUp(progress: Tell): Promise<void> {
    await runNight(this.prodStores.regions, this.vaultKubeconfig, progress);
    this.backedUp = new Date();
  }

  protected async night(progress: Tell): Promise<void> {
    await this.backUp(progress);
    await expectFresh(this.vaultKubeconfig, PROD, repositoriesOf(REGIONS), progress);
  }

  /** Deep verification of both stores: of one datacenter, or of all when the drill is large. */
  protected async verifyCopies(progress: Tell): Promise<void> {
    for (const { datacenter } of this.size === SMALL ? REGIONS.slice(0, 1) : REGIONS) {
      for (const kind of ["cassandra", "elasticsearch"] as const) {
        const name = verificationJobName(PROD, repository(kind, datacenter));
        await runVaultJob(this.vaultKubeconfig, name);
        progress(`${name} found the copy whole`);
      }
    }
  }

  protected async attack(progress: Tell): Promise<void> {
    const identities = await serviceAccounts(this.prod);
    if (identities.length === 0) throw new Error("prod's state names no service account to attack with");
    await this.prodStores.expectEncrypted(progress);
    progress(`${identities.length} identities`);
    const ofVault = (["backup-replicator", "media-replicator"] as const).map((id) =>
      accountPrincipal(serviceAccountEmail(id, VAULT_PROJECT), VAULT, known),
    );
    const attackers = identities.map((email) => accountPrincipal(email, PROD, known));
    const places = [...copiesPlaces(false), ...secondMediaPlaces];
    const storages = await sandboxStorages(SANDBOX_DIR, standbyRegion);
    // A control: the same storage shows those who may what there is.
    for (const place of places.filter(({ prefix }) => !prefix.startsWith("evidence/")))
      for (const reader of ofVault.filter((each) => actionsAt(each, place).has("get")))
        if (!(await storages.gcp.find(reader, place)))
          throw new Error(`there is nothing in ${placeName(place)} to attack`);
    const stage = { principals: [...attackers, ...ofVault], places, storages };
    await identifyAll(stage);
    const cells = await runMatrix(stage, undefined, (who: Principal) => attackers.includes(who));
    this.denied = { attempts: cells.length, refused: cells.filter(({ measured }) => measured === "refused").length };
    const granted = cells.find(({ measured }) => measured !== "refused");
    if (granted) {
      const { principal, operation, place, status } = granted;
      throw new Error(`${principal} was not refused: ${operation} at ${place} was answered ${status}, 403 is allowed`);
    }
  }

  protected async disaster(progress: Tell): Promise<void> {
    this.lastWrite = await newestWritten(this.prodStores.regions, progress);
    await this.prodStores.close();
    for (const { name } of this.prodStores.regions) await loseRegion(name);
    await loseRegion(CONTROL_REGION);
    await makeUnreadable(PRIMARY_BUCKET);
    this.lostAt = Date.now();
  }

  protected async grant(progress: Tell): Promise<void> {
    setConfig(VAULT, vaultConfig({ grantUntil: new Date(Date.now() + GRANT_MS), retentionDays: RETENTION_DAYS }));
    await up(this.vault, progress);
  }

  protected async rebuild(progress: Tell): Promise<void> {
    const rebuilt = await openStack(REBUILD, this.rebuildConfig());
    const watch = new Stopwatch();
    const outputs = await up(rebuilt, progress, { hear: watch.hear });
    this.rtoSeconds = (Date.now() - this.lostAt) / 1000;
    const { deployment } = await rebuilt.exportStack();
    this.criticalPath = criticalPath(watch.spans, dependenciesOf(deployment), watch.began);
    this.rebuiltStores = new RegionStores(outputs.regions?.value);
    this.know(outputs.regions?.value, outputs.control?.value);
    await this.rebuiltStores.open();
  }

  protected async verify(progress: Tell): Promise<void> {
    this.floor = await measureFloor(this.startSeconds, this.storage);
    const newest = await newestRestored(this.rebuiltStores.regions, progress);
    this.rpoSeconds = pointOfRecovery(newest, { newest: this.lastWrite, backedUp: this.backedUp }, this.lostAt);
    this.restored = await this.rebuiltStores.verify(this.size, progress);
    await this.rebuiltStores.close();
    const { cassandra, elasticsearch } = this.restored;
    if (!cassandra.digestsMatch || !elasticsearch.digestsMatch)
      throw new Error("what came back is not what was written");
    const tooFew = Object.entries(cassandra.replicas).filter(
      ([, nodes]) => nodes.filter((rows) => rows === cassandra.expected).length < 2,
    );
    if (tooFew.length > 0)
      throw new Error(
        `rows lie on fewer than two nodes in ${tooFew.map(([name, nodes]) => `${name} (${nodes.join(", ")})`)}`,
      );
  }

  protected async destroy(progress: Tell): Promise<void> {
    await makeReadable(PRIMARY_BUCKET);
    await destroySites(this.vault, progress);
  }
}
