/** The name servers of the declared zones, on one loopback port, UDP and TCP. */
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import * as packet from "dns-packet";
import { freePort } from "../../../lib/process";

/** A zone that is served. */
export interface ServedZone {
  name: string;
  nameServers: string[];
  /** Answers to a question in it; undefined: there is no such name. */
  answer(name: string, type: string): { type: string; ttl: number; value: string }[] | undefined;
}

export interface DnsServer {
  /** `127.0.0.1:PORT`, UDP and TCP. */
  endpoint: string;
  close(): Promise<void>;
}

const REFUSED = 5;
const NXDOMAIN = 3;
const SOA_TTL = 900;
const NS_TTL = 172_800;

/** Serves until closed. */
export async function serveDns(zones: () => ServedZone[]): Promise<DnsServer> {
  const port = await freePort();
  const udp = createSocket("udp4");
  udp.on("message", (message, from) => {
    const reply = safely(() => packet.encode(respond(packet.decode(message), zones())));
    if (reply) udp.send(reply, from.port, from.address);
  });
  const tcp = createServer((socket) => {
    let kept = Buffer.alloc(0);
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk) => {
      kept = Buffer.concat([kept, chunk]);
      if (kept.length < 2 || kept.length < kept.readUInt16BE(0) + 2) return;
      const reply = safely(() => packet.streamEncode(respond(packet.streamDecode(kept), zones())));
      socket.end(reply ?? "");
    });
  });
  await Promise.all([
    new Promise<void>((resolve, reject) => {
      udp.once("error", reject);
      udp.bind(port, "127.0.0.1", resolve);
    }),
    new Promise<void>((resolve, reject) => {
      tcp.once("error", reject);
      tcp.listen(port, "127.0.0.1", resolve);
    }),
  ]);
  return {
    endpoint: `127.0.0.1:${port}`,
    close: async () => {
      await Promise.all([
        new Promise<void>((resolve) => udp.close(() => resolve())),
        new Promise<void>((resolve) => tcp.close(() => resolve())),
      ]);
    },
  };
}

/** The answer to a query. */
export function respond(query: packet.Packet, zones: ServedZone[]): packet.Packet {
  const [question] = query.questions ?? [];
  const base = { type: "response" as const, id: query.id ?? 0, questions: query.questions ?? [] };
  const name = (question?.name ?? "").toLowerCase().replace(/\.$/, "");
  const zone = zones
    .filter((each) => name === each.name || name.endsWith(`.${each.name}`))
    .sort((a, b) => b.name.length - a.name.length)[0];
  if (!question || !zone) return { ...base, flags: REFUSED };
  const found =
    name === zone.name && ["NS", "SOA"].includes(question.type)
      ? apex(zone, question.type)
      : zone.answer(name, question.type);
  if (found?.length) {
    const answers = found.map((each) => encoded(question.name, each));
    return { ...base, flags: packet.AUTHORITATIVE_ANSWER, answers };
  }
  const exists = found !== undefined || name === zone.name;
  return {
    ...base,
    flags: packet.AUTHORITATIVE_ANSWER | (exists ? 0 : NXDOMAIN),
    authorities: [encoded(zone.name, apex(zone, "SOA")[0]!)],
  };
}

function apex(zone: ServedZone, type: string): { type: string; ttl: number; value: string }[] {
  if (type === "NS") return zone.nameServers.map((value) => ({ type, ttl: NS_TTL, value }));
  return [{ type: "SOA", ttl: SOA_TTL, value: `${zone.nameServers[0]} awsdns-hostmaster.amazon.com` }];
}

/** A record as it goes over the wire. */
function encoded(name: string, { type, ttl, value }: { type: string; ttl: number; value: string }): packet.Answer {
  const base = { name, ttl, class: "IN" as const };
  switch (type) {
    case "SOA": {
      const [mname = "", rname = ""] = value.split(" ");
      return {
        ...base,
        type: "SOA",
        data: { mname, rname, serial: 1, refresh: 7200, retry: 900, expire: 1_209_600, minimum: 86_400 },
      };
    }
    case "CAA": {
      const [, flags = "0", tag = "issue", text = ""] = /^(\d+) (\w+) "(.*)"$/.exec(value) ?? [];
      return { ...base, type: "CAA", data: { flags: Number(flags), tag: tag as "issue", value: text } };
    }
    case "MX": {
      const [preference = "0", exchange = ""] = value.split(" ");
      return { ...base, type: "MX", data: { preference: Number(preference), exchange } };
    }
    case "TXT":
      return { ...base, type: "TXT", data: value.replace(/^"|"$/g, "") };
    default:
      return { ...base, type: type as "A", data: value.replace(/\.$/, "") };
  }
}

function safely<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
