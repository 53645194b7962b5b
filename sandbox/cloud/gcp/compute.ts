/** Networks and what hangs on them: recorded, with the references and ranges checked that Compute Engine checks. */
import { BlockList, isIP } from "node:net";
import { type Behaviour, CloudError, type Props } from "../../lib/types";
import { type Registry, text } from "../registry";
import { absent, invalid, LABEL, matches, notFound, required } from "./checks";

/** Type token. */
export const NETWORK = "gcp:compute/network:Network";
/** Type token. */
export const SUBNETWORK = "gcp:compute/subnetwork:Subnetwork";
const ROUTER = "gcp:compute/router:Router";
const NAT = "gcp:compute/routerNat:RouterNat";
/** Type token. */
export const FIREWALL = "gcp:compute/firewall:Firewall";
const ADDRESS = "gcp:compute/address:Address";
const FORWARDING_RULE = "gcp:compute/globalForwardingRule:GlobalForwardingRule";
const GROUP = "gcp:compute/networkEndpointGroup:NetworkEndpointGroup";
/** Type token. */
export const GLOBAL_ADDRESS = "gcp:compute/globalAddress:GlobalAddress";

/** Behaviours by type token. */
export function computeBehaviours(registry: Registry): Record<string, Behaviour> {
  /** Id of a parent given by its id, self link or name. */
  const parent = (type: string, inputs: Props, field: string): string => {
    const reference = fullId(required(inputs, field, type));
    const found = registry
      .all(type)
      .find(({ id, inputs: own }) =>
        reference.includes("/")
          ? id === reference
          : own.name === reference &&
            own.project === inputs.project &&
            (own.region === undefined || own.region === inputs.region),
      );
    if (!found) throw notFound(`The resource '${reference}'`);
    return found.id;
  };
  const inNetwork = (type: string, network: string) =>
    registry
      .all(type)
      .filter(
        ({ inputs }) =>
          [network, network.split("/").at(-1)].includes(fullId(text(inputs, "network"))) &&
          network.startsWith(`projects/${text(inputs, "project")}/`),
      );
  return {
    [NETWORK]: {
      ...recorded(registry, NETWORK, (inputs) => `global/networks/${text(inputs, "name")}`),
      delete: async ({ id }) => {
        const [user] = [SUBNETWORK, ROUTER, FIREWALL, GROUP].flatMap((type) => inNetwork(type, id));
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
        const others = inNetwork(SUBNETWORK, parent(NETWORK, inputs, "network")).filter(
          ({ inputs: other }) => other.name !== inputs.name || other.region !== inputs.region,
        );
        checkRanges(
          ranges(inputs),
          others.flatMap((each) => ranges(each.inputs)),
        );
      },
    ),
    [ROUTER]: recorded(
      registry,
      ROUTER,
      (inputs) => `regions/${required(inputs, "region", "router")}/routers/${text(inputs, "name")}`,
      (inputs) => void parent(NETWORK, inputs, "network"),
    ),
    [NAT]: recorded(
      registry,
      NAT,
      (inputs) =>
        `regions/${required(inputs, "region", "NAT")}/routers/${text(inputs, "router")}/${text(inputs, "name")}`,
      (inputs) => void parent(ROUTER, inputs, "router"),
    ),
    [FIREWALL]: recorded(
      registry,
      FIREWALL,
      (inputs) => `global/firewalls/${text(inputs, "name")}`,
      (inputs) => {
        parent(NETWORK, inputs, "network");
        for (const range of (inputs.sourceRanges as string[]) ?? []) block(range);
      },
    ),
    [ADDRESS]: recorded(
      registry,
      ADDRESS,
      (inputs) => `regions/${required(inputs, "region", "address")}/addresses/${text(inputs, "name")}`,
    ),
    [GLOBAL_ADDRESS]: globalAddress(registry),
  };
}

/** A global address gets a free one of the range for documentation, unless the program names its own. */
function globalAddress(registry: Registry): Behaviour {
  const base = recorded(registry, GLOBAL_ADDRESS, (inputs) => `global/addresses/${text(inputs, "name")}`);
  const taken = () => new Set(registry.all(GLOBAL_ADDRESS).map(({ outputs }) => outputs.address));
  return {
    ...base,
    create: async (inputs, caller) => {
      const made = await base.create(inputs, caller);
      const used = taken();
      const free = Array.from({ length: 254 }, (_, host) => `198.51.100.${host + 1}`).find((each) => !used.has(each));
      return { ...made, outputs: { address: free, ...made.outputs } };
    },
    delete: async ({ id, outputs }) => {
      const user = registry
        .all(FORWARDING_RULE)
        .find(({ inputs }) => [outputs.address, id].includes(fullId(text(inputs, "ipAddress"))));
      if (user)
        throw new CloudError(
          400,
          "resourceInUseByAnotherResource",
          `The address resource '${id}' is already being used by '${user.id}'`,
        );
    },
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
export const fullId = (reference: string) => reference.replace(/^https:\/\/www\.googleapis\.com\/compute\/v1\//, "");

/** Primary and secondary ranges of a subnetwork. */
function ranges(inputs: Props): string[] {
  const secondary = (inputs.secondaryIpRanges as { ipCidrRange: string }[] | undefined) ?? [];
  return [text(inputs, "ipCidrRange"), ...secondary.map((each) => each.ipCidrRange)];
}

/** @throws CloudError 400 when a range is none or overlaps with another of the network */
export function checkRanges(own: string[], others: string[]): void {
  const seen = [...others];
  for (const range of own) {
    block(range);
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
  const value = host.split(".").reduce((sum, byte) => sum * 256 + Number(byte), 0);
  if (value % 2 ** (32 - Number(bits)) !== 0)
    throw invalid(`Invalid IPCidrRange: "${range}" has bits set behind its prefix of ${bits}`);
  return list;
}
