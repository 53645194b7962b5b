/** Damage in the second copy of a search cluster's backups (S8), found by the weekly deep verification. */
import assert from "node:assert/strict";
import type { Fault } from "../fault";
import type { Group } from "../run";
import {
  COPIES,
  closeSearchStage,
  DOCUMENTS,
  night,
  openSearchStage,
  REPOSITORY,
  type SearchStage,
  verify,
} from "../search-stage";
import { failedOver, flipInCopy, whole } from "./evidence";

/** A blob with the data of a shard, in whichever layer it lies. */
const BLOB = /\/indices\/[^/]+\/0\/__[^/]+$/;

const searchCopyBitFlip: Fault<SearchStage> = {
  id: "search-copy-bit-flip",
  fault: "a bit of a search index's data in the second copy is flipped, and nobody copies that object again",
  rows: ["S2", "S3", "S8", "D2"],
  alert: "verification-failed",
  mayLoseSeconds: 0,
  async inject(stage) {
    const copies = { storage: stage.storage, copiesBucket: COPIES, repository: REPOSITORY };
    await night(stage);
    const before = whole(await verify(stage)).nodes;
    const documents = before[0]?.parts.find(({ name }) => name === "assets")?.rows;
    assert.equal(documents, DOCUMENTS);
    const blob = (await flipInCopy(copies, BLOB)).replace(/^.*\/(?=indices\/)/, "");
    const harmed = await verify(stage);
    const outcome = await failedOver(harmed, copies, new RegExp(`${blob} has md5 [0-9a-f]+, expected`));
    // A server that was given the rest does not serve less than there was as if it were all.
    assert.match(JSON.stringify(harmed.evidence?.problems), /assets (was not restored whole|cannot be)/);
    assert.deepEqual(
      harmed.evidence?.nodes.flatMap(({ parts }) => parts),
      [],
    );
    // The next night lays the object anew beside the damaged one.
    await night(stage);
    const after = whole(await verify(stage)).nodes;
    assert.deepEqual(after, before, "every document as it was before");
    return {
      ...outcome,
      recovered: `the next night's copy has the object anew; it was restored, and its ${documents} documents are those of before`,
      lostSeconds: 0,
    };
  },
};

/** Rows on a search node whose backups are copied and verified. */
export const searchVerificationGroup: Group<SearchStage> = {
  stage: "a search node, its backups and their second copies, restored into a throwaway server",
  open: openSearchStage,
  close: closeSearchStage,
  faults: [searchCopyBitFlip],
};
