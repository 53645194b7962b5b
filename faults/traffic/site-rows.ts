/** The rows that take more than one region, or something that every region leans on. */
import { existsSync, readFileSync } from "node:fs";
import { CoreV1Api, type V1Pod } from "@kubernetes/client-node";
import { kubeConfig, type RegionOutput } from "../../drill/clusters";
import { PROD_PROJECT } from "../../drill/config";
import { SANDBOX_DIR } from "../../drill/sandbox";
import { appKeyspace, namespaces, secrets } from "../../plan/names";
import { failoverSeconds, requests } from "../../plan/traffic";
import { operatorLog } from "../../sandbox/operators/onepassword/log";
import type { Fault } from "../fault";
import { type ClusterHands, front, handsOf } from "./cluster-rows";
import { nodetool } from "./nodetool";
import { foundBounds, outcome, RETURN_SECONDS, rates, sent, takenOverBounds } from "./rows";
import { mended, pause, region, underLoad, until } from "./run";
import type { SiteStage } from "./site";

/** Seconds that nothing serves. */
const DARK_SECONDS = 20;

/**
 * As docs/runbooks/d1.md says it of regions that went one after the other: what the last one had kept for the other was partly
 * in its memory.
 * @returns seconds
 */
async function repair(stage: SiteStage): Promise<number> {
  const started = Date.now();
  const nodes = await handsOf(stage.outputs[0]!).cassandra();
  const rack = ({ metadata }: V1Pod) => metadata?.labels?.["cassandra.datastax.com/rack"];
  for (const node of nodes.filter((each) => rack(each) === rack(nodes[0]!)))
    await nodetool(node, "repair", "--full", appKeyspace);
  return (Date.now() - started) / 1000;
}

/** The region that serves alone is lost as well: nobody is served, and everything is there when its power is. */
export const allRegionsLost: Fault<SiteStage> = {
  id: "all-regions",
  fault: "the only region that still serves loses power, so that no region is left; then both have it again",
  rows: ["D1", "D2"],
  alert: "app-unreachable",
  mayLoseSeconds: 0,
  bounds: {
    ...foundBounds,
    detectionSeconds: failoverSeconds,
    recoverySeconds: DARK_SECONDS + RETURN_SECONDS,
    failureEndSeconds: DARK_SECONDS + RETURN_SECONDS + requests.timeoutSeconds,
  },
  atLeast: sent("others", { darkSeconds: DARK_SECONDS / 2 }),
  inject: async (stage) => {
    const [last, other] = stage.regions;
    const strike = (target: string, state: "off" | "on") => stage.strike({ kind: "region", target, state });
    const off = new Set<string>();
    const lose = async (target: string) => {
      off.add(target);
      await strike(target, "off");
    };
    const serves = async (target: string) => {
      await strike(target, "on");
      const took = await until(stage, `${target} healthy again`, region(target, true), RETURN_SECONDS);
      off.delete(target);
      return took;
    };
    let seconds = Number.NaN;
    let both = Number.NaN;
    const found = await mended(
      async () => {
        await lose(other);
        await until(stage, `${other} unhealthy`, region(other, false), 3 * failoverSeconds);
        const seen = await underLoad(stage, {
          rate: rates.others,
          detects: last,
          inject: async () => {
            await lose(last);
            await pause(DARK_SECONDS * 1000);
            seconds = await serves(last);
          },
          afterSeconds: failoverSeconds,
        });
        both = await serves(other);
        return seen;
      },
      async () => {
        for (const target of off) await serves(target);
      },
    );
    const repaired = await repair(stage);
    return outcome(stage, found, stage.regions, {
      // A checker asks as users do: while none of them is answered, none of its checks passes.
      signal: {
        kind: "metric",
        name: "check_passed",
        value: found.darkSeconds > 0 ? 0 : 1,
        seconds: found.darkSeconds,
      },
      recovered: `the first served ${seconds.toFixed(0)} s after its power was back, the other after ${both.toFixed(0)} s; repaired in ${repaired.toFixed(0)} s`,
      more: { returnSeconds: seconds, darkSeconds: found.darkSeconds },
      withinMs: 120_000,
    });
  },
};

/** What is done to 1Password. */
interface Spoiled extends Pick<Fault<SiteStage>, "id" | "fault"> {
  /**
   * Does it, waits until the operator has said so, and gives its words.
   * @param undo hears first what ends it
   */
  spoil(stage: SiteStage, output: RegionOutput, undo: (how: () => Promise<void>) => void): Promise<string>;
}

/** Nothing is fetched any more: what is there already stays, and restarts need no more. */
const secretsAway = ({ spoil, ...row }: Spoiled): Fault<SiteStage> => ({
  ...row,
  rows: ["S5", "D1"],
  alert: "secrets-not-synced",
  mayLoseSeconds: 0,
  bounds: takenOverBounds,
  atLeast: sent("others"),
  inject: async (stage) => {
    const output = stage.outputs[0]!;
    const hands = handsOf(output);
    let undo = async () => {};
    try {
      const words = await spoil(stage, output, (how) => {
        undo = how;
      });
      const nodes = await hands.cassandra();
      const fronts = await hands.pods(namespaces.services, front);
      const found = await underLoad(stage, {
        rate: rates.others,
        inject: () => hands.kill([nodes[0]!, fronts[0]!]),
        afterSeconds: 2 * failoverSeconds,
      });
      const seconds = await restarted(hands, nodes.length, fronts.length);
      return await outcome(stage, found, stage.regions, {
        signal: { kind: "text", namespace: namespaces.onepassword, text: words },
        recovered: `both were ready ${(seconds + 2 * failoverSeconds).toFixed(0)} s later at the latest, with the Secrets that were there`,
        withinMs: 120_000,
      });
    } finally {
      await undo();
    }
  },
});

/** 1Password refuses the operator's token. */
export const secretsUnreachable: Fault<SiteStage> = secretsAway({
  id: "onepassword",
  fault:
    "1Password refuses the operator's token in a region while a pod of the front and a Cassandra node are killed there",
  spoil: async (_, output, undo) => {
    const since = logged(output).length;
    undo(await refuseToken(output));
    return said(output, since, /service account token is not valid/);
  },
});

/** 1Password is not there: first connections are refused, then taken and never answered. */
export const secretsSilent: Fault<SiteStage> = secretsAway({
  id: "onepassword-silent",
  fault:
    "connections to 1Password are refused, then taken and nothing answers, while a pod of the front and a Cassandra node are killed",
  spoil: async (stage, output, undo) => {
    const reach = (state: "refuses" | "hangs" | "answers") =>
      stage.strike({ kind: "onepassword", target: "all", state });
    const since = logged(output).length;
    undo(() => reach("answers"));
    await reach("refuses");
    await said(output, since, /ECONNREFUSED/);
    await reach("hangs");
    return said(output, since, /no answer within/);
  },
});

async function restarted({ ready, cassandraSelector }: ClusterHands, nodes: number, fronts: number): Promise<number> {
  return Math.max(
    await ready(namespaces.cassandra, cassandraSelector, nodes),
    await ready(namespaces.services, front, fronts),
  );
}

/** How long the operator may take until it says that it fetches nothing. */
const SAID_SECONDS = 60;

/** Lines that the operator of a region's cluster has logged. */
function logged({ name }: RegionOutput): string[] {
  const path = operatorLog(SANDBOX_DIR, { project: PROD_PROJECT, location: name });
  return existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
}

/** Waits until the operator logs what is looked for, after so many lines. */
async function said(output: RegionOutput, since: number, what: RegExp): Promise<string> {
  for (const deadline = Date.now() + SAID_SECONDS * 1000; ; await pause(500)) {
    const found = logged(output)
      .slice(since)
      .find((line) => what.test(line));
    if (found) return found;
    if (Date.now() > deadline)
      throw new Error(`1Password's operator in ${output.name} logged nothing of ${what} within ${SAID_SECONDS} s`);
  }
}

/** Puts a token that opens nothing into the cluster. @returns what puts the right one back */
async function refuseToken({ kubeconfig }: RegionOutput): Promise<() => Promise<void>> {
  const core = kubeConfig(kubeconfig).makeApiClient(CoreV1Api);
  const where = { namespace: namespaces.onepassword, name: secrets.onePasswordToken };
  const secret = await core.readNamespacedSecret(where);
  const set = async (token: string) => {
    const { metadata: _, ...now } = await core.readNamespacedSecret(where);
    const body = { ...now, metadata: { name: where.name, namespace: where.namespace }, data: { ...now.data, token } };
    await core.replaceNamespacedSecret({ ...where, body });
  };
  await set(Buffer.from("ended").toString("base64"));
  return () => set(secret.data?.token ?? "");
}
