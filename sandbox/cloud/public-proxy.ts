/**
 * A proxy for HTTPS, as companies put between their machines and the Internet: by CONNECT, public addresses lead to what stands for
 * them on this machine. Programs that deploy reach them by nothing else, as the addresses are not routed here.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { logger } from "../lib/log";

/** Where a public address and port lead; undefined: nobody answers there. */
export type Locate = (address: string, port: number) => Promise<{ host: string; port: number } | undefined>;

export interface PublicProxy {
  /** `http://127.0.0.1:PORT`, for HTTPS_PROXY. */
  endpoint: string;
  close(): Promise<void>;
}

const log = logger("proxy");

/**
 * Serves until closed. Each connection asks anew where it leads; one that leads nowhere is answered with 502, at once: here nobody
 * waits for packets that are lost.
 */
export async function servePublicProxy(locate: Locate): Promise<PublicProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((_, response) => response.writeHead(405, { allow: "CONNECT" }).end());
  server.on("connect", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket)).on("error", () => socket.destroy());
    lead(locate, request.url ?? "", socket, head).catch((error: Error) => {
      log(`no way to ${request.url}: ${error.message}`);
      socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Connects a client with what stands for an address. @throws when nobody does */
async function lead(locate: Locate, way: string, socket: Socket, head: Buffer): Promise<void> {
  const [, address = "", port = ""] = /^(.+):(\d+)$/.exec(way) ?? [];
  const at = await locate(address, Number(port));
  if (!at) throw new Error("nobody answers there");
  if (socket.destroyed) return;
  const onward = connect(at.port, at.host);
  socket.once("close", () => onward.destroy());
  await once(onward, "connect");
  onward.on("error", () => onward.destroy()).once("close", () => socket.destroy());
  socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
  onward.write(head);
  socket.pipe(onward).pipe(socket);
}
