import { types } from "../lib/types";
import { type Props, resource, specify } from "../testing";
import { networksClosed } from "./networks-closed";

const cluster = (...cidrs: string[]) =>
  resource(types.cluster, {
    masterAuthorizedNetworksConfig: {
      cidrBlocks: cidrs.map((cidrBlock) => ({ cidrBlock })),
      gcpPublicCidrsAccessEnabled: false,
    },
  });
const firewall = (props: Props) => resource(types.firewall, { allows: [{ protocol: "tcp" }], ...props });

specify(networksClosed, {
  holds: [
    cluster("192.0.2.0/28", "10.0.0.0/8"),
    cluster(),
    resource(types.cluster, { privateClusterConfig: { enablePrivateEndpoint: true } }),
    firewall({ sourceRanges: ["35.191.0.0/16", "10.68.0.0/16"] }),
    firewall({ sourceServiceAccounts: ["gke@p"] }),
    firewall({ direction: "EGRESS" }),
    resource(types.firewall, { denies: [{ protocol: "all" }] }),
    resource(types.firewall),
  ],
  violated: [
    [resource(types.cluster), /S4, D5: masterAuthorizedNetworksConfig is not set/],
    [cluster("0.0.0.0/0"), /authorized network "0.0.0.0\/0" is half the world/],
    [cluster("0.0.0.0/1", "128.0.0.0/1"), /0.0.0.0\/1.*\n.*128.0.0.0\/1/],
    [cluster("::/0"), /::\/0/],
    [
      resource(types.cluster, { masterAuthorizedNetworksConfig: { cidrBlocks: [] } }),
      /gcpPublicCidrsAccessEnabled is not false/,
    ],
    [firewall({ sourceRanges: ["0.0.0.0/0"] }), /sourceRanges has "0.0.0.0\/0"/],
    [firewall({ sourceRanges: [] }), /no source is set/],
    [firewall({}), /no source is set/],
  ],
});
