/** The sample services with stores that answer as they are told, for their tests. */
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after } from "node:test";
import { types } from "cassandra-driver";
import { assetIndex } from "../../plan/names";
import { type Route, serve } from "./http";
import { SearchError } from "./search";

/** An asset. */
export const ID = "8c6f0c5e-5d5c-4a6e-9a51-0f1f3c1b2a10";

/** Servers that are closed after the tests of a file. */
export const opened: { close(): void; closeAllConnections(): void }[] = [];
after(() => {
  for (const server of opened) {
    server.closeAllConnections();
    server.close();
  }
});

/** @returns the address of a service with these routes */
export async function started(routes: Route[]): Promise<string> {
  const server = await serve(routes, { HOST: "127.0.0.1", PORT: 0, REGION: "europe-west1" });
  opened.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A database that remembers, and a search that answers one thing; both fail when they are told to. */
export function stores() {
  const state = {
    assets: new Map<string, { id: string; title: string; changed: Date; written: types.Long }>(),
    changes: [] as { minute: Date; asset: string }[],
    documents: new Map<string, object>(),
    /** Of the last that was indexed. */
    documentVersion: 0,
    /** The index has a newer version of every document. */
    newer: false,
    databaseFails: false,
    changesFail: false,
    /** Of the assets' index and of another one; undefined: it is not there. */
    health: "green" as string | undefined,
    otherHealth: "green",
    /** Elasticsearch 8 answers what was timed out for with 200, others with 408. */
    timedOutStatus: 408,
    found: [] as object[] | undefined,
  };
  const rows = ([id]: unknown[]) => {
    const found = state.assets.get(String(id));
    return found ? [found] : [];
  };
  const database = {
    execute: async (query: string, params: unknown[] = []) => {
      if (state.databaseFails || (state.changesFail && query.includes("INTO changes"))) throw new Error("no quorum");
      if (query.startsWith("INSERT INTO assets")) {
        const [id, title, changed, written] = params as [string, string, Date, types.Long];
        assert.match(query, /USING TIMESTAMP \?$/);
        // The newest wins, as in Cassandra.
        if (written.greaterThan(state.assets.get(id)?.written ?? types.Long.ZERO))
          state.assets.set(id, { id, title, changed, written });
      }
      if (query.startsWith("INSERT INTO changes"))
        state.changes.push({ minute: params[0] as Date, asset: String(params[2]) });
      return { rows: query.startsWith("SELECT") ? rows(params) : [] };
    },
  };
  const health = (path: string) => {
    const ofAssets = path.includes(`/${assetIndex}?`);
    const status = ofAssets ? state.health : [state.health, state.otherHealth].includes("red") ? "red" : "green";
    if (status) return { status, timed_out: false };
    if (state.timedOutStatus !== 200) throw new SearchError(state.timedOutStatus, path, '{"timed_out":true}');
    return { status: "red", timed_out: true };
  };
  const search = async (_method: string, path: string, body?: unknown) => {
    if (path.startsWith("/_cluster")) return health(path);
    const [, document, version] = /_doc\/([^?]+)(?:\?version=(\d+)&version_type=external_gte)?$/.exec(path) ?? [];
    if (document && state.health === "red") throw new SearchError(503, path, "unavailable");
    if (document && body) {
      assert.ok(version, "an older one is not to replace a newer one");
      if (state.newer) throw new SearchError(409, path, "version_conflict_engine_exception");
      state.documents.set(document, body as object);
      state.documentVersion = Number(version);
    }
    if (document) return { found: state.documents.has(document) };
    if (!state.found) throw new SearchError(404, path, "index_not_found_exception");
    return { hits: { hits: state.found } };
  };
  return { state, database: database as never, search: search as never };
}

/** Writes an asset. */
export const put = (base: string, id: string, body: unknown, more: RequestInit = {}) =>
  fetch(`${base}/api/assets/${id}`, {
    method: "PUT",
    body: typeof body === "string" ? body : JSON.stringify(body),
    ...more,
  });

/** A server for each turn of its connections: the last one's behaviour goes on. */
export async function inTurns(
  ...turns: ((request: IncomingMessage, response: ServerResponse) => void)[]
): Promise<string> {
  let connections = 0;
  const turnOf = new WeakMap<object, number>();
  const server = createServer((request, response) => turns[turnOf.get(request.socket)!]!(request, response));
  server.on("connection", (socket) => turnOf.set(socket, Math.min(connections++, turns.length - 1)));
  opened.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Says nothing. */
export const silent = () => undefined;
/** Answers at once. */
export const answers = (_: IncomingMessage, response: ServerResponse) => void response.end("{}");
/** Closes the connection. */
export const dies = ({ socket }: IncomingMessage) => void socket.destroy();
