/** Load balancers that are declared, as servers on loopback: listeners with their certificates, rules and targets. */
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { KeyPair } from "../../../lib/certificates";
import { logger } from "../../../lib/log";
import { freePort } from "../../../lib/process";
import type { Props } from "../../../lib/types";
import { route, targetGroups } from "./routing";
import type { Targets } from "./targets";

/** A listener that is declared. */
export interface DeclaredListener {
  arn: string;
  inputs: Props;
  /** Inputs of its rules. */
  rules: Props[];
  /** Names of its certificate; empty: none. */
  names: string[];
  balancerArn: string;
}

/** What balancers ask of the rest, and tell it. */
export interface BalancerSurroundings {
  listeners(): DeclaredListener[];
  certificate(names: string[]): Promise<KeyPair>;
  /** Says where a balancer is, and whether it has a healthy target. */
  tell(balancerArn: string, state: { addresses: string[]; healthy: boolean }): void;
  /** Says what stands for an address and port: where the declared port cannot be had, another is taken. */
  forward(address: string, port: number, to: { host: string; port: number }): void;
}

interface Running {
  server: Server;
  listener: DeclaredListener;
}

const log = logger("load balancers");
const ROUND_MS = 500;
/** Addresses of balancers: beside the networks of clusters, which begin at 127.20. */
const addressOf = (index: number) => `127.19.0.${index + 1}`;

export class Balancers {
  private readonly addresses = new Map<string, string>();
  private readonly running = new Map<string, Promise<Running>>();
  private readonly timer: NodeJS.Timeout;
  private rotation = 0;

  constructor(
    private readonly around: BalancerSurroundings,
    private readonly targets: Targets,
  ) {
    this.timer = setInterval(() => this.round(), ROUND_MS);
    this.timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    for (const each of this.running.values()) await this.close(each);
  }

  /** Brings servers in line with what is declared. */
  private round(): void {
    const declared = this.around.listeners();
    for (const listener of declared) {
      const known = this.running.get(listener.arn);
      if (known)
        void known.then(
          (running) => Object.assign(running, { listener }),
          () => undefined,
        );
      else this.running.set(listener.arn, this.open(listener));
    }
    for (const [arn, each] of this.running) {
      if (declared.some((listener) => listener.arn === arn)) continue;
      this.running.delete(arn);
      void this.close(each);
    }
    for (const balancerArn of new Set(declared.map((each) => each.balancerArn))) {
      const groups = declared
        .filter((each) => each.balancerArn === balancerArn)
        .flatMap(({ inputs, rules }) => targetGroups(inputs, rules));
      const healthy = groups.some((group) => this.targets.healthy(group).length > 0);
      this.around.tell(balancerArn, { addresses: [this.addressOf(balancerArn)], healthy });
    }
  }

  private addressOf(balancerArn: string): string {
    const known = this.addresses.get(balancerArn) ?? addressOf(this.addresses.size);
    this.addresses.set(balancerArn, known);
    return known;
  }

  private async open(listener: DeclaredListener): Promise<Running> {
    const host = this.addressOf(listener.balancerArn);
    const wanted = Number(listener.inputs.port);
    const tls = listener.inputs.protocol === "HTTPS";
    const pair = tls ? await this.around.certificate(listener.names) : undefined;
    const server: Server = pair ? createTlsServer({ cert: pair.certificate, key: pair.key }) : createServer();
    const running = { server, listener };
    server.on("request", (request, response) => this.serve(running, request, response));
    // Ports below 1024 are for root alone on most machines.
    const port = await listen(server, host, wanted).catch(async () => listen(server, host, await freePort(host)));
    this.around.forward(host, wanted, { host, port });
    log(`${listener.arn} listens on ${host}:${port}${port === wanted ? "" : ` for ${wanted}`}`);
    return running;
  }

  private async close(each: Promise<Running>): Promise<void> {
    const running = await each.catch(() => undefined);
    running?.server.closeAllConnections();
    running?.server.close();
  }

  private serve({ listener }: Running, request: IncomingMessage, response: ServerResponse): void {
    const scheme = listener.inputs.protocol === "HTTPS" ? "https" : "http";
    const host = request.headers.host ?? "";
    const asked = {
      host,
      path: request.url ?? "/",
      method: request.method ?? "GET",
      scheme,
      port: Number(listener.inputs.port),
    } as const;
    const action = route(listener.inputs, listener.rules, asked);
    if (action.kind === "redirect") return void response.writeHead(action.status, { location: action.location }).end();
    if (action.kind === "respond")
      return void response.writeHead(action.status, { "content-type": action.type }).end(action.body);
    const candidates = this.targets.healthy(action.targetGroup);
    const target = candidates[this.rotation++ % Math.max(candidates.length, 1)];
    const gone = (status: number) => {
      if (response.headersSent) response.destroy();
      else response.writeHead(status, { "content-type": "text/html", server: "awselb/2.0" }).end();
    };
    if (!target) return void gone(503);
    const headers = {
      ...request.headers,
      "x-forwarded-for": request.socket.remoteAddress,
      "x-forwarded-proto": scheme,
      "x-forwarded-port": String(asked.port),
    };
    const onward = httpRequest({ ...target, method: request.method, path: request.url, headers }, (answer) => {
      answer.pipe(response.writeHead(answer.statusCode ?? 502, answer.headers));
    });
    onward.on("error", () => gone(502));
    response.on("close", () => !response.writableEnded && onward.destroy());
    request.pipe(onward);
  }
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve(port);
    });
  });
}
