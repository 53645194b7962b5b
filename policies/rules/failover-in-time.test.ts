import { types } from "../lib/types";
import { type Props, resource, specify } from "../testing";
import { failoverInTime } from "./failover-in-time";

const check = (props: Props) => resource(types.healthCheck, props);

specify(failoverInTime, {
  holds: [
    [check({ checkIntervalSec: 2, timeoutSec: 2, unhealthyThreshold: 2 })],
    [check({ checkIntervalSec: 4, timeoutSec: 2, unhealthyThreshold: 2 })],
    [check({ checkIntervalSec: 5, timeoutSec: 5, unhealthyThreshold: 1 })],
  ],
  violated: [
    [check({}), /D1: 2 failures of a check every 5 s that may take 5 s are seen after 15 s, 10 s are/],
    [check({ checkIntervalSec: 2, timeoutSec: 2, unhealthyThreshold: 5 }), /seen after 12 s/],
  ],
});
