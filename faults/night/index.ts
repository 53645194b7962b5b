/** The faults of the night: backups, copies, retention, restores. */
import type { AnyGroup } from "../run";
import { backupGroup } from "./backup-gate";
import { corruptionGroup } from "./corruption";
import { mediaGroup } from "./media";
import { restoreGroup } from "./restore-killed";

/** Rows by what they stand on, in the order of a night. */
export const nightGroups: readonly AnyGroup[] = [backupGroup, mediaGroup, restoreGroup, corruptionGroup];
