import { rateLimit } from "../plan/traffic";

/** Cloud Armor's families of preconfigured rules, at the sensitivity with the fewest false alarms. */
const families = ["sqli", "xss", "lfi", "rce", "rfi", "scannerdetection", "protocolattack", "sessionfixation"] as const;

/** Priority of the rule that every policy ends with. */
const lastPriority = 2_147_483_647;

const everybody = { versionedExpr: "SRC_IPS_V1", config: { srcIpRanges: ["*"] } };

/**
 * The rules of the product's Cloud Armor policy, first match wins. Attacks on known vulnerabilities are refused; the
 * other families are only logged (preview), as titles and metadata of media look like anything: enforce one when its log
 * is clean. They come before the limit of requests, which ends the search with whatever it decides.
 */
export function securityRules() {
  return [
    {
      priority: 1000,
      description: "Known vulnerabilities are refused",
      action: "deny(403)",
      match: { expr: { expression: "evaluatePreconfiguredWaf('cve-canary', {'sensitivity': 1})" } },
    },
    ...families.map((family, index) => ({
      priority: 1100 + index,
      description: `Logged: ${family}`,
      action: "deny(403)",
      preview: true,
      match: { expr: { expression: `evaluatePreconfiguredWaf('${family}-v33-stable', {'sensitivity': 1})` } },
    })),
    {
      priority: 2000,
      description: "Requests of one address are limited",
      action: "throttle",
      match: everybody,
      rateLimitOptions: {
        conformAction: "allow",
        exceedAction: "deny(429)",
        enforceOnKey: "IP",
        rateLimitThreshold: { count: rateLimit.requests, intervalSec: rateLimit.intervalSeconds },
      },
    },
    { priority: lastPriority, description: "Everything else is allowed", action: "allow", match: everybody },
  ];
}
