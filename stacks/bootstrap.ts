import * as gcp from "@pulumi/gcp";
import { Deployer } from "../components/deployer";
import { Federation } from "../components/federation";
import { ProjectServices } from "../components/project-services";
import { StandbyReader } from "../components/standby-reader";
import { StateBackend, StateRoles } from "../components/state-backend";
import { expiry } from "../plan/permissions";
import { githubAttributes, githubCondition, githubPool, keyLocation, stateKeyRing } from "../plan/state";
import type { BootstrapConfig } from "./config";
import { labelEverything } from "./labels";
import type { Outputs } from "./program";

/** APIs by which the accounts in a stack's own project are made and taken on. */
const deployerServices = ["cloudresourcemanager.googleapis.com", "iam.googleapis.com", "iamcredentials.googleapis.com"];

/**
 * What has to be there before anything is deployed: where each stack keeps its state, its key, and the accounts of its
 * pipeline. Its own state is kept like the others'; only people deploy it.
 */
export function bootstrap(config: BootstrapConfig, stack: string): Outputs {
  const { project, github, deployer, deletionProtection, breakGlass } = config;
  labelEverything(config.role);
  const services = new ProjectServices("apis", {
    project,
    services: [...deployerServices, "cloudkms.googleapis.com", "storage.googleapis.com", "sts.googleapis.com"],
  });
  const ready = { dependsOn: [services] };
  const workflows = new Federation(
    "github",
    {
      project,
      poolId: githubPool.id,
      providerId: githubPool.provider,
      description: `Workflows of ${github.repository}`,
      issuer: githubPool.issuer,
      attributes: githubAttributes,
      condition: githubCondition({ name: github.repository, id: github.repositoryId }),
    },
    ready,
  );
  const reader =
    config.stateReader &&
    new StandbyReader("state-reader", { identity: "state-reader", project, ...config.stateReader }, ready);
  const roles = new StateRoles("state-roles", { project }, ready);
  const own = { name: stack, stateLocation: config.stacks[0]!.stateLocation };
  const rings = new Map(
    [own, ...config.stacks].map(({ stateLocation }) => [keyLocation(stateLocation)!, stateLocation] as const),
  );
  const keyRings = Object.fromEntries(
    [...rings.keys()].map((location) => [
      location,
      new gcp.kms.KeyRing(
        `state-keys-${location}`,
        { project, name: stateKeyRing, location },
        { protect: deletionProtection, retainOnDelete: deletionProtection, ...ready },
      ),
    ]),
  );
  const common = { project, roles, deletionProtection };
  const administration = [
    { identity: "bootstrapper" as const, member: deployer },
    ...(reader ? [{ identity: "state-reader" as const, member: reader.member }] : []),
  ];
  const ownState = new StateBackend(`state-${stack}`, {
    ...common,
    stack,
    location: own.stateLocation,
    keyRing: keyRings[keyLocation(own.stateLocation)!]!,
    grants: [{ identity: "deployer", member: deployer }, ...administration],
    encrypters: [deployer],
    decrypters: [],
    accounts: reader ? [reader.account] : [],
  });
  const states = config.stacks.map((each) => {
    const pipeline = new Deployer(
      `deployer-${each.name}`,
      {
        stack: each.name,
        role: each.role,
        project: each.project,
        pool: workflows.pool,
        publishes: each.publishes,
        ...(breakGlass && {
          breakGlass: { member: breakGlass.member, condition: expiry(breakGlass.until, "break-glass") },
        }),
      },
      {
        dependsOn: [new ProjectServices(`apis-${each.name}`, { project: each.project, services: deployerServices })],
      },
    );
    const { deploy, preview } = pipeline.members as Record<string, string>;
    const state = new StateBackend(`state-${each.name}`, {
      ...common,
      stack: each.name,
      location: each.stateLocation,
      keyRing: keyRings[keyLocation(each.stateLocation)!]!,
      grants: [
        { identity: "deployer", member: deploy! },
        { identity: "previewer", member: preview! },
        ...administration,
      ],
      encrypters: [deploy!],
      decrypters: [preview!],
      accounts: [...pipeline.accounts, ...(reader ? [reader.account] : [])],
    });
    return [each.name, { backend: state.url, secretsProvider: state.secretsProvider, ...pipeline.members }] as const;
  });
  return {
    workloadIdentityProvider: workflows.provider,
    states: Object.fromEntries([
      [stack, { backend: ownState.url, secretsProvider: ownState.secretsProvider }],
      ...states,
    ]),
  };
}
