/**
 * The records of `app.iconik.io` as the standby declares them: Route 53's health checks run for real against an address that
 * comes and goes. A primary that flaps keeps its users; one that is gone is left, as soon as the plan says.
 */
import assert from "node:assert/strict";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { dnsDetectionSeconds, trafficContent } from "../../plan/failover";
import { type DeclaredCheck, HealthChecks, type Surface } from "../../sandbox/cloud/aws/dns/health";
import { authority, issue } from "../../sandbox/lib/certificates";
import type { StandbyConfig } from "../../stacks/config";
import { standby } from "../../stacks/standby";
import { declared } from "../../tests/lib/declared";
import { stackConfig } from "../../tests/lib/stack-file";
import type { Fault } from "../fault";
import type { Group } from "../run";
import { silence } from "./rows";
import { pause } from "./run";

/** The checks, and the primary that they ask. */
export interface DnsStage {
  checks: HealthChecks;
  /** Of the primary's record. */
  primary: string;
  /** Seconds between two questions of a check, as declared. */
  intervalSeconds: number;
  /** Whether the primary answers well, asked for the n-th time since this was set. */
  answers: (count: number) => boolean;
  /** Times that it was asked since then. */
  asked: number;
  close(): void;
}

/** Times that a check is asked while the primary flaps. */
const ROUNDS = 8;
const POLL_MS = 100;

/** @param change to the declared checks, for tests of wrong declarations */
export async function openDns(change: (check: DeclaredCheck) => DeclaredCheck = (check) => check): Promise<DnsStage> {
  const { resources } = await declared(
    () => standby(stackConfig("aws-standby") as StandbyConfig, "token"),
    "aws-standby",
  );
  const found = resources
    .filter(({ type }) => type === "aws:route53/healthCheck:HealthCheck")
    .map(({ name, inputs }) => change({ id: `${name}-id`, inputs }));
  const record = resources.find(
    ({ type, inputs }) => type === "aws:route53/record:Record" && inputs.setIdentifier === "primary",
  );
  assert.ok(found.length >= 4 && record, "the standby declares its checks and the primary's record");
  const stage = { answers: () => true, asked: 0 } as unknown as DnsStage;
  const { server, port } = await primaryServer(stage);
  const surface: Surface = {
    locate: async () => ({ host: "127.0.0.1", port }),
    object: (host) => (host.includes(".s3.") ? Promise.resolve(trafficContent("primary")) : undefined),
  };
  const checks = new HealthChecks(() => found, surface);
  return Object.assign(stage, {
    checks,
    primary: String(record.inputs.healthCheckId),
    intervalSeconds: Math.max(...found.map(({ inputs }) => Number(inputs.requestInterval ?? 0))),
    close: () => {
      checks.stop();
      server.closeAllConnections();
      server.close();
    },
  });
}

/** Answers 200 or 503 over TLS, as the stage says. */
async function primaryServer(stage: DnsStage): Promise<{ server: Server; port: number }> {
  const { certificate: cert, key } = await issue(await authority("dns stage"), { commonName: "app.iconik.io" });
  let answers = stage.answers;
  const server = createServer({ cert, key }, (_, response) => {
    if (answers !== stage.answers) [answers, stage.asked] = [stage.answers, 0];
    response.writeHead(answers(++stage.asked) ? 200 : 503).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

/** Times that the primary's verdict turned while it was asked so many times. @throws when it is not asked as often as declared */
async function turns(stage: DnsStage, rounds: number): Promise<number> {
  const { checks, primary, intervalSeconds } = stage;
  let before = checks.healthy(primary);
  let count = 0;
  const end = Date.now() + 3000 * rounds * intervalSeconds;
  while (stage.asked < rounds) {
    if (Date.now() > end) throw new Error(`the primary was asked ${stage.asked} times, ${rounds} were due long ago`);
    await pause(POLL_MS);
    const now = checks.healthy(primary);
    if (now !== before) count += 1;
    before = now;
  }
  return count;
}

/** Seconds until the primary's verdict is this. @throws after three times what the plan allows */
async function verdict({ checks, primary }: DnsStage, healthy: boolean): Promise<number> {
  const started = Date.now();
  while (checks.healthy(primary) !== healthy) {
    if (Date.now() - started > 3000 * dnsDetectionSeconds())
      throw new Error(`the primary is not ${healthy ? "healthy" : "unhealthy"} after ${3 * dnsDetectionSeconds()} s`);
    await pause(POLL_MS);
  }
  return (Date.now() - started) / 1000;
}

/** Two answers of three are bad, and never as many in a row as it takes. */
export const dnsFlapping: Fault<DnsStage> = {
  id: "dns-flapping",
  fault: `the primary answers Route 53 with 503 two times of three for ${ROUNDS} rounds, then always`,
  rows: ["D4"],
  mayLoseSeconds: 0,
  bounds: { turnsWhileFlapping: 0, detectionSeconds: dnsDetectionSeconds(), returnSeconds: dnsDetectionSeconds() },
  inject: async (stage) => {
    stage.answers = (count) => count % 3 === 0;
    stage.asked = 0;
    const turned = await turns(stage, ROUNDS);
    // A good answer between, so that the end is counted from nothing.
    stage.answers = () => true;
    await verdict(stage, true);
    await pause(1500 * stage.intervalSeconds);
    stage.answers = () => false;
    const seconds = await verdict(stage, false);
    stage.answers = () => true;
    const back = await verdict(stage, true);
    return {
      noticed: `flapping turned the name ${turned} times; an end did after ${seconds.toFixed(0)} s`,
      signal: silence,
      recovered: `healthy again ${back.toFixed(0)} s after it answered`,
      lostSeconds: 0,
      figures: { turnsWhileFlapping: turned, detectionSeconds: seconds, returnSeconds: back },
    };
  },
};

export const dnsGroup: Group<DnsStage> = {
  stage: "the health checks of app.iconik.io as the standby declares them",
  open: () => openDns(),
  close: async (stage) => stage.close(),
  faults: [dnsFlapping],
};
