/**
 * Serves how old the newest backups and copies are, for Prometheus to scrape. Names carry their moment, so listing is
 * enough: the identity reads no object. What it cannot see keeps its last value and grows older, as the alerts want it.
 */
import type { Server } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { BatchV1Api, KubeConfig, type V1CronJob } from "@kubernetes/client-node";
import { Gauge, Registry } from "prom-client";
import { metrics } from "../plan/freshness";
import { evidencePrefix, evidenceResults, listingsPrefix, markersPrefix } from "../plan/layout";
import type { JobConfig } from "./config";
import { serveMetrics } from "./lib/exporter";
import { type Fields, log } from "./lib/log";
import { lateAfter, newestBackup, newestCopy, newestEvidence } from "./lib/newest";
import { namesBelow } from "./lib/rclone";

type Config = JobConfig<"freshness">;
type Site = Config["sites"][number];

/** Looks that may be missed before the process counts as stuck and is started again. */
const STUCK_LOOKS = 10;

/** Runs until it is ended. */
export async function freshness(config: Config): Promise<Fields> {
  const exporter = new Exporter(config);
  const server = await exporter.serve();
  log("serving", { port: config.port, sites: config.sites.map(({ name }) => name) });
  for (;;) {
    await exporter.look();
    await sleep(config.lookSeconds * 1000);
    if (!server.listening) throw new Error("the server of the metrics has ended");
  }
}

class Exporter {
  private readonly registry = new Registry();
  private readonly backup = this.gauge(metrics.backup, "Start of the newest complete backup", ["site", "repository"]);
  private readonly copy = this.gauge(metrics.copy, "Start of the newest second copy", ["site", "repository"]);
  private readonly verification = this.gauge(metrics.verification, "Start of the newest deep verification by result", [
    "site",
    "repository",
    "result",
  ]);
  private readonly looked = this.gauge(metrics.looked, "When the site's backups and copies were last listed", ["site"]);
  private readonly jobSuccess = this.gauge(metrics.jobSuccess, "Last success of a CronJob, or its creation", [
    "cronjob",
  ]);
  private readonly jobLateAfter = this.gauge(metrics.jobLateAfter, "Seconds from one success to a late one", [
    "cronjob",
  ]);
  private lookedAt = Date.now();

  constructor(private readonly config: Config) {
    // A site that is never seen is blind from the start on, not since 1970.
    for (const { name } of config.sites) this.looked.set({ site: name }, this.lookedAt / 1000);
  }

  private gauge<L extends string>(name: string, help: string, labelNames: L[]): Gauge<L> {
    return new Gauge({ name, help, labelNames, registers: [this.registry] });
  }

  /** Is well for as long as the looks go on. */
  serve(): Promise<Server> {
    const stuckMs = STUCK_LOOKS * this.config.lookSeconds * 1000;
    return serveMetrics(this.registry, this.config.port, () => Date.now() - this.lookedAt <= stuckMs);
  }

  /** One look at everything; what fails is logged and leaves the others alone. */
  async look(): Promise<void> {
    for (const site of this.config.sites) await this.guarded(site.name, () => this.lookAtSite(site));
    const { cronJobsIn } = this.config;
    if (cronJobsIn) await this.guarded("cron jobs", () => this.lookAtJobs(cronJobsIn));
    this.lookedAt = Date.now();
  }

  private async guarded(what: string, look: () => Promise<void>): Promise<void> {
    try {
      await look();
    } catch (error) {
      log("cannot look", { severity: "ERROR", what, error: (error as Error).message });
    }
  }

  private async lookAtSite(site: Site): Promise<void> {
    const now = new Date();
    const manifests = await namesBelow(site.bucket, "manifests");
    // Lists after markers: a marker is written after its lists.
    const markers = await namesBelow(this.config.copiesBucket, markersPrefix(site.name));
    const lists = await namesBelow(this.config.copiesBucket, listingsPrefix(site.name));
    const evidence = await namesBelow(this.config.copiesBucket, evidencePrefix(site.name));
    for (const repository of site.repositories) {
      for (const result of evidenceResults) {
        const at = newestEvidence(site.name, repository, result, evidence, now);
        this.verification.set({ site: site.name, repository, result }, at);
      }
      this.backup.set({ site: site.name, repository }, newestBackup(repository, manifests, now));
      this.copy.set({ site: site.name, repository }, newestCopy(site.name, repository, markers, lists, now));
    }
    this.looked.set({ site: site.name }, now.getTime() / 1000);
  }

  private async lookAtJobs(namespace: string): Promise<void> {
    const kube = new KubeConfig();
    kube.loadFromDefault();
    const { items } = await kube.makeApiClient(BatchV1Api).listNamespacedCronJob({ namespace });
    // One that is gone is not late.
    this.jobSuccess.reset();
    this.jobLateAfter.reset();
    for (const item of items) this.noteJob(item);
  }

  private noteJob({ metadata, spec, status }: V1CronJob): void {
    const job = metadata?.name ?? "";
    const success = status?.lastSuccessfulTime ?? metadata?.creationTimestamp;
    if (!spec || !success) return;
    this.jobSuccess.set({ cronjob: job }, new Date(success).getTime() / 1000);
    const deadline = spec.jobTemplate.spec?.activeDeadlineSeconds ?? 0;
    this.jobLateAfter.set({ cronjob: job }, lateAfter(spec.schedule, spec.timeZone, deadline, new Date()));
  }
}
