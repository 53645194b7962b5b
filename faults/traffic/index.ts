/** The faults of a site under traffic. */
import { deployGroup } from "../deploys/killed";
import type { AnyGroup, Group } from "../run";
import { clockAheadRow } from "./clock-rows";
import {
  cassandraNodeKilled,
  controlLost,
  drainedByHand,
  podKilled,
  searchLost,
  zoneHung,
  zoneLost,
} from "./cluster-rows";
import { dnsGroup } from "./dns";
import { recorded } from "./ledger";
import { drainedInTheCloud, shareMoved } from "./moved-rows";
import {
  apiServerLost,
  noFault,
  regionApart,
  regionHung,
  regionKilled,
  regionReturns,
  regionSlow,
} from "./region-rows";
import { DEFAULTS, openSite, type SiteStage, SMALLEST } from "./site";
import { allRegionsLost, secretsSilent, secretsUnreachable } from "./site-rows";

/** Faults that a region takes whatever its size. */
const regions: Group<SiteStage> = {
  stage: "a site of two regions with two Cassandra nodes each",
  open: () => openSite(SMALLEST),
  close: (stage) => stage.close(),
  faults: [
    noFault,
    podKilled,
    apiServerLost,
    regionSlow,
    regionApart,
    searchLost,
    controlLost,
    drainedByHand,
    clockAheadRow,
    shareMoved,
    drainedInTheCloud,
    regionKilled,
    regionHung,
    regionReturns,
    allRegionsLost,
  ],
};

/** Faults that a region survives because it has the plan's three of everything. */
const within: Group<SiteStage> = {
  stage: "a site of two regions with three Cassandra nodes each",
  open: () => openSite(DEFAULTS),
  close: (stage) => stage.close(),
  faults: [cassandraNodeKilled, zoneLost, zoneHung, secretsUnreachable, secretsSilent],
};

export const trafficGroups: readonly AnyGroup[] = [recorded(regions), recorded(within), dnsGroup, deployGroup];
