/** Targets of target groups, registered by controllers and checked for real. Source: "Health checks for target groups". */
import { request } from "node:http";
import { CloudError, type Props } from "../../../lib/types";
import { first } from "../checks";
import { isGood } from "./routing";

/** Where a pod listens. */
export interface Target {
  host: string;
  port: number;
}

interface State extends Target {
  healthy: boolean;
  /** Answers in a row that say otherwise. */
  contrary: number;
  /** Nothing is known of it yet: one good answer is enough then. */
  initial: boolean;
  /** When it is asked next, in ms. */
  next: number;
  busy: boolean;
}

const TICK_MS = 250;

export class Targets {
  private readonly groups = new Map<string, Map<string, State>>();
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly settings: (groupArn: string) => Props | undefined) {
    this.timer = setInterval(() => this.tick(), TICK_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Makes these the targets of a group. @throws CloudError 400 when there is no such group */
  set(groupArn: string, targets: Target[]): void {
    if (!this.settings(groupArn))
      throw new CloudError(400, "TargetGroupNotFound", `One or more target groups not found: ${groupArn}`);
    const known = this.groups.get(groupArn) ?? new Map<string, State>();
    const wanted = new Map<string, State>();
    for (const target of targets) {
      const key = `${target.host}:${target.port}`;
      wanted.set(
        key,
        known.get(key) ?? { ...target, healthy: false, initial: true, contrary: 0, next: 0, busy: false },
      );
    }
    this.groups.set(groupArn, wanted);
  }

  /** Targets that get requests. */
  healthy(groupArn: string): Target[] {
    return [...(this.groups.get(groupArn)?.values() ?? [])].filter(({ healthy }) => healthy);
  }

  private tick(): void {
    const now = Date.now();
    for (const [groupArn, targets] of this.groups) {
      const inputs = this.settings(groupArn);
      if (!inputs) {
        this.groups.delete(groupArn);
        continue;
      }
      const check = first(inputs.healthCheck);
      for (const state of targets.values()) {
        if (state.busy || state.next > now) continue;
        state.busy = true;
        state.next = now + Number(check.interval ?? 30) * 1000;
        void answers(state, check).then((well) => {
          state.busy = false;
          state.contrary = well === state.healthy ? 0 : state.contrary + 1;
          const threshold = Number((well ? check.healthyThreshold : check.unhealthyThreshold) ?? 3);
          if (state.contrary < (state.initial ? 1 : threshold)) return;
          state.initial = false;
          state.healthy = well;
          state.contrary = 0;
        });
      }
    }
  }
}

function answers({ host, port }: Target, check: Props): Promise<boolean> {
  const at = check.port === undefined || check.port === "traffic-port" ? port : Number(check.port);
  return new Promise((resolve) => {
    const call = request({
      host,
      port: at,
      path: String(check.path ?? "/"),
      timeout: Number(check.timeout ?? 5) * 1000,
      agent: false,
      headers: { "user-agent": "ELB-HealthChecker/2.0" },
    });
    call.once("timeout", () => call.destroy(new Error("no answer in time")));
    call.once("error", () => resolve(false));
    call.once("response", (response) => {
      response.resume();
      resolve(isGood(response.statusCode ?? 0, String(check.matcher ?? "200")));
    });
    call.end();
  });
}
