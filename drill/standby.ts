/**
 * The drill of D4: a site serves, its night is copied to the vault and from there into S3, Google Cloud is lost, and `pulumi
 * up` of the standby serves what was copied, by the same public name. Then Google is back, and what was written meanwhile
 * returns to a fresh site. Everything is destroyed at the end.
 */
import type { Stack } from "@pulumi/pulumi/automation";
import { sandboxS3 } from "../faults/attack/clients";
import { roleArn } from "../plan/s3-permissions";
import { standbyRegion } from "../plan/standby";
import { newestRestored, newestWritten, pointOfRecovery } from "./canaries";
import {
  type DrillRegion,
  type DrillSize,
  FOUNDATION,
  foundationConfig,
  PROD,
  PROD_PROJECT,
  REBUILD,
  REGIONS,
  RETENTION_DAYS,
  siteConfig,
  VAULT,
  VAULT_PROJECT,
  vaultConfig,
} from "./config";
import { criticalPath, dependenciesOf, type Step, Stopwatch } from "./critical-path";
import { type Asset, Failback, type Serving } from "./failback";
import { besideFloor, type Floor, measureFloor } from "./floor";
import { removeCloud } from "./leftovers";
import { Media } from "./media";
import { runJobs, runNight } from "./night";
import { type Phase, runWhole, watchMemory } from "./phases";
import { ask, askAt, forgetPlaces, resolveName, until } from "./public-name";
import type { PhaseTime, StandbyReport } from "./report";
import { loseGoogle, projectNumber, SANDBOX_DIR, upFresh } from "./sandbox";
import {
  STANDBY,
  STANDBY_ACCOUNT,
  STANDBY_BUCKETS,
  STANDBY_REGION,
  type StandbyStage,
  standbyConfig,
} from "./standby-config";
import { RegionStores } from "./stores";
import { destroy, dyingUp, forget, openStack, type Progress, setConfig, up } from "./workspace";

/** Assets that are written through the public name before the loss, and as many in AWS. */
const ASSETS = 25;
/** Where an activation is killed, the worst first: the stores and their restores, what serves, and the machines below. */
export const DEATHS: readonly string[] = [
  `restore-${STANDBY_REGION.datacenter}-cassandra`,
  "services-deployment-front",
  "cassandra-k8ssandra",
  "restore-copy",
  `restore-${STANDBY_REGION.datacenter}-elasticsearch`,
  "services-schema-job",
  "elasticsearch-elasticsearch",
  "cluster-nodes-databases-1",
  "snapshots-cassandra",
  "services-deployment-worker",
];
/** Whom the services of the standby are. */
const servicesRole = roleArn(STANDBY_ACCOUNT, "standby-services");
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
  let failure = await runWhole(run, times);
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
    criticalPath: run.criticalPath,
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
  criticalPath: Step[] = [];
  leftovers: string[] = [];

  /** The way home; what it needs is known when it runs. */
  readonly failback = new Failback(() => this.serving());

  private vault!: Stack;
  private foundation!: Stack;
  private issuer = "";
  private restoredFrom = "";
  private prod!: Stack;
  private standby!: Stack;
  private vaultKubeconfig = "";
  private standbyKubeconfig = "";
  private stage!: StandbyStage;
  private stores!: RegionStores;
  private standbyStores!: RegionStores;
  private media!: Media;
  private lostAt = 0;
  private startSeconds = 0;
  private lastWrite = new Date(0);
  private backedUp = new Date(0);

  private readonly size: DrillSize;
  private readonly kills: number;
  private readonly brief: boolean;
  private readonly regions: readonly DrillRegion[];

  constructor({ size, kills = 0, brief = false }: StandbyDrillOptions) {
    this.size = size;
    this.kills = kills;
    this.brief = brief;
    this.regions = brief ? REGIONS.slice(0, 1) : REGIONS;
  }

  phases(): Phase[] {
    return [
      { name: "local cloud starts", run: (progress) => this.start(progress) },
      { name: "pulumi up vault", run: (progress) => this.upVault(progress) },
      { name: "pulumi up prod", run: (progress) => this.upProd(progress) },
      { name: "pulumi up foundation, which serves it", run: (progress) => this.upFoundation(progress) },
      { name: "pulumi up standby, a pilot light", run: (progress) => this.upPilot(progress) },
      { name: "data is written in every region", run: (progress) => this.write(progress) },
      { name: "the night: snapshots and replication", run: (progress) => this.night(progress) },
      { name: "the standby pulls the copies into S3", run: (progress) => this.pull(progress) },
      { name: "Google Cloud is lost", run: (progress) => this.disaster(progress) },
      { name: "pulumi up standby, active", run: (progress) => this.activate(progress) },
      { name: "the public name leads to AWS", run: (progress) => this.turned(progress) },
      { name: "verification of what came back", run: (progress) => this.verify(progress) },
      { name: "users write in AWS", run: (progress) => this.meanwhile(progress) },
      ...(this.brief ? [] : this.failback.phases()),
    ];
  }

  private serving(): Serving {
    const { size, vault, foundation, standby, vaultKubeconfig, standbyKubeconfig, issuer, stage, assets, media } = this;
    const restored = this.restoredFrom;
    const stacks = { vault, foundation, standby, vaultKubeconfig, standbyKubeconfig };
    return { size, ...stacks, issuer, stage, restored, assets, media };
  }

  /** After a failure, or in brief, the stacks are not destroyed one by one: the sandbox goes as a whole. A failure's logs are kept. */
  cleanUp(failed: boolean): Phase[] {
    const destroying = { name: "pulumi destroy of everything", run: (progress: Progress) => this.destroy(progress) };
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

  private readonly vaultConfig = () => vaultConfig({ retentionDays: RETENTION_DAYS, regions: this.regions });

  private async upVault(progress: Progress): Promise<void> {
    this.vault = await openStack(VAULT, this.vaultConfig());
    const outputs = await up(this.vault, progress);
    this.vaultKubeconfig = outputs.kubeconfig?.value;
    this.stage = {
      address: "",
      markerKeys: outputs.markerKeys?.value,
      projectNumber: await projectNumber(VAULT_PROJECT),
    };
  }

  private async upProd(progress: Progress): Promise<void> {
    this.prod = await openStack(PROD, {
      ...siteConfig(PROD, this.stage.markerKeys),
      regions: this.regions,
    });
    const started = Date.now();
    const outputs = await up(this.prod, progress);
    this.startSeconds = (Date.now() - started) / 1000;
    this.stores = new RegionStores(outputs.regions?.value);
    await this.stores.open();
  }

  private async upFoundation(progress: Progress): Promise<void> {
    this.foundation = await openStack(FOUNDATION, { ...foundationConfig(), app: { project: PROD_PROJECT } });
    this.stage.address = (await up(this.foundation, progress)).address?.value;
  }

  /** The vault trusts the cluster's issuer once it is known. */
  private async upPilot(progress: Progress): Promise<void> {
    this.standby = await openStack(STANDBY, standbyConfig(this.stage));
    const outputs = await up(this.standby, progress);
    this.standbyKubeconfig = outputs.kubeconfig?.value;
    this.issuer = outputs.issuer?.value;
    setConfig(VAULT, { ...this.vaultConfig(), standby: { issuer: this.issuer } });
    await up(this.vault, progress);
    await until("the name leads to Google", 60, resolveName, (addresses) => addresses.join() === this.stage.address);
  }

  private async write(progress: Progress): Promise<void> {
    await this.media.write(progress);
    await this.stores.write(this.size, progress);
    await this.put(false, progress);
  }

  private async night(progress: Progress): Promise<void> {
    await runNight(this.stores.regions, this.vaultKubeconfig, progress);
    this.backedUp = new Date();
  }

  private async pull(progress: Progress): Promise<void> {
    await runJobs(this.standbyKubeconfig, /^copy-/, progress);
    if (this.regions.length > 1) return;
    this.floor = await measureFloor(this.startSeconds, process.env.SANDBOX_STORAGE_ENDPOINT ?? "");
  }

  private async disaster(progress: Progress): Promise<void> {
    this.lastWrite = await newestWritten(this.stores.regions, progress);
    await this.stores.close();
    await loseGoogle();
    forgetPlaces();
    this.lostAt = Date.now();
    const answered = await askAt(this.stage.address, "GET", "/").then(
      () => true,
      () => false,
    );
    if (answered) throw new Error("Google's address still answers");
  }

  private async activate(progress: Progress): Promise<void> {
    setConfig(STANDBY, standbyConfig({ ...this.stage, active: true }));
    const deaths = new Set(DEATHS.slice(0, this.kills));
    while (deaths.size > 0) {
      const at = await dyingUp(this.standby, [...deaths], progress);
      deaths.delete(at);
      progress(`killed at ${at}; ${deaths.size} more`);
    }
    const watch = new Stopwatch();
    const outputs = await up(this.standby, progress, { hear: watch.hear });
    const { deployment } = await this.standby.exportStack();
    this.criticalPath = criticalPath(watch.spans, dependenciesOf(deployment), watch.began);
    this.standbyKubeconfig = outputs.kubeconfig?.value;
    this.restoredFrom = outputs.restored?.value;
  }

  private async turned(progress: Progress): Promise<void> {
    const found = await until(
      "an answer from the standby",
      180,
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
    this.standbyStores = new RegionStores([{ name, datacenter, kubeconfig: this.standbyKubeconfig }]);
    await this.standbyStores.open();
    const newest = await newestRestored(this.standbyStores.regions, progress);
    this.rpoSeconds = pointOfRecovery(newest, { newest: this.lastWrite, backedUp: this.backedUp }, this.lostAt);
    this.restored = await this.standbyStores.verify(this.size, progress);
    await this.standbyStores.close();
    await this.media.verifyStandby(await this.s3(), servicesRole, STANDBY_BUCKETS.media, progress);
    const { cassandra, elasticsearch } = this.restored;
    if (!cassandra.digestsMatch || !elasticsearch.digestsMatch)
      throw new Error("what came back is not what was written");
  }

  private readonly s3 = () => sandboxS3(SANDBOX_DIR, standbyRegion);

  private async meanwhile(progress: Progress): Promise<void> {
    await this.put(true, progress);
    await this.media.writeStandby(await this.s3(), servicesRole, STANDBY_BUCKETS.media, progress);
  }

  private readonly assets: Asset[] = [];

  /** Writes assets by the public name; the answer waits until both stores have them. */
  private async put(meanwhile: boolean, progress: Progress): Promise<void> {
    for (let index = 0; index < ASSETS; index++) {
      const title = `written ${meanwhile ? "in AWS" : "before"}, number ${index}`;
      const asset: Asset = { id: crypto.randomUUID(), title, meanwhile };
      const { status, body, region } = await until(
        "an asset is taken",
        60,
        () => ask("PUT", `/api/assets/${asset.id}?wait=found`, { title: asset.title }),
        (answer) => answer.status === 200,
      );
      progress(`${region}: ${status} ${body}`);
      this.assets.push(asset);
    }
  }

  private async destroy(progress: Progress): Promise<void> {
    await destroy(STANDBY, progress);
    await destroy(FOUNDATION, progress);
    await destroy(REBUILD, progress);
    await destroy(PROD, progress);
    setConfig(VAULT, vaultConfig({ retentionDays: 0 }));
    await up(this.vault, progress);
    await destroy(VAULT, progress);
  }
}
