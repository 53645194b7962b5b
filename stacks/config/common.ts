/** What the configurations of several roles share. */
import { z } from "zod";
import { isDrillProject } from "../../plan/names";
import { image, member, networks, projectId } from "./fields";
import { notifications } from "./notifications";

/** Keys of every stack on Google Cloud. */
export const common = {
  project: projectId,
  deployer: member,
  deletionProtection: z.boolean().default(true),
  notifications,
};

/** Keys of every stack with clusters. */
export const workloads = {
  images: z.strictObject({ jobs: image }),
  authorizedNetworks: networks,
};

/** Data goes unprotected where drills are, and nowhere else. */
export function protectedOutsideDrills(
  config: { project: string; deletionProtection: boolean },
  issues: z.RefinementCtx,
): void {
  if (config.deletionProtection || isDrillProject(config.project)) return;
  const message =
    'only projects of drills go unprotected; remove it, or use a project with "drill" between hyphens in its name';
  issues.addIssue({ code: "custom", path: ["deletionProtection"], input: false, message });
}
