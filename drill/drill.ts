/**
 * The drill of D2 and D5: a site and its vault come up, data is written, the night runs, every region is lost, and
 * `pulumi up` of a fresh stack brings the data back from the second copy. Everything is destroyed at the end.
 */
import type { Stack } from "@pulumi/pulumi/automation";
import { repository } from "../plan/layout";
import { mediaJobName } from "../plan/media";
import { serviceAccountEmail, verificationJobName } from "../plan/names";
import { type AttackResult, attack, findMarker } from "./attack";
import { newestRestored, newestWritten } from "./canaries";
import type { RegionOutput } from "./clusters";
import {
  CONTROL_REGION,
  COPIES_BUCKET,
  type DrillSize,
  FOUNDATION,
  foundationConfig,
  MEDIA_BUCKETS,
  PRIMARY_BUCKET,
  PROD,
  REBUILD,
  REGIONS,
  SMALL,
  siteConfig,
  VAULT,
  VAULT_PROJECT,
  vaultConfig,
} from "./config";
import { criticalPath, dependenciesOf, type Step, Stopwatch } from "./critical-path";
import { FLOOR_BOUND, type Floor, overFloor, rawCopy } from "./floor";
import { expectFresh } from "./freshness";
import { leftovers, listeningPorts, sandboxProcesses } from "./leftovers";
import { Media } from "./media";
import { runNight, runVaultJob } from "./night";
import { type Phase, runPhases, watchMemory } from "./phases";
import type { DrillReport, PhaseTime } from "./report";
import { down, loseRegion, makeReadable, makeUnreadable, SANDBOX_DIR, stealToken, upFresh } from "./sandbox";
import { expectNoSecrets, knownSecrets } from "./secrets";
import { RegionStores } from "./stores";
import {
  destroy,
  expectNoChanges,
  expectNoDrift,
  forget,
  openStack,
  serviceAccounts,
  setConfig,
  up,
} from "./workspace";

/** How long the restore grant of a drill lasts. */
const GRANT_MS = 60 * 60_000;
/** Protection of the second copy during the drill; unlocked, so that the end can lift it. */
const RETENTION_DAYS = 7;

const STACKS = [VAULT, FOUNDATION, PROD, REBUILD];

/** Runs the drill. Never rejects: a failure is in the report. */
export async function drill(size: DrillSize): Promise<DrillReport> {
  const memory = watchMemory();
  const times: PhaseTime[] = [];
  const run = new Drill(size);
  let failure: string | undefined;
  try {
    await runPhases(run.phases(), times);
  } catch (error) {
    failure = (error as Error).message;
  }
  try {
    await runPhases(run.cleanUp(failure !== undefined), times);
  } catch (error) {
    failure ??= (error as Error).message;
  }
  if (!failure && run.leftovers.length > 0) failure = "something was left behind";
  return {
    result: failure === undefined ? "pass" : "fail",
    failure,
    restored: run.restored,
    denied: run.denied && { attempts: run.denied.attempts, refused: run.denied.refused },
    secrets: run.secrets,
    rtoSeconds: run.rtoSeconds,
    rpoSeconds: run.rpoSeconds,
    floor:
      run.floor && run.rtoSeconds !== null
        ? { ...run.floor, ratio: overFloor(run.rtoSeconds, run.floor), bound: FLOOR_BOUND }
        : null,
    criticalPath: run.criticalPath,
    phases: times,
    peakMemoryMiB: memory.stop(),
    leftovers: run.leftovers,
  };
}

class Drill {
  restored: DrillReport["restored"] = null;
  denied: AttackResult | null = null;
  secrets: DrillReport["secrets"] = null;
  rtoSeconds: number | null = null;
  rpoSeconds: number | null = null;
  floor: Floor | null = null;
  criticalPath: Step[] = [];
  leftovers: string[] = [];

  private vault!: Stack;
  private prod!: Stack;
  private prodStores!: RegionStores;
  private rebuiltStores!: RegionStores;
  private foundation!: Stack;
  private media!: Media;
  private vaultKubeconfig = "";
  private markerKeys: string[] = [];
  private storage = "";
  /** Kubeconfigs of the clusters that run, by what they are. */
  private clusters: Record<string, string> = {};
  /** What previews printed. */
  private readonly printed: string[] = [];
  private lostAt = 0;
  private startSeconds = 0;
  /** Newest canary of prod when it was lost. */
  private lastWrite = new Date(0);

  constructor(private readonly size: DrillSize) {}

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
      ...(failed
        ? []
        : [
            { name: "pulumi destroy of everything", run: (progress: (line: string) => void) => this.destroy(progress) },
          ]),
      {
        name: "nothing is left",
        run: async (progress) => {
          const ports = listeningPorts(sandboxProcesses(SANDBOX_DIR).map(({ pid }) => pid));
          await down(progress, failed);
          for (const name of STACKS) forget(name);
          this.leftovers = leftovers(SANDBOX_DIR, ports);
        },
      },
    ];
  }

  private async start(progress: (line: string) => void): Promise<void> {
    for (const name of STACKS) forget(name);
    await upFresh(progress);
    this.storage = process.env.SANDBOX_STORAGE_ENDPOINT ?? "";
    if (!this.storage) throw new Error("the sandbox's environment names no SANDBOX_STORAGE_ENDPOINT");
  }

  private async upVault(progress: (line: string) => void): Promise<void> {
    this.vault = await openStack(VAULT, vaultConfig({ retentionDays: RETENTION_DAYS }));
    const outputs = await up(this.vault, progress);
    this.vaultKubeconfig = outputs.kubeconfig?.value;
    this.markerKeys = outputs.markerKeys?.value;
    this.clusters = { vault: this.vaultKubeconfig };
  }

  private async upProd(progress: (line: string) => void): Promise<void> {
    this.prod = await openStack(PROD, siteConfig(PROD, this.markerKeys));
    const started = Date.now();
    const outputs = await up(this.prod, progress);
    this.startSeconds = (Date.now() - started) / 1000;
    this.prodStores = new RegionStores(outputs.regions?.value);
    this.know(outputs.regions?.value, outputs.control?.value);
    await this.prodStores.open();
  }

  private async upFoundation(progress: (line: string) => void): Promise<void> {
    this.foundation = await openStack(FOUNDATION, foundationConfig());
    await up(this.foundation, progress);
    this.media = new Media(this.storage);
  }

  private async write(progress: (line: string) => void): Promise<void> {
    await this.media.write(progress);
    await this.prodStores.write(this.size, progress);
  }

  /** The services' credentials are stolen and every file is deleted; the next night must not follow. */
  private async wipe(progress: (line: string) => void): Promise<void> {
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

  private async unchanged(progress: (line: string) => void): Promise<void> {
    const printing = (line: string) => {
      this.printed.push(line);
      progress(line);
    };
    await Promise.all([this.vault, this.prod, this.foundation].map((stack) => expectNoChanges(stack, printing)));
  }

  /** The clusters of a site that came up; those of one that is gone are forgotten. */
  private know(regions: RegionOutput[], control: { kubeconfig: string }): void {
    this.clusters = { vault: this.vaultKubeconfig, control: control.kubeconfig };
    for (const { datacenter, kubeconfig } of regions) this.clusters[datacenter] = kubeconfig;
  }

  private async secrecy(progress: (line: string) => void): Promise<void> {
    const secrets = await knownSecrets(this.clusters);
    progress(`${secrets.length} values`);
    const { scanned, bytes, leaks } = await expectNoSecrets(secrets, {
      "output of the previews": this.printed.join("\n"),
    });
    this.secrets = { values: secrets.length, scanned, bytes, found: leaks.length };
    progress(`${scanned} files, objects and logs`);
  }

  private async undrifted(progress: (line: string) => void): Promise<void> {
    await Promise.all([this.vault, this.prod, this.foundation].map((stack) => expectNoDrift(stack, progress)));
  }

  private async night(progress: (line: string) => void): Promise<void> {
    await runNight(this.prodStores.regions, this.vaultKubeconfig, progress);
    const repositories = REGIONS.flatMap(({ datacenter }) => [
      repository("cassandra", datacenter),
      repository("elasticsearch", datacenter),
    ]);
    await expectFresh(this.vaultKubeconfig, PROD, repositories, progress);
  }

  /** Deep verification of Cassandra: one repository, or all of them when the drill is large. */
  private async verifyCopies(progress: (line: string) => void): Promise<void> {
    for (const { datacenter } of this.size === SMALL ? REGIONS.slice(0, 1) : REGIONS) {
      for (const kind of ["cassandra", "elasticsearch"] as const) {
        const name = verificationJobName(PROD, repository(kind, datacenter));
        await runVaultJob(this.vaultKubeconfig, name);
        progress(`${name} found the copy whole`);
      }
    }
  }

  private async attack(progress: (line: string) => void): Promise<void> {
    const identities = await serviceAccounts(this.prod);
    if (identities.length === 0) throw new Error("prod's state names no service account to attack with");
    await this.prodStores.expectEncrypted(progress);
    progress(`${identities.length} identities`);
    const replicator = serviceAccountEmail("backup-replicator", VAULT_PROJECT);
    const marker = await findMarker(this.storage, replicator, COPIES_BUCKET, PROD);
    this.denied = await attack(this.storage, identities, COPIES_BUCKET, marker);
    for (const { secondary } of MEDIA_BUCKETS) {
      const more = await attack(this.storage, identities, secondary, this.media.anObject);
      this.denied = {
        attempts: this.denied.attempts + more.attempts,
        refused: this.denied.refused + more.refused,
        granted: [...this.denied.granted, ...more.granted],
      };
    }
    const [granted] = this.denied.granted;
    if (granted) {
      throw new Error(
        `${granted.identity} was not refused: ${granted.operation} on a second copy was answered ${granted.status}, 403 is allowed`,
      );
    }
  }

  private async disaster(progress: (line: string) => void): Promise<void> {
    this.lastWrite = await newestWritten(this.prodStores.regions, progress);
    await this.prodStores.close();
    for (const region of [...REGIONS.map(({ name }) => name), CONTROL_REGION]) await loseRegion(region);
    await makeUnreadable(PRIMARY_BUCKET);
    this.lostAt = Date.now();
  }

  private async grant(progress: (line: string) => void): Promise<void> {
    setConfig(VAULT, vaultConfig({ grantUntil: new Date(Date.now() + GRANT_MS), retentionDays: RETENTION_DAYS }));
    await up(this.vault, progress);
  }

  private async rebuild(progress: (line: string) => void): Promise<void> {
    const rebuilt = await openStack(REBUILD, siteConfig(REBUILD, this.markerKeys, true));
    const watch = new Stopwatch();
    const outputs = await up(rebuilt, progress, watch.hear);
    this.rtoSeconds = (Date.now() - this.lostAt) / 1000;
    const { deployment } = await rebuilt.exportStack();
    this.criticalPath = criticalPath(watch.spans, dependenciesOf(deployment), watch.began);
    this.rebuiltStores = new RegionStores(outputs.regions?.value);
    this.know(outputs.regions?.value, outputs.control?.value);
    await this.rebuiltStores.open();
  }

  private async verify(progress: (line: string) => void): Promise<void> {
    const token = await stealToken(serviceAccountEmail("backup-replicator", VAULT_PROJECT));
    const copy = await rawCopy(this.storage, token, COPIES_BUCKET, `${PROD}/`);
    this.floor = { startSeconds: this.startSeconds, copySeconds: copy.seconds, copyBytes: copy.bytes };
    const newest = await newestRestored(this.rebuiltStores.regions, progress);
    this.rpoSeconds = (this.lostAt - newest.getTime()) / 1000;
    if (newest >= this.lastWrite)
      throw new Error("what came back is younger than the backup: these are no old canaries");
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

  private async destroy(progress: (line: string) => void): Promise<void> {
    await makeReadable(PRIMARY_BUCKET);
    await destroy(FOUNDATION, progress);
    await destroy(REBUILD, progress);
    await destroy(PROD, progress);
    setConfig(VAULT, vaultConfig({ retentionDays: 0 }));
    await up(this.vault, progress);
    await destroy(VAULT, progress);
  }
}
