/** The faults of the night: backups, copies, retention, restores. */
import type { AnyGroup, Group } from "../run";
import { backupGroup } from "./backup-gate";
import { clockSkew } from "./clock-skew";
import { type CopiesStage, closeCopiesStage, openCopiesStage } from "./copies-stage";
import { copyBitFlip, copyObjectMissing } from "./copy-damaged";
import { copyTornRepository } from "./copy-torn-repository";
import { corruptionGroup } from "./corruption";
import { markerForged, markerMissing } from "./marker-not-believed";
import { mediaGroup } from "./media";
import { replicatorKilled, replicatorKilledTwice } from "./replicator-killed";
import { restoreGroup } from "./restore-killed";
import { retentionEdges } from "./retention-edges";
import { searchVerificationGroup } from "./search-verification";
import { storageFails, storageForbids, storageSlow, storageThrottles } from "./storage-refuses";
import { tableGroup } from "./table-dropped";
import { twoReplicators } from "./two-replicators";
import { verificationGroup } from "./verification";

const copiesGroup: Group<CopiesStage> = {
  stage: "a site's backups and the second copies, with the real jobs",
  open: openCopiesStage,
  close: closeCopiesStage,
  faults: [
    copyTornRepository,
    copyBitFlip,
    copyObjectMissing,
    markerForged,
    markerMissing,
    replicatorKilled,
    replicatorKilledTwice,
    twoReplicators,
    storageForbids,
    storageThrottles,
    storageFails,
    storageSlow,
    clockSkew,
    retentionEdges,
  ],
};

/** Rows by what they stand on, in the order of a night. */
export const nightGroups: readonly AnyGroup[] = [
  backupGroup,
  copiesGroup,
  mediaGroup,
  verificationGroup,
  searchVerificationGroup,
  restoreGroup,
  tableGroup,
  corruptionGroup,
];
