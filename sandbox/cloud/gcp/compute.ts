/** Networks and what hangs on them: recorded, with the references and ranges checked that Compute Engine checks. */
import { BlockList, isIP } from "node:net";
import { type Behaviour, CloudError, type Props } from "../../lib/types";
import { type Registry, text } from "../registry";
import { absent, invalid, LABEL, matches, notFound, required } from "./checks";

const NETWORK = "gcp:compute/network:Network";
const SUBNETWORK = "gcp:compute/subnetwork:Subnetwork";
const ROUTER = "gcp:compute/router:Router";

/** Behaviours by type token. */
export function computeBehaviours(registry: Registry): Record<string, Behaviour> {
  const needs = (type: string, reference: string) => {
    const id = fullId(reference);
    if (!registry.all(type).some((each) => each.id === id || text(each.inputs, "name") === reference))
      throw notFound(`The resource '${reference}'`);
  };
  return {
    [NETWORK]: {
      ...recorded(registry, NETWORK, (inputs) => `global/networks/${text(inputs, "name")}`),
      delete: async ({ id, inputs }) => {
        const user = registry
          .all(SUBNETWORK)
          .find((each) => [id, text(inputs, "name")].includes(fullId(text(each.inputs, "network"))));
        if (user)
          throw new CloudError(
            400,
            "resourceInUseByAnotherResource",
            `The network resource '${id}' is already being used by '${user.id}'`,
          );
      },
    },
    [SUBNETWORK]: recorded(
      registry,
      SUBNETWORK,
      (inputs) => `regions/${required(inputs, "region", "subnetwork")}/subnetworks/${text(inputs, "name")}`,
      (inputs) => {
        needs(NETWORK, text(inputs, "network"));
        const others = registry
          .all(SUBNETWORK)
          .filter((each) => fullId(text(each.inputs, "network")) === fullId(text(inputs, "network")));
        checkRanges(
          ranges(inputs),
          others
            .filter((each) => text(each.inputs, "name") !== text(inputs, "name"))
            .flatMap((each) => ranges(each.inputs)),
        );
      },
    ),
    [ROUTER]: recorded(
      registry,
      ROUTER,
      (inputs) => `regions/${required(inputs, "region", "router")}/routers/${text(inputs, "name")}`,
      (inputs) => needs(NETWORK, text(inputs, "network")),
    ),
    "gcp:compute/firewall:Firewall": recorded(
      registry,
      "gcp:compute/firewall:Firewall",
      (inputs) => `global/firewalls/${text(inputs, "name")}`,
      (inputs) => {
        needs(NETWORK, text(inputs, "network"));
        for (const range of (inputs.sourceRanges as string[]) ?? []) block(range);
      },
    ),
    "gcp:compute/globalAddress:GlobalAddress": recorded(
      registry,
      "gcp:compute/globalAddress:GlobalAddress",
      (inputs) => `global/addresses/${text(inputs, "name")}`,
    ),
  };
}

function recorded(
  registry: Registry,
  type: string,
  path: (inputs: Props) => string,
  check: (inputs: Props) => void = () => undefined,
): Behaviour {
  return {
    create: async (inputs) => {
      matches(text(inputs, "name"), LABEL, "name");
      const id = `projects/${required(inputs, "project", type)}/${path(inputs)}`;
      absent(registry, type, id);
      check(inputs);
      return { id, outputs: { ...inputs, selfLink: `https://www.googleapis.com/compute/v1/${id}` } };
    },
    update: async ({ outputs }, inputs) => {
      check(inputs);
      return { ...outputs, ...inputs };
    },
  };
}

/** `projects/…` of an id, a self link or a bare name. */
const fullId = (reference: string) => reference.replace(/^https:\/\/www\.googleapis\.com\/compute\/v1\//, "");

/** Primary and secondary ranges of a subnetwork. */
function ranges(inputs: Props): string[] {
  const secondary = (inputs.secondaryIpRanges as { ipCidrRange: string }[] | undefined) ?? [];
  return [text(inputs, "ipCidrRange"), ...secondary.map((each) => each.ipCidrRange)];
}

/** @throws CloudError 400 when a range is none or overlaps with another of the network */
export function checkRanges(own: string[], others: string[]): void {
  const seen = [...others];
  for (const range of own) {
    for (const other of seen) {
      if (overlap(range, other)) throw invalid(`Invalid IPCidrRange: ${range} conflicts with existing range ${other}`);
    }
    seen.push(range);
  }
}

function overlap(a: string, b: string): boolean {
  return block(a).check(address(b)) || block(b).check(address(a));
}

const address = (range: string) => range.split("/")[0] ?? "";

function block(range: string): BlockList {
  const [host = "", bits = ""] = range.split("/");
  if (isIP(host) !== 4 || !/^\d+$/.test(bits) || Number(bits) > 32) throw invalid(`Invalid IPCidrRange: "${range}"`);
  const list = new BlockList();
  list.addSubnet(host, Number(bits));
  return list;
}
