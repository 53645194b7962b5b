import { appDomain } from "../../plan/traffic";
import { awsTypes } from "../lib/aws";
import { type Props, resource, specify } from "../testing";
import { dnsFailoverDeclared } from "./dns-failover-declared";

const check = (props: Props) =>
  resource(
    awsTypes.healthCheck,
    { tags: { "iconik-role": "standby" }, type: "HTTPS", requestInterval: 10, failureThreshold: 3, ...props },
    { name: "check" },
  );
const reachable = (props: Props = {}) => check({ ipAddress: "192.0.2.2", fqdn: appDomain, ...props });
const named = check({ type: "HTTPS_STR_MATCH", fqdn: "b.s3.eu-central-1.amazonaws.com" });
const both = (props: Props = {}) =>
  check({ type: "CALCULATED", childHealthchecks: ["a", "b"], childHealthThreshold: 2, ...props });
const record = (type: string, props: Props = {}) =>
  resource(
    awsTypes.record,
    { name: appDomain, type: "A", failoverRoutingPolicies: [{ type }], healthCheckId: "c", ...props },
    { name: type.toLowerCase() },
  );
const primary = (props: Props = {}) => record("PRIMARY", { ttl: 60, records: ["192.0.2.2"], ...props });
const alias = (evaluateTargetHealth: boolean) => ({ aliases: [{ name: "lb", evaluateTargetHealth }] });
const secondary = (props: Props = alias(true)) => record("SECONDARY", props);
const checks = [reachable(), named, both()];
const other = resource(awsTypes.record, { name: appDomain, type: "CAA", records: [] });

specify(dnsFailoverDeclared, {
  holds: [
    [...checks, primary(), secondary(), other],
    // Active: both lead to the standby.
    [...checks, record("PRIMARY", alias(false)), secondary()],
    [resource(awsTypes.record, { name: appDomain, type: "A" })],
  ],
  violated: [
    [[...checks, primary()], /S7, D4: app\.iconik\.io has 0 SECONDARY records/],
    [[...checks, secondary()], /has 0 PRIMARY records/],
    [[...checks, primary(), secondary(), record("WEIGHTED")], /has no failover/],
    [[...checks, primary({ ttl: 3600 }), secondary()], /has a TTL of 3600; set 60/],
    [[...checks, primary({ ttl: undefined }), secondary()], /has a TTL of not set/],
    [[...checks, primary(), secondary(alias(false))], /answers without a healthy pod/],
    [
      [
        ...checks,
        primary(),
        resource(awsTypes.record, {
          name: appDomain,
          type: "A",
          ttl: 60,
          failoverRoutingPolicies: [{ type: "SECONDARY" }],
          ...alias(true),
        }),
      ],
      /has no health check/,
    ],
    [[named, both(), primary(), secondary()], /no health check asks for app\.iconik\.io at the primary's address/],
    [
      [reachable({ ipAddress: undefined }), named, both(), primary(), secondary()],
      /by its name, and so whoever serves/,
    ],
    [[reachable(), named, primary(), secondary()], /no calculated health check/],
    [[reachable(), named, both({ childHealthThreshold: 1 }), primary(), secondary()], /no calculated health check/],
    [[...checks, reachable({ disabled: true }), primary(), secondary()], /is disabled/],
    [[...checks, check({ invertHealthcheck: true }), primary(), secondary()], /is inverted/],
    [[...checks, reachable({ type: "TCP" }), primary(), secondary()], /asks by "TCP"; use HTTPS/],
    [[...checks, reachable({ requestInterval: 30 }), primary(), secondary()], /asks every 30 s; set 10/],
    [[...checks, reachable({ failureThreshold: 10 }), primary(), secondary()], /after 10 failures; set 3/],
  ],
});
