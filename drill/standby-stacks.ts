/** The stacks of the standby's drill: the vault, a site behind the foundation's front end, and the standby that waits for its loss. */
import type { Stack } from "@pulumi/pulumi/automation";
import type { RegionOutput } from "./clusters";
import {
  type DrillRegion,
  FOUNDATION,
  foundationConfig,
  PROD,
  PROD_PROJECT,
  RETENTION_DAYS,
  siteConfig,
  VAULT,
  VAULT_PROJECT,
  vaultConfig,
} from "./config";
import { customerBuckets, makeCustomers } from "./customers";
import { destroySites } from "./destroy";
import { resolveName, until } from "./public-name";
import { environmentBehindProxy, projectNumber } from "./sandbox";
import { STANDBY, type StandbyStage, standbyConfig } from "./standby-config";
import { destroy, openStack, type Progress, setConfig, up } from "./workspace";

/** Each is there once its phase has run, in the order of the methods. */
export class StandbyStacks {
  vault!: Stack;
  foundation!: Stack;
  standby!: Stack;
  vaultKubeconfig = "";
  standbyKubeconfig = "";
  /** Issuer of the standby's cluster. */
  issuer = "";
  stage!: StandbyStage;
  /** Seconds that the site took to start, with nothing to restore. */
  startSeconds = 0;

  /** @param regions of the site */
  constructor(private readonly regions: readonly DrillRegion[]) {}

  private readonly vaultConfig = () => vaultConfig({ retentionDays: RETENTION_DAYS, regions: this.regions });

  async upVault(progress: Progress): Promise<void> {
    this.vault = await openStack(VAULT, this.vaultConfig());
    const outputs = await up(this.vault, progress);
    this.vaultKubeconfig = outputs.kubeconfig?.value;
    this.stage = {
      address: "",
      markerKeys: outputs.markerKeys?.value,
      projectNumber: await projectNumber(VAULT_PROJECT),
      customerBuckets: await customerBuckets(),
    };
  }

  /** @returns the site's regions */
  async upProd(progress: Progress): Promise<RegionOutput[]> {
    const prod = await openStack(PROD, {
      ...siteConfig(PROD, this.stage.markerKeys),
      regions: this.regions,
    });
    const started = Date.now();
    const outputs = await up(prod, progress);
    this.startSeconds = (Date.now() - started) / 1000;
    return outputs.regions?.value;
  }

  async upFoundation(progress: Progress): Promise<void> {
    this.foundation = await openStack(FOUNDATION, { ...foundationConfig(), app: { project: PROD_PROJECT } });
    this.stage.address = (await up(this.foundation, progress)).address?.value;
  }

  /**
   * The vault trusts the cluster's issuer once it is known. Whoever deploys the standby reaches Google's address through a proxy:
   * nothing else leads there from a program.
   */
  async upPilot(progress: Progress): Promise<void> {
    this.standby = await openStack(STANDBY, standbyConfig(this.stage), await environmentBehindProxy());
    const outputs = await up(this.standby, progress);
    this.standbyKubeconfig = outputs.kubeconfig?.value;
    this.issuer = outputs.issuer?.value;
    await makeCustomers(this.issuer, progress);
    setConfig(VAULT, { ...this.vaultConfig(), standby: { issuer: this.issuer } });
    await up(this.vault, progress);
    await until("the name leads to Google", 300, resolveName, (addresses) => addresses.join() === this.stage.address);
  }

  async destroy(progress: Progress): Promise<void> {
    await destroy(STANDBY, progress);
    await destroySites(this.vault, progress);
  }
}
