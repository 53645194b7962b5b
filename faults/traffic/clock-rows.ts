/** The row about clocks: what one region writes is changed in another, whose clock is behind. */
import { randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { CoreV1Api } from "@kubernetes/client-node";
import { kubeConfig, type RegionOutput } from "../../drill/clusters";
import { type Connected, connectRegion } from "../../drill/connect";
import { SANDBOX_DIR } from "../../drill/sandbox";
import { events } from "../../plan/events";
import { appKeyspace, assetIndex, namespaces, regionConfigMap } from "../../plan/names";
import { clockAhead } from "../clock-ahead";
import type { Fault, Signal } from "../fault";
import { handsOf } from "./cluster-rows";
import { outcome, RETURN_SECONDS, rates, sent, unseenBounds } from "./rows";
import { type Findings, pause, region, underLoad, until } from "./run";
import type { SiteStage } from "./site";
import type { Entry } from "./stage";

/** Seconds that a region's clocks are ahead, and after which its assets are changed elsewhere: less, and more than the lag between regions. */
const AHEAD_SECONDS = 5;
const LATER_SECONDS = 2;
/** Seconds from the last answer to the changes at least: more than the lag, or the two have not seen each other. */
const SEEN_SECONDS = 1;
/** Of the lead, what has to be left when the changes are sent: how slow the machine is comes off it. */
const LEFT_SECONDS = 0.1;
/** Assets that are written and changed. */
const ASSETS = 20;
/** How long stores may take to agree, in milliseconds. */
const AGREE_MS = 60_000;
/** Pods that read a clock. */
const SERVICES = ["front", "api", "worker"].map((name) => `app.kubernetes.io/name=${name}`);

/** Sets the clocks of a region's services, or with undefined sets them right: each pod is replaced by one with another environment. */
async function setClocks(stage: SiteStage, output: RegionOutput, seconds: number | undefined): Promise<void> {
  const core = kubeConfig(output.kubeconfig).makeApiClient(CoreV1Api);
  const where = { namespace: namespaces.services, name: regionConfigMap };
  const { metadata: _, data, ...rest } = await core.readNamespacedConfigMap(where);
  const { NODE_OPTIONS: __, ...right } = data ?? {};
  const body = { ...rest, metadata: where, data: seconds === undefined ? right : { ...right, ...clockAhead(seconds) } };
  await core.replaceNamespacedConfigMap({ ...where, body });
  const { pods, kill, ready } = handsOf(output);
  for (const selector of SERVICES) {
    const before = await pods(namespaces.services, selector);
    await kill(before);
    await ready(namespaces.services, selector, before.length);
  }
  await until(stage, `${output.name} healthy with other clocks`, region(output.name, true), RETURN_SECONDS);
}

interface Written {
  status: number;
  by: string | undefined;
  changed?: string;
  error?: string;
}

/** Writes an asset as a user near a region does. */
function put(entry: Entry, from: string, id: string, title: string): Promise<Written> {
  const [host, port] = entry.listener.split(":");
  return new Promise((resolve, reject) => {
    const headers = { host: entry.host, [entry.clientHeader]: from, "content-type": "application/json" };
    const path = `/api/assets/${id}?wait=found`;
    const ca = readFileSync(entry.authority);
    const options = { host, port, path, method: "PUT", servername: entry.host, ca, headers, agent: false };
    const asked = request(options, async (response) => {
      let text = "";
      for await (const part of response.setEncoding("utf8")) text += part;
      const { "x-region": by } = response.headers;
      const said = text.startsWith("{") ? JSON.parse(text) : { error: text };
      resolve({ ...said, status: response.statusCode ?? 0, by });
    });
    asked.on("error", reject).end(JSON.stringify({ title }));
  });
}

/** @throws when it was refused, or another region answered */
async function written(stage: SiteStage, from: string, id: string, title: string): Promise<Written> {
  const answer = await put(stage.entry, from, id, title);
  if (answer.status !== 200 || answer.by !== from)
    throw new Error(`"${title}" near ${from}: ${answer.by} answered ${answer.status} ${answer.error ?? ""}`);
  return answer;
}

/** Writes in one region what is changed in the other soon after. @returns the ids, and by how much each was ahead then at least */
async function writeAndChange(stage: SiteStage): Promise<{ ids: string[]; aheadSeconds: number }> {
  const [ahead, behind] = stage.regions;
  const ids = Array.from({ length: ASSETS }, () => randomUUID());
  const sent = Date.now();
  const before = await Promise.all(ids.map((id) => written(stage, ahead, id, "before")));
  await pause(Math.max(sent + LATER_SECONDS * 1000 - Date.now(), SEEN_SECONDS * 1000));
  const now = Date.now();
  await Promise.all(ids.map((id) => written(stage, behind, id, "after")));
  return { ids, aheadSeconds: Math.min(...before.map(({ changed }) => (Date.parse(changed ?? "") - now) / 1000)) };
}

/** Titles of assets in both stores of a region. */
async function titles({ cassandra, elasticsearch }: Connected, ids: readonly string[]): Promise<string[]> {
  const query = `SELECT title FROM ${appKeyspace}.assets WHERE id IN ?`;
  const { rows } = await cassandra.execute(query, [ids], { prepare: true });
  const path = `/${assetIndex}/_mget`;
  const { docs } = await elasticsearch.request<{ docs: { _source?: { title: string } }[] }>("POST", path, { ids });
  return [...rows.map(({ title }) => String(title)), ...docs.map(({ _source }) => _source?.title ?? "")];
}

/** How often a store of a region does not have the change that was acknowledged, once they have had time. */
async function lostUpdates(stage: SiteStage, ids: readonly string[]): Promise<number> {
  const connected = await Promise.all(stage.outputs.map(connectRegion));
  try {
    for (const deadline = Date.now() + AGREE_MS; ; await pause(1_000)) {
      const found = (await Promise.all(connected.map((each) => titles(each, ids)))).flat();
      const lost = 2 * connected.length * ids.length - found.filter((title) => title === "after").length;
      if (lost === 0 || Date.now() > deadline) return lost;
    }
  } finally {
    for (const { cassandra, elasticsearch } of connected) {
      elasticsearch.close();
      await cassandra.shutdown();
    }
  }
}

/** What a service has logged of a clock since a moment; a line that says nothing when none has. */
function told(since: Date): Signal {
  const clusters = join(SANDBOX_DIR, "clusters");
  const folders = readdirSync(clusters).map((each) => join(clusters, each, "logs"));
  const files = folders
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((file) => join(folder, file)));
  const ours = files.filter((file) => file.includes(`/${namespaces.services}_`));
  for (const file of ours)
    for (const text of readFileSync(file, "utf8").split("\n")) {
      if (!text.includes(`"${events.clockAhead}"`) || !text.endsWith("}")) continue;
      const line = JSON.parse(text) as Record<string, unknown>;
      if (line.event === events.clockAhead && new Date(String(line.time)) >= since)
        return { kind: "log", command: "services", line };
    }
  return { kind: "log", command: "services", line: {} };
}

/** A region's clocks are ahead: what it writes carries a time that another region's next write has not reached. */
export const clockAheadRow: Fault<SiteStage> = {
  id: "clock-ahead",
  fault: `the clocks of a region's services are ${AHEAD_SECONDS} s ahead; what is written there is changed in the other region ${LATER_SECONDS} s later`,
  rows: ["S1", "S3", "D3"],
  alert: "clock-ahead",
  mayLoseSeconds: 0,
  bounds: { ...unseenBounds, lostUpdates: 0 },
  atLeast: sent("others", { aheadSeconds: LEFT_SECONDS, updates: ASSETS }),
  inject: async (stage) => {
    const output = stage.outputs[0]!;
    const since = new Date();
    let changes: Awaited<ReturnType<typeof writeAndChange>> = { ids: [], aheadSeconds: Number.NaN };
    let found: Findings;
    let lost: number;
    try {
      await setClocks(stage, output, AHEAD_SECONDS);
      found = await underLoad(stage, {
        rate: rates.others,
        inject: async () => {
          changes = await writeAndChange(stage);
        },
        afterSeconds: LATER_SECONDS,
      });
      lost = await lostUpdates(stage, changes.ids);
    } finally {
      await setClocks(stage, output, undefined);
    }
    const { ids, aheadSeconds } = changes;
    return outcome(stage, found, stage.regions, {
      signal: told(since),
      recovered: `${lost === 0 ? "every" : "not every"} store of both regions has the last of each of ${ids.length} assets' two titles`,
      more: { lostUpdates: lost, aheadSeconds, updates: ids.length },
    });
  },
};
