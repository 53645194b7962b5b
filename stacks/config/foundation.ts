/** Configuration of the foundation (role `foundation`). */
import { z } from "zod";
import { isDrillProject } from "../../plan/names";
import { common, protectedOutsideDrills } from "./common";
import { multiRegion, projectId, siteName } from "./fields";
import { prefix, restores, restoresFit, scratchInDrills } from "./media";
import { notified } from "./notifications";

/** Checks the foundation's configuration. */
export const foundation = z
  .strictObject({
    ...common,
    role: z.literal("foundation"),
    media: z.strictObject({ location: multiRegion, prefix, restores }),
    // Cloud Storage refuses a policy that names an account which does not exist: both list what is up already.
    sites: z.array(z.strictObject({ name: siteName, project: projectId })).default([]),
    vault: z
      .strictObject({
        project: projectId,
        /** The window of a failback is open: the standby brings its media back, by an account of the vault's. */
        failback: z.boolean().default(false),
      })
      .optional(),
    app: z.strictObject({ project: projectId }).optional(),
  })
  .superRefine((config, issues) => {
    const add = (path: (string | number)[], input: unknown, message: string) =>
      issues.addIssue({ code: "custom", path, input, message });
    protectedOutsideDrills(config, issues);
    scratchInDrills(config, issues);
    restoresFit(config, issues);
    if (config.media.restores.length > 0 && !config.vault) {
      const message = "nobody could restore: the identities are the vault's; set vault.project";
      add(["media", "restores"], config.media.restores.map(({ id }) => id).join(", "), message);
    }
    for (const [index, { name, project }] of config.sites.entries()) {
      if (config.sites.findIndex((other) => other.name === name) !== index) {
        add(["sites", index, "name"], name, "given twice; name each site once");
      }
      const first = config.sites.findIndex((other) => other.project === project);
      if (first !== index) {
        add(["sites", index, "project"], project, `the project of sites[${first}] as well; each site has its own`);
      }
      if (project === config.project) {
        add(["sites", index, "project"], project, "the foundation's own project; a site has a project of its own");
      }
      if (project === config.vault?.project) {
        add(["sites", index, "project"], project, "the vault's project; a site has a project of its own");
      }
    }
    if (config.vault?.project === config.project) {
      const message = "the foundation's own project; second copies are under administrators of their own";
      add(["vault", "project"], config.project, message);
    }
    const serving = config.app?.project;
    if (serving === undefined) return;
    if (isDrillProject(serving) !== isDrillProject(config.project)) {
      const message = isDrillProject(serving)
        ? "a drill's project, which never serves users; name the project of a site in production"
        : "a project in production, which no drill takes traffic from; name a drill's project";
      add(["app", "project"], serving, message);
    } else if (!config.sites.some(({ project }) => project === serving)) {
      const allowed = config.sites.map(({ project }) => project).join(", ") || "none, as sites is empty";
      add(["app", "project"], serving, `the project of no site that uses the media; allowed: ${allowed}`);
    }
  })
  .superRefine(notified);

export type FoundationConfig = z.output<typeof foundation>;
