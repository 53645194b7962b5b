import { detectionSeconds, failoverSeconds } from "../../plan/traffic";
import { judge } from "../lib/judge";
import type { ResourceRule } from "../lib/rule";
import { types } from "../lib/types";

/** What Google takes when nothing is declared. */
const DEFAULTS = { checkIntervalSec: 5, timeoutSec: 5, unhealthyThreshold: 2 };

/** A region that fails is seen to fail before the plan's time for a failover has passed. */
export const failoverInTime: ResourceRule = {
  name: "failover-in-time",
  description: `Health checks see a failure within ${failoverSeconds} s`,
  plan: ["D1"],
  types: [types.healthCheck],
  check: ({ props }) =>
    judge([props], (declared) => {
      const of = (name: keyof typeof DEFAULTS) => Number(declared[name] ?? DEFAULTS[name]);
      const [interval, timeout, threshold] = [of("checkIntervalSec"), of("timeoutSec"), of("unhealthyThreshold")];
      const seconds = detectionSeconds({
        intervalSeconds: interval,
        timeoutSeconds: timeout,
        unhealthyThreshold: threshold,
      });
      return seconds <= failoverSeconds
        ? []
        : [
            `${threshold} failures of a check every ${interval} s that may take ${timeout} s are seen after ${seconds} s, ` +
              `${failoverSeconds} s are allowed; lower checkIntervalSec, timeoutSec or unhealthyThreshold`,
          ];
    }),
};
