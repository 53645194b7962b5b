import { types } from "../lib/types";
import { resource, specify } from "../testing";
import { repairScheduled } from "./repair-scheduled";

const reaper = (value?: object) => resource(types.cassandra, { spec: { reaper: value } });

specify(repairScheduled, {
  holds: [reaper({ autoScheduling: { enabled: true } })],
  violated: [
    [resource(types.cassandra), /D3, S1: spec.reaper.autoScheduling.enabled is not set; set true/],
    [reaper({ autoScheduling: { enabled: false } }), /enabled is false/],
    [reaper({}), /enabled is not set/],
  ],
});
