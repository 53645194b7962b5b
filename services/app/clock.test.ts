/** Writes whose clocks differ, and attempts that come late. */
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { types } from "cassandra-driver";
import { events } from "../../plan/events";
import { limits } from "../../plan/limits";
import { routes as apiRoutes } from "./api";
import { stampHeader, stampOf, storedOf } from "./clock";
import { routes as frontRoutes } from "./front";
import { answers, dies, ID, inTurns, put, silent, started, stores } from "./testing";

/** An API over stores that have an asset from a clock so many milliseconds ahead. */
async function ahead(ms: number) {
  const { state, database, search } = stores();
  const stamp = Date.now() + ms;
  const written = types.Long.fromNumber(stamp * 1000);
  state.assets.set(ID, { id: ID, title: "before", changed: new Date(stamp), written });
  const title = () => state.assets.get(ID)!.title;
  return { state, stamp, title, api: await started(apiRoutes(database, search)) };
}

const stampedAt = (stamp: number) => ({ headers: { [stampHeader]: String(stamp) } });

/** What was logged meanwhile. */
async function logged(act: () => Promise<void>): Promise<Record<string, unknown>[]> {
  const log = mock.method(console, "log", () => undefined);
  try {
    await act();
  } finally {
    log.mock.restore();
  }
  return log.mock.calls.map(({ arguments: [line] }) => JSON.parse(String(line)));
}

test("a write is later than one by a clock that is ahead, in both stores, and somebody is told", async () => {
  const { state, stamp, title, api } = await ahead(30_000);
  const front = await started(frontRoutes(api));
  for (const [base, text] of [
    [api, "to the API itself"],
    [front, "through the front"],
  ] as const) {
    const lines = await logged(async () => {
      assert.equal((await put(base, `${ID}?wait=found`, { title: text })).status, 200);
    });
    assert.equal(lines[0]?.event, events.clockAhead);
    assert.equal(title(), text);
    assert.equal((state.documents.get(ID) as { title: string }).title, text);
  }
  const { changed, written } = state.assets.get(ID)!;
  assert.deepEqual([+changed, written.toNumber()], [stamp + 2, (stamp + 2) * 1000]);
  assert.equal(state.documentVersion, stamp + 2);
});

test("what is further ahead than clocks are let differ is refused with the time, the bound and the fix", async () => {
  const { stamp, title, api } = await ahead((limits.clockRefusedSeconds + 30) * 1000);
  await logged(async () => {
    const answer = await put(api, ID, { title: "after" });
    assert.equal(answer.status, 503);
    const { error } = (await answer.json()) as { error: string };
    const said = new RegExp(`${new Date(stamp).toISOString()}.* (\\d+) s ahead.*allowed are 60 s; set the clocks`);
    const seconds = Number(said.exec(error)?.[1]);
    assert.ok(seconds <= 90 && seconds >= Math.floor((stamp - Date.now()) / 1000), error);
    assert.equal((await put(api, ID, { title: "after" }, stampedAt(stamp + 1))).status, 503);
  });
  assert.equal(title(), "before");
});

test("clocks as they are kept are not spoken of, and a row of an older release counts as it was written", async () => {
  const { stamp, api } = await ahead(200);
  const lines = await logged(async () => {
    assert.equal((await put(api, ID, { title: "after" })).status, 200);
  });
  assert.deepEqual(lines, []);
  const row = { title: "a", changed: new Date(stamp), written: types.Long.fromNumber(stamp * 1000 + 2_001) };
  assert.equal(storedOf(row).stamp, stamp + 3);
});

test("a write with a stamp may be repeated, and never passes a later one", () => {
  const now = Date.now();
  assert.deepEqual(stampOf(ID, "a", undefined, now), { stamp: now });
  assert.deepEqual(stampOf(ID, "a", { title: "a", stamp: now }, now), { stamp: now });
  assert.deepEqual(stampOf(ID, "a", { title: "b", stamp: now }, now), { newest: now });
  assert.deepEqual(stampOf(ID, "a", { title: "a", stamp: now + 1 }, now), { newest: now + 1 });
});

test("a stamp that is no time is refused", async () => {
  const { api } = await ahead(0);
  for (const stamp of ["", "now", "-1", "1e12", "17644848000000"])
    assert.equal((await put(api, ID, { title: "a" }, { headers: { [stampHeader]: stamp } })).status, 400, stamp);
});

/** An API whose first attempts are treated as `turns` say; the last one's stamps are kept. */
async function behind(...turns: Parameters<typeof inTurns>) {
  const stamps: number[] = [];
  const keeping = turns.map((turn): (typeof turns)[number] => (request, response) => {
    stamps.push(Number(request.headers[stampHeader]));
    turn(request, response);
  });
  return { stamps, front: await started(frontRoutes(await inTurns(...keeping))) };
}

test("the front stamps a write once for all attempts, whatever the client sends", async () => {
  const { stamps, front } = await behind(dies, dies, answers);
  const began = Date.now();
  assert.equal((await put(front, ID, { title: "a" }, stampedAt(began + 1e6))).status, 200);
  assert.equal(stamps.length, 3);
  assert.equal(new Set(stamps).size, 1);
  assert.ok(stamps[0]! >= began && stamps[0]! <= Date.now());
});

test("an attempt that may have been made does not pass what was written since", async () => {
  const { state, stamp, title, api } = await ahead(20_000);
  // The first attempt is not answered; the second meets a later change.
  const handsOn = await behind(dies, (request, response) => {
    void put(api, ID, { title: "older" }, stampedAt(Number(request.headers[stampHeader]))).then(async (answer) => {
      response.writeHead(answer.status).end(await answer.text());
    });
  });
  await logged(async () => {
    const answer = await put(handsOn.front, ID, { title: "older" });
    assert.equal(answer.status, 503);
    assert.match(await answer.text(), /changed meanwhile; read it, and write again/);
  });
  assert.deepEqual([title(), +state.assets.get(ID)!.changed], ["before", stamp]);
});

test("a write whose client has left is not repeated", async () => {
  const { stamps, front } = await behind(silent, silent, answers);
  const gone = new AbortController();
  const asked = put(front, ID, { title: "a" }, { signal: gone.signal });
  while (stamps.length === 0) await sleep(20);
  gone.abort();
  await assert.rejects(asked);
  await sleep(3_500);
  assert.equal(stamps.length, 1, "longer than a silent pod is waited for");
});
