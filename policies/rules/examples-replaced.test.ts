import { awsTypes } from "../lib/aws";
import { types } from "../lib/types";
import { pod, resource, specify } from "../testing";
import { examplesReplaced } from "./examples-replaced";

const CHANNEL = "gcp:monitoring/notificationChannel:NotificationChannel";
const channel = (address: string, project = "iconik-prod") =>
  resource(CHANNEL, { project, type: "email", labels: { email_address: address } });
const cluster = (cidrBlock: string, name = "it") =>
  resource(types.cluster, { masterAuthorizedNetworksConfig: { cidrBlocks: [{ cidrBlock }] } }, { name });
const key = (body: string) =>
  JSON.stringify({ keys: [`-----BEGIN PUBLIC KEY-----\n${body}\n-----END PUBLIC KEY-----`] });

specify(examplesReplaced, {
  holds: [
    channel("on-call@iconik.io"),
    channel("drill@example.com", "iconik-drill-prod"),
    cluster("34.1.192.0/28"),
    cluster("192.0.20.0/24"),
    resource(types.job, pod({ env: [{ name: "DR_CONFIG", value: key("another") }] })),
    resource(awsTypes.cluster),
  ],
  violated: [
    [channel("on-call@example.com"), /^S4, S7, D4: "on-call@example.com" of one resource is an example; name who/],
    // Once, however many resources have it.
    [[cluster("192.0.2.0/28"), cluster("192.0.2.0/28", "other")], /: "192\.0\.2\.0\/28" of 2 resources is an [^\n]+$/],
    [resource(awsTypes.cluster, { vpcConfig: { publicAccessCidrs: ["192.0.2.0/28"] } }), /"192\.0\.2\.0\/28"/],
    [
      resource("aws:route53/healthCheck:HealthCheck", { ipAddress: "192.0.2.2" }),
      /"192\.0\.2\.2" of one .* foundation/,
    ],
    [
      resource(types.job, pod({ env: [{ name: "DR_CONFIG", value: key("MFkAEr9IiyIOPjZCmjeL2Y740v3/o8") }] })),
      /"AEr9Iiy\w+" of one resource is an example; set the vault's output markerKeys/,
    ],
  ],
});
