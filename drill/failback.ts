/**
 * The way home (docs/runbooks/failback.md): Google is back, users stay in AWS, and in a window without writes everything that
 * the standby holds goes through the vault into a fresh site, which then serves.
 */
import type { Stack } from "@pulumi/pulumi/automation";
import { repository } from "../plan/layout";
import { namespaces } from "../plan/names";
import { standbyJobs, standbySite } from "../plan/standby";
import { scaleAll } from "./clusters";
import {
  CONTROL_REGION,
  type DrillSize,
  FOUNDATION,
  foundationConfig,
  PROD,
  PROD_PROJECT,
  REBUILD,
  REBUILD_PROJECT,
  REGIONS,
  RETENTION_DAYS,
  restoreGrant,
  siteConfig,
  VAULT,
  VAULT_PROJECT,
  vaultConfig,
} from "./config";
import { verifyCustomers } from "./customers";
import type { Media } from "./media";
import { runJobs, runVaultJob } from "./night";
import type { Phase } from "./phases";
import { ask, askAt, forgetPlaces, resolveName, until } from "./public-name";
import type { StandbyReport } from "./report";
import { googleIsBack, loseRegion } from "./sandbox";
import { STANDBY, STANDBY_REGION, type StandbyStage, standbyConfig } from "./standby-config";
import { RegionStores } from "./stores";
import { openStack, type Progress, setConfig, up } from "./workspace";

/** Where the standby's backups arrive. */
const BUCKET = "iconik-drill-failback";
const GRANT_MS = 60 * 60_000;

/** What the drill has when the standby serves. */
export interface Serving {
  size: DrillSize;
  vault: Stack;
  foundation: Stack;
  standby: Stack;
  vaultKubeconfig: string;
  standbyKubeconfig: string;
  /** Issuer of the standby's cluster. */
  issuer: string;
  stage: StandbyStage;
  /** Copy that the standby was restored from. */
  restored: string;
  /** Assets that were written through the public name, before and in AWS. */
  assets: Asset[];
  media: Media;
}

/** An asset of the product. */
export interface Asset {
  id: string;
  title: string;
  /** Written while the standby served. */
  meanwhile: boolean;
}

/** Brings what the standby serves back to Google. */
export class Failback {
  result: StandbyReport["failback"] = null;
  private stores?: RegionStores;

  /** @param serving asked while a phase runs, and not before */
  constructor(private readonly serving: () => Serving) {}

  private get from(): Serving {
    return this.serving();
  }

  phases(): Phase[] {
    return [
      { name: "Google is back, users stay in AWS", run: (progress) => this.back(progress) },
      { name: "the way home is opened", run: (progress) => this.open(progress) },
      { name: "no more writes, last backups", run: (progress) => this.window(progress) },
      { name: "the backups go through the vault", run: (progress) => this.carry(progress) },
      { name: "pulumi up of a fresh site, restored", run: (progress) => this.rebuild(progress) },
      { name: "the traffic turns back", run: (progress) => this.turn(progress) },
      { name: "verification of what returned", run: (progress) => this.verify(progress) },
    ];
  }

  /** The latch holds: Google answers again, with data of before, and nobody is sent there. Then the old site is gone. */
  private async back(progress: Progress): Promise<void> {
    await googleIsBack();
    forgetPlaces();
    const { address } = this.from.stage;
    await until(
      "Google's address answers",
      300,
      () => askAt(address, "GET", "/"),
      ({ status }) => status === 200,
    );
    // Health checks have looked three times by then.
    await new Promise((resolve) => setTimeout(resolve, 35_000));
    const found = await resolveName();
    if (found.includes(address)) throw new Error(`the name leads to ${address} again, whose data is old`);
    progress(`Google answers, the name leads to ${found}`);
    await verifyCustomers(true, progress);
    for (const region of [...REGIONS.map(({ name }) => name), CONTROL_REGION]) await loseRegion(region);
  }

  /** The restore is over, backups of the standby begin; the vault takes in what they are, and grants it to one fresh site. */
  private async open(progress: Progress): Promise<void> {
    const { vault, foundation, standby, stage, restored } = this.from;
    setConfig(VAULT, this.vaultConfig());
    await up(vault, progress);
    // Its account exists from then on, which may add to the product's media for the time of the window.
    setConfig(FOUNDATION, {
      ...foundationConfig(),
      vault: { project: VAULT_PROJECT, failback: true },
      app: { project: PROD_PROJECT },
    });
    await up(foundation, progress);
    setConfig(STANDBY, { ...standbyConfig({ ...stage, active: true, restored, failbackBucket: BUCKET }) });
    await up(standby, progress);
  }

  private vaultConfig(): Record<string, unknown> {
    const { issuer } = this.from;
    const grantUntil = new Date(Date.now() + GRANT_MS);
    return {
      ...vaultConfig({ retentionDays: RETENTION_DAYS }),
      standby: { issuer, failback: { bucket: BUCKET, datacenter: STANDBY_REGION.datacenter } },
      restoreGrants: [restoreGrant(grantUntil, standbySite)],
    };
  }

  private async window(progress: Progress): Promise<void> {
    await scaleAll(this.from.standbyKubeconfig, namespaces.services, 0);
    const { status } = await until(
      "nobody is served",
      300,
      () => ask("GET", "/"),
      (answer) => answer.status >= 500,
    );
    progress(`the name answers ${status}`);
    await runJobs(this.from.standbyKubeconfig, /^snapshot-/, progress);
  }

  private async carry(progress: Progress): Promise<void> {
    await runJobs(this.from.standbyKubeconfig, new RegExp(`^${standbyJobs.failback}$`), progress);
    await runVaultJob(this.from.vaultKubeconfig, `replicate-${standbySite}`);
    await runJobs(this.from.standbyKubeconfig, /^return-media-/, progress);
    await this.from.media.verifyReturned(progress);
    progress(`${repository("cassandra", STANDBY_REGION.datacenter)} and its search index are copied and signed`);
  }

  private async rebuild(progress: Progress): Promise<void> {
    const config = siteConfig(REBUILD, this.from.stage.markerKeys);
    const fresh = await openStack(REBUILD, {
      ...config,
      // As the standby: the other regions join later (docs/runbooks/regions.md).
      regions: [STANDBY_REGION],
      restore: { site: standbySite, marker: "latest", grant: REBUILD },
    });
    const { regions } = await up(fresh, progress);
    this.stores = new RegionStores(regions?.value);
  }

  /** The foundation's front end first, the word in S3 last: the name leads to a site that serves. */
  private async turn(progress: Progress): Promise<void> {
    const { foundation, standby, stage } = this.from;
    const sites = [{ name: REBUILD, project: REBUILD_PROJECT }];
    setConfig(FOUNDATION, { ...foundationConfig(), sites, app: { project: REBUILD_PROJECT } });
    await up(foundation, progress);
    await until(
      "the fresh site answers",
      300,
      () => askAt(stage.address, "GET", "/"),
      ({ status }) => status === 200,
    );
    setConfig(STANDBY, standbyConfig({ ...stage, site: REBUILD, resume: true }));
    await up(standby, progress);
    await until("the name leads to Google", 300, resolveName, (found) => found.join() === stage.address);
  }

  private async verify(progress: Progress): Promise<void> {
    const { assets, size } = this.from;
    const meanwhile = assets.filter((asset) => asset.meanwhile);
    let returned = 0;
    for (const { id, title } of meanwhile) {
      const { status, body } = await ask("GET", `/api/assets/${id}`);
      if (status === 200 && JSON.parse(body).title === title) returned++;
      else progress(`asset ${id} is not "${title}": ${status} ${body}`);
    }
    this.result = { rowsWritten: meanwhile.length, rowsReturned: returned };
    if (returned < meanwhile.length)
      throw new Error(`${meanwhile.length - returned} rows that were written in AWS are lost`);
    const stores = this.stores!;
    await stores.open();
    const { cassandra, elasticsearch } = await stores.verify(size, progress);
    await stores.close();
    if (!cassandra.digestsMatch || !elasticsearch.digestsMatch)
      throw new Error("what returned is not what was written");
    progress(
      `${cassandra.found} rows and ${elasticsearch.found} documents of before the loss of ${PROD} are there as well`,
    );
  }
}
