/** Does what is declared let packets in? Source: "VPC firewall rules", priority, implied rules, components of a rule. */
import { BlockList } from "node:net";
import type { Props } from "../lib/types";

/** Packets of one kind that reach a machine. */
export interface Packets {
  /** Id of the machine's network. */
  network: string;
  /** Network tags of the machine. */
  tags: readonly string[];
  /** Range that they come from, in CIDR notation. */
  source: string;
  /** Destination, TCP. */
  port: number;
}

/** A rule with the full id of its network. */
export interface FirewallRule {
  network: string;
  inputs: Props;
}

const DEFAULT_PRIORITY = 1000;

/** True when the rule that decides allows them: the lowest number, of equal ones a refusal; without any, ingress is refused. */
export function admits(rules: readonly FirewallRule[], packets: Packets): boolean {
  const fitting = rules.filter((rule) => matches(rule, packets));
  const first = Math.min(...fitting.map(({ inputs }) => priority(inputs)));
  const deciding = fitting.filter(({ inputs }) => priority(inputs) === first);
  return deciding.length > 0 && deciding.every(({ inputs }) => parts(inputs.denies).length === 0);
}

const priority = ({ priority: given }: Props) => Number(given ?? DEFAULT_PRIORITY);

function matches({ network, inputs }: FirewallRule, packets: Packets): boolean {
  const { direction = "INGRESS", disabled, targetTags, sourceRanges } = inputs;
  const tags = texts(targetTags);
  return (
    network === packets.network &&
    direction === "INGRESS" &&
    disabled !== true &&
    (tags.length === 0 || tags.some((tag) => packets.tags.includes(tag))) &&
    texts(sourceRanges).some((range) => contains(range, packets.source)) &&
    [...parts(inputs.allows), ...parts(inputs.denies)].some((part) => opens(part, packets.port))
  );
}

/** One `allows` or `denies`: a protocol, with ports or ranges of them, or all of its ports. */
function opens({ protocol, ports }: Props, port: number): boolean {
  if (!["tcp", "6", "all"].includes(String(protocol))) return false;
  const wanted = texts(ports);
  return (
    wanted.length === 0 ||
    wanted.some((range) => {
      const [from, to = from] = range.split("-").map(Number);
      return port >= from! && port <= to!;
    })
  );
}

function contains(range: string, inner: string): boolean {
  const [network = "", bits = "32"] = range.split("/");
  const [host = "", innerBits = "32"] = inner.split("/");
  if (network.includes(":") || Number(bits) > Number(innerBits)) return false;
  const list = new BlockList();
  list.addSubnet(network, Number(bits));
  return list.check(host);
}

const parts = (value: unknown): Props[] => (Array.isArray(value) ? value : []);
const texts = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
