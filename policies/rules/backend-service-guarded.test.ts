import { types } from "../lib/types";
import { type Props, resource, specify } from "../testing";
import { backendServiceGuarded } from "./backend-service-guarded";

const service = (changes: Props = {}) =>
  resource(types.backendService, {
    loadBalancingScheme: "EXTERNAL_MANAGED",
    healthChecks: "projects/p/global/healthChecks/app",
    outlierDetection: { consecutiveErrors: 5 },
    securityPolicy: "projects/p/global/securityPolicies/app",
    ...changes,
  });

specify(backendServiceGuarded, {
  holds: [service(), service({ healthChecks: ["app"] })],
  violated: [
    [
      resource(types.backendService),
      /D1: loadBalancingScheme is not set.*\n.*healthChecks.*\n.*outlier.*\n.*securityPolicy/,
    ],
    [service({ loadBalancingScheme: "EXTERNAL" }), /loadBalancingScheme is "EXTERNAL"/],
    [service({ healthChecks: [] }), /healthChecks is not set/],
    [service({ healthChecks: "" }), /healthChecks is not set/],
    [service({ outlierDetection: {} }), /outlierDetection is not set/],
  ],
});
