/** The HTTP server of the control API, see api.ts. */
import { chmodSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { logger } from "../lib/log";
import { CloudError, type Props } from "../lib/types";
import type { AccessToken, Fault, Status } from "./api";
import type { CloudControl } from "./control";

export interface DaemonHooks {
  token(email: string): Promise<AccessToken>;
  status(): Status;
  /** Ends the daemon; called after the answer has been sent. */
  stop(): Promise<void>;
}

const log = logger("cloud");

/** Serves on a unix socket that only its owner can use. */
export async function serveControl(socket: string, control: CloudControl, hooks: DaemonHooks): Promise<Server> {
  const routes: Record<string, (body: Props) => Promise<unknown>> = {
    "/resources/create": (body) =>
      control.create(String(body.type), String(body.name), body.inputs as Props, String(body.caller)),
    "/resources/read": async (body) => {
      const found = await control.read(String(body.type), String(body.id));
      if (!found) throw new CloudError(404, "notFound", `${body.id} was not found`);
      return found;
    },
    "/resources/update": async (body) => ({
      outputs: await control.update(String(body.type), String(body.id), body.inputs as Props, String(body.caller)),
    }),
    "/resources/delete": async (body) => {
      await control.delete(String(body.type), String(body.id), String(body.caller));
      return {};
    },
    "/invoke": (body) => control.invoke(String(body.token), body.args as Props, String(body.caller)),
    "/token": (body) => hooks.token(String(body.email)),
    "/fault": async (body) => {
      await control.fault(body as unknown as Fault);
      return {};
    },
    "/status": async () => hooks.status(),
    "/stop": async () => ({}),
  };
  rmSync(socket, { force: true });
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    const answer = (status: number, body: unknown) => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    void read(request)
      .then(async (body) => {
        const route = routes[path];
        if (!route) throw new CloudError(404, "notFound", `no such call: ${path}`);
        answer(200, await route(body));
        if (path === "/stop") await hooks.stop();
      })
      .catch((error: Error) => {
        const known = error instanceof CloudError ? error : new CloudError(500, "internal", error.message);
        if (known.status >= 500) log(`${path}: ${error.stack}`);
        answer(known.status, { error: { status: known.status, reason: known.reason, message: known.message } });
      });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(socket, resolve);
  });
  chmodSync(socket, 0o600);
  return server;
}

async function read(request: IncomingMessage): Promise<Props> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString("utf8") || "{}");
}
