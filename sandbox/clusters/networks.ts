/** Loopback networks for clusters, 127.20.0.0/16 and up, shared with whatever else runs on the machine. */
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { CloudError } from "../lib/types";

const FIRST = 20;
const LAST = 119;
/** Port that is held on a network's last address while the network is in use. */
const CLAIM_PORT = 10219;

export class LoopbackNetworks {
  private readonly claims = new Map<number, Server>();

  /** A network that nobody listens on. @throws CloudError 429 when there is none */
  async take(): Promise<number> {
    const used = listeningNetworks();
    for (let network = FIRST; network <= LAST; network++) {
      if (used.has(network) || this.claims.has(network)) continue;
      const claim = await listen(`127.${network}.255.254`);
      if (!claim) continue;
      this.claims.set(network, claim);
      return network;
    }
    throw new CloudError(429, "quotaExceeded", `all ${LAST - FIRST + 1} loopback networks are in use`);
  }

  release(network: number): void {
    this.claims.get(network)?.close();
    this.claims.delete(network);
  }
}

/** Second byte of every 127.N.x.y that has a listener. Source: proc(5), /proc/net/tcp. */
export function listeningNetworks(table = readFileSync("/proc/net/tcp", "utf8")): Set<number> {
  const networks = new Set<number>();
  for (const line of table.split("\n").slice(1)) {
    const [, local = "", , state] = line.trim().split(/\s+/);
    const address = local.slice(0, 8);
    // Little-endian: the first byte of the address is written last.
    if (state === "0A" && address.endsWith("7F")) networks.add(Number.parseInt(address.slice(4, 6), 16));
  }
  return networks;
}

function listen(host: string): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", () => resolve(undefined));
    server.listen(CLAIM_PORT, host, () => resolve(server));
  });
}
