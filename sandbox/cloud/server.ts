/** The HTTP server of the control API, see api.ts. */
import { chmodSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { z } from "zod";
import { logger } from "../lib/log";
import { CloudError, type Props } from "../lib/types";
import {
  type AccessToken,
  type AwsCredentials,
  faultStates,
  type Located,
  type Status,
  type TrafficStatus,
} from "./api";
import type { CheckState } from "./aws/dns/health";
import type { Forward } from "./aws/dns/surface";
import type { CloudControl } from "./control";

/** What the daemon answers itself. */
export interface DaemonHooks {
  token(email: string): Promise<AccessToken>;
  /** Credentials of a role of AWS. */
  awsCredentials(roleArn: string): Promise<AwsCredentials>;
  /** A token by which a role is let into EKS clusters of a name. */
  eksToken(clusterName: string, region: string, roleArn: string): Promise<{ token: string }>;
  status(): Status;
  /** States of Route 53's health checks. */
  healthChecks(): CheckState[];
  /** Says what stands for a public address and port. */
  forward(forward: Forward): void;
  /** Where a public address and port lead; undefined: nobody answers there. */
  locate?(address: string, port: number): Promise<Located | undefined>;
  /** Moves the cloud's clock forward and tells what it shows then. */
  moveClock(seconds: number): Promise<Date>;
  /** Absent: nothing serves load balancers. */
  traffic?(): Promise<TrafficStatus>;
  /** Makes a fault of 1Password, or ends it. Absent: there is none. */
  onePassword?(reach: (typeof faultStates.onepassword)[number]): Promise<void>;
  /** Ends the daemon; called after the answer has been sent. */
  stop(): Promise<void>;
}

const log = logger("cloud");

const props = z.record(z.string(), z.unknown());
const word = z.string().min(1);
const created = z.strictObject({ type: word, name: word, inputs: props, caller: word });
const read = z.strictObject({ type: word, id: word });
const updated = z.strictObject({ type: word, id: word, inputs: props, caller: word });
const deleted = z.strictObject({ type: word, id: word, caller: word });
const invoked = z.strictObject({ token: word, args: props, caller: word });
const account = z.strictObject({ email: word });
const port = z.int().min(1).max(65_535);
const located = z.strictObject({ address: word, port });
const forward = z.strictObject({ address: word, port, to: z.strictObject({ host: word, port }) });
const role = z.strictObject({ roleArn: word });
const eksToken = z.strictObject({ clusterName: word, region: word, roleArn: word });
const fault = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("region"), target: word, state: z.enum(faultStates.region) }),
  z.strictObject({ kind: z.literal("zone"), target: word, state: z.enum(faultStates.zone) }),
  z.strictObject({ kind: z.literal("control-plane"), target: word, state: z.enum(faultStates["control-plane"]) }),
  z.strictObject({ kind: z.literal("bucket"), target: word, state: z.enum(faultStates.bucket) }),
  z.strictObject({ kind: z.literal("cloud"), target: z.literal("gcp"), state: z.enum(faultStates.cloud) }),
  z.strictObject({ kind: z.literal("onepassword"), target: z.literal("all"), state: z.enum(faultStates.onepassword) }),
]);

const move = z.strictObject({ seconds: z.number() });
/** What answers the calls about resources: one cloud, or several. */
export type ControlPlane = Pick<CloudControl, "create" | "read" | "update" | "delete" | "invoke" | "fault">;

type Route = (body: unknown) => Promise<unknown>;

/** A call whose body has a shape. */
function call<T>(shape: z.ZodType<T>, work: (body: T) => Promise<unknown>): Route {
  return async (body) => {
    const parsed = shape.safeParse(body);
    if (!parsed.success) throw new CloudError(400, "invalid", `wrong call: ${z.prettifyError(parsed.error)}`);
    return (await work(parsed.data)) ?? {};
  };
}

function routes(control: ControlPlane, hooks: DaemonHooks): Map<string, Route> {
  return new Map<string, Route>([
    ["POST /resources/create", call(created, (b) => control.create(b.type, b.name, b.inputs, b.caller))],
    [
      "POST /resources/read",
      call(read, async ({ type, id }) => {
        const found = await control.read(type, id);
        if (!found) throw new CloudError(404, "notFound", `${id} was not found`);
        return found;
      }),
    ],
    [
      "POST /resources/update",
      call(updated, async (b) => ({ outputs: await control.update(b.type, b.id, b.inputs, b.caller) })),
    ],
    ["POST /resources/delete", call(deleted, (b) => control.delete(b.type, b.id, b.caller))],
    [
      "POST /invoke",
      call(invoked, ({ token, args, caller }) =>
        control.invoke(token, args, caller, async () => (await hooks.token(caller)).accessToken),
      ),
    ],
    ["POST /token", call(account, ({ email }) => hooks.token(email))],
    ["POST /aws/credentials", call(role, ({ roleArn }) => hooks.awsCredentials(roleArn))],
    ["POST /aws/eks-token", call(eksToken, (b) => hooks.eksToken(b.clusterName, b.region, b.roleArn))],
    ["POST /aws/forward", call(forward, async (b) => hooks.forward(b))],
    [
      "POST /locate",
      call(located, async ({ address, port: at }) => {
        const found = await hooks.locate?.(address, at);
        if (!found) throw new CloudError(404, "notFound", `nobody answers at ${address}:${at}`);
        return found;
      }),
    ],
    ["GET /aws/health-checks", async () => ({ checks: hooks.healthChecks() })],
    [
      "POST /fault",
      call(fault, async (body) =>
        body.kind === "onepassword" ? hooks.onePassword?.(body.state) : control.fault(body),
      ),
    ],
    ["POST /clock", call(move, async ({ seconds }) => ({ now: (await hooks.moveClock(seconds)).toISOString() }))],
    ["GET /status", async () => hooks.status()],
    ...(hooks.traffic ? [["GET /traffic", async () => hooks.traffic?.()] as [string, Route]] : []),
    ["POST /stop", async () => ({})],
  ]);
}

/** Serves on a unix socket that only its owner can use. */
export async function serveControl(socket: string, control: ControlPlane, hooks: DaemonHooks): Promise<Server> {
  const known = routes(control, hooks);
  rmSync(socket, { force: true });
  const server = createServer((request, response) => {
    const path = `${request.method} ${request.url}`;
    const answer = (status: number, body: unknown) => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    void json(request)
      .then(async (body) => {
        const route = known.get(path);
        if (!route)
          throw new CloudError(404, "notFound", `no such call: ${path}; there are ${[...known.keys()].join(", ")}`);
        if (path === "POST /stop") response.once("finish", () => void hooks.stop());
        answer(200, await route(body));
      })
      .catch((error: Error) => {
        const refusal = error instanceof CloudError ? error : new CloudError(500, "internal", error.message);
        if (refusal.status >= 500) log(`${path}: ${error.stack}`);
        answer(refusal.status, {
          error: { status: refusal.status, reason: refusal.reason, message: refusal.message },
        });
      });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(socket, resolve);
  });
  chmodSync(socket, 0o600);
  return server;
}

async function json(request: IncomingMessage): Promise<Props> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8") || "{}");
  } catch (error) {
    throw new CloudError(400, "invalid", `the body is no JSON: ${(error as Error).message}`);
  }
}
