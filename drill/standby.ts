/**
 * The drill of D4: a site serves, so that the standby refuses to; its night is copied to the vault and from there into S3, Google
 * Cloud is lost, and `pulumi up` of the standby serves what was copied, by the same public name. Then Google is back, and what was
 * written meanwhile returns to a fresh site. Everything is destroyed at the end.
 */
import { Activation } from "./activation";
import { newestRestored, newestWritten, pointOfRecovery } from "./canaries";
import { type DrillSize, FOUNDATION, PROD, phaseMinutes, REBUILD, REGIONS, VAULT } from "./config";
import { checkCustomers, verifyCustomers } from "./customers";
import { type Asset, Failback, type Serving } from "./failback";
import { besideFloor, type Floor, measureFloor } from "./floor";
import { removeCloud } from "./leftovers";
import { BEFORE, MEANWHILE, Media } from "./media";
import { runJobs, runNight } from "./night";
import { type Phase, runWhole, watchMemory } from "./phases";
import { ask, askAt, forgetPlaces, until } from "./public-name";
import type { PhaseTime, StandbyReport } from "./report";
import { loseGoogle, upFresh } from "./sandbox";
import { STANDBY, STANDBY_REGION } from "./standby-config";
import { StandbyStacks } from "./standby-stacks";
import { RegionStores } from "./stores";
import { forget, type Progress } from "./workspace";

/** Assets that are written through the public name before the loss, and as many in AWS. */
const ASSETS = 25;
const STACKS = [VAULT, FOUNDATION, PROD, STANDBY, REBUILD];

/** How much of it is run. */
export interface StandbyDrillOptions {
  size: DrillSize;
  /** Times that the activation is killed before it may end, 10 at most. Default: 0. */
  kills?: number;
  /** A site of one region, no way home, and the cloud goes as a whole. Default: false. */
  brief?: boolean;
}

/** Runs the drill. Never rejects: a failure is in the report. */
export async function standbyDrill(options: StandbyDrillOptions): Promise<StandbyReport> {
  const memory = watchMemory();
  const times: PhaseTime[] = [];
  const run = new StandbyDrill(options);
  let failure = await runWhole(run, times, phaseMinutes(options.size));
  if (!failure && run.leftovers.length > 0) failure = "something was left behind";
  return {
    result: failure === undefined ? "pass" : "fail",
    failure,
    restored: run.restored,
    denied: null,
    secrets: null,
    rtoSeconds: run.rtoSeconds,
    rpoSeconds: run.rpoSeconds,
    floor: besideFloor(run.rtoSeconds, run.floor),
    criticalPath: run.activation.criticalPath,
    refusal: run.activation.refusal,
    deaths: run.activation.diedAt,
    failback: options.brief ? null : run.failback.result,
    phases: times,
    peakMemoryMiB: memory.stop(),
    leftovers: run.leftovers,
  };
}

/** The run of a drill, phase by phase. */
export class StandbyDrill {
  restored: StandbyReport["restored"] = null;
  rtoSeconds: number | null = null;
  rpoSeconds: number | null = null;
  /** Known where the site is as large as the standby: one region. */
  floor: Floor | null = null;
  leftovers: string[] = [];

  /** The way home; what it needs is known when it runs. */
  readonly failback = new Failback(() => this.serving());

  readonly activation: Activation;

  private readonly stacks: StandbyStacks;
  private restoredFrom = "";
  private stores!: RegionStores;
  private standbyStores!: RegionStores;
  private media!: Media;
  private lostAt = 0;
  private lastWrite = new Date(0);
  private backedUp = new Date(0);

  private readonly size: DrillSize;
  private readonly brief: boolean;

  constructor({ size, kills = 0, brief = false }: StandbyDrillOptions) {
    this.size = size;
    this.brief = brief;
    this.stacks = new StandbyStacks(brief ? REGIONS.slice(0, 1) : REGIONS);
    this.activation = new Activation(kills);
  }

  phases(): Phase[] {
    return [
      { name: "local cloud starts", run: (progress) => this.start(progress) },
      { name: "pulumi up vault", run: (progress) => this.stacks.upVault(progress) },
      { name: "pulumi up prod", run: (progress) => this.upProd(progress) },
      { name: "pulumi up foundation, which serves it", run: (progress) => this.stacks.upFoundation(progress) },
      { name: "pulumi up standby, a pilot light", run: (progress) => this.stacks.upPilot(progress) },
      { name: "an activation is refused while Google serves", run: (progress) => this.refuse(progress) },
      { name: "data is written in every region", run: (progress) => this.write(progress) },
      { name: "the night: snapshots and replication", run: (progress) => this.night(progress) },
      { name: "the standby pulls the copies into S3", run: (progress) => this.pull(progress) },
      { name: "customers' buckets are tried", run: (progress) => this.tryCustomers(progress) },
      { name: "Google Cloud is lost", run: (progress) => this.disaster(progress) },
      { name: "pulumi up standby, active", run: (progress) => this.activate(progress) },
      { name: "the public name leads to AWS", run: (progress) => this.turned(progress) },
      { name: "verification of what came back", run: (progress) => this.verify(progress) },
      { name: "users write in AWS", run: (progress) => this.meanwhile(progress) },
      ...(this.brief ? [] : this.failback.phases()),
    ];
  }

  private serving(): Serving {
    const { size, assets, media } = this;
    const { vault, foundation, standby, vaultKubeconfig, standbyKubeconfig, issuer, stage } = this.stacks;
    const stacks = { vault, foundation, standby, vaultKubeconfig, standbyKubeconfig };
    return { size, ...stacks, issuer, stage, restored: this.restoredFrom, assets, media };
  }

  /** After a failure, or in brief, the stacks are not destroyed one by one: the sandbox goes as a whole. A failure's logs are kept. */
  cleanUp(failed: boolean): Phase[] {
    const destroying = {
      name: "pulumi destroy of everything",
      run: (progress: Progress) => this.stacks.destroy(progress),
    };
    return [
      ...(failed || this.brief ? [] : [destroying]),
      {
        name: "nothing is left",
        run: async (progress) => {
          this.leftovers = await removeCloud(STACKS, failed, progress);
        },
      },
    ];
  }

  private async start(progress: Progress): Promise<void> {
    for (const name of STACKS) forget(name);
    await upFresh(progress);
    this.media = new Media(process.env.SANDBOX_STORAGE_ENDPOINT ?? "");
  }

  private async upProd(progress: Progress): Promise<void> {
    this.stores = new RegionStores(await this.stacks.upProd(progress));
    await this.stores.open();
  }

  private refuse(progress: Progress): Promise<void> {
    return this.activation.refuse(this.stacks.standby, this.stacks.stage, progress);
  }

  private async write(progress: Progress): Promise<void> {
    await this.media.write(progress);
    await this.media.writeByName(BEFORE, progress);
    await this.stores.write(this.size, progress);
    await this.put(false, progress);
  }

  private async night(progress: Progress): Promise<void> {
    await runNight(this.stores.regions, this.stacks.vaultKubeconfig, progress);
    this.backedUp = new Date();
  }

  private async pull(progress: Progress): Promise<void> {
    await runJobs(this.stacks.standbyKubeconfig, /^copy-/, progress);
    if (!this.brief) return;
    this.floor = await measureFloor(this.stacks.startSeconds, process.env.SANDBOX_STORAGE_ENDPOINT ?? "");
  }

  private tryCustomers(progress: Progress): Promise<void> {
    return checkCustomers(this.stacks.standbyKubeconfig, progress);
  }

  private async disaster(progress: Progress): Promise<void> {
    this.lastWrite = await newestWritten(this.stores.regions, progress);
    await this.stores.close();
    await loseGoogle();
    forgetPlaces();
    this.lostAt = Date.now();
    const answered = await askAt(this.stacks.stage.address, "GET", "/").then(
      () => true,
      () => false,
    );
    if (answered) throw new Error("Google's address still answers");
  }

  private async activate(progress: Progress): Promise<void> {
    const { standby, stage } = this.stacks;
    const outputs = await this.activation.run(standby, stage, progress);
    this.stacks.standbyKubeconfig = outputs.kubeconfig?.value;
    this.restoredFrom = outputs.restored?.value;
  }

  private async turned(progress: Progress): Promise<void> {
    const found = await until(
      "an answer from the standby",
      600,
      () => ask("GET", `/api/assets/${this.assets[0]?.id}`),
      ({ status }) => status === 200,
    );
    this.rtoSeconds = (Date.now() - this.lostAt) / 1000;
    progress(`${found.address} in ${found.region} answered: ${found.body}`);
    for (const { id, title } of this.assets) {
      const { status, body } = await ask("GET", `/api/assets/${id}`);
      if (status !== 200 || JSON.parse(body).title !== title)
        throw new Error(`asset ${id} is not "${title}" in the standby: ${status} ${body}`);
    }
  }

  private async verify(progress: Progress): Promise<void> {
    const { name, datacenter } = STANDBY_REGION;
    // Documents are the region's that wrote them.
    this.standbyStores = new RegionStores([{ name, datacenter, kubeconfig: this.stacks.standbyKubeconfig }]);
    await this.standbyStores.open();
    const newest = await newestRestored(this.standbyStores.regions, progress);
    this.rpoSeconds = pointOfRecovery(newest, { newest: this.lastWrite, backedUp: this.backedUp }, this.lostAt);
    this.restored = await this.standbyStores.verify(this.size, progress);
    await this.standbyStores.close();
    await this.media.verifyByName(progress);
    await verifyCustomers(false, progress);
    const { cassandra, elasticsearch } = this.restored;
    if (!cassandra.digestsMatch || !elasticsearch.digestsMatch)
      throw new Error("what came back is not what was written");
  }

  private async meanwhile(progress: Progress): Promise<void> {
    await this.put(true, progress);
    await this.media.writeByName(MEANWHILE, progress);
  }

  private readonly assets: Asset[] = [];

  /** Writes assets by the public name; the answer waits until both stores have them. */
  private async put(meanwhile: boolean, progress: Progress): Promise<void> {
    for (let index = 0; index < ASSETS; index++) {
      const title = `written ${meanwhile ? "in AWS" : "before"}, number ${index}`;
      const asset: Asset = { id: crypto.randomUUID(), title, meanwhile };
      const { status, body, region } = await until(
        "an asset is taken",
        300,
        () => ask("PUT", `/api/assets/${asset.id}?wait=found`, { title: asset.title }),
        (answer) => answer.status === 200,
      );
      progress(`${region}: ${status} ${body}`);
      this.assets.push(asset);
    }
  }
}
