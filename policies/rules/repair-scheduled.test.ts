import { types } from "../lib/types";
import { resource, running, specify } from "../testing";
import { repairScheduled } from "./repair-scheduled";

const reaper = (value?: object) => resource(types.cassandra, { spec: { reaper: value } });
const restoreCopy = resource(types.job, running("restore-copy"));

specify(repairScheduled, {
  holds: [
    reaper({ autoScheduling: { enabled: true } }),
    [reaper({ autoScheduling: { enabled: false } }), restoreCopy],
    [resource(types.cluster)],
  ],
  violated: [
    [resource(types.cassandra), /D3, S1: spec.reaper.autoScheduling.enabled is not set; set true/],
    [reaper({ autoScheduling: { enabled: false } }), /enabled is false/],
    [[reaper({}), resource(types.job, running("restore-cassandra"))], /enabled is not set/],
  ],
});
