/** The drill's Cassandra tables: different types and shapes, and how the rows of each are made. */
import { types } from "cassandra-driver";
import type { UserTypes } from "./canonical";
import { type Values, WORDS } from "./values";

/** Values by column, as the driver takes and gives them. */
export type Row = Record<string, unknown>;

export interface Table {
  keyspace: string;
  name: string;
  /** CQL type by column, in the order of the INSERT. */
  columns: Record<string, string>;
  statics?: string[];
  /** The PRIMARY KEY clause's content, and the order of clustering columns when it is not ascending. */
  key: string;
  order?: string;
  partitionKey: string[];
  /** Rows per partition; the last partition may have fewer. */
  partitionRows: number;
  /** Percent of all rows. */
  share: number;
  /** What differs from row to row, and what the rows of a partition share. */
  row(value: Values, position: number): Row;
  partition(value: Values): Row;
}

export const KEYSPACES = ["drill_media", "drill_activity"] as const;

/** User-defined types; all of them are of the first keyspace. */
export const USER_TYPES: UserTypes = { resolution: { width: "int", height: "int", codec: "text" } };

export const TABLES: Table[] = [
  {
    keyspace: "drill_media",
    name: "assets",
    columns: {
      id: "uuid",
      title: "text",
      bytes: "bigint",
      price: "decimal",
      online: "boolean",
      created: "timestamp",
      tags: "set<text>",
    },
    key: "id",
    partitionKey: ["id"],
    partitionRows: 1,
    share: 2,
    partition: (v) => ({ id: v.uuid() }),
    row: (v) => ({
      title: v.text(),
      bytes: v.long(),
      price: v.decimal(),
      online: v.boolean(),
      created: v.date(),
      tags: [...new Set(v.many(4, () => v.pick(WORDS)))],
    }),
  },
  {
    keyspace: "drill_media",
    name: "segments",
    columns: { asset: "uuid", owner: "text", at: "timeuuid", frame: "int", speakers: "list<text>", thumbnail: "blob" },
    statics: ["owner"],
    key: "asset, at",
    order: "at DESC",
    partitionKey: ["asset"],
    partitionRows: 50,
    share: 30,
    partition: (v) => ({ asset: v.uuid(), owner: v.text() }),
    row: (v) => ({ at: v.timeuuid(), frame: v.signed(), speakers: v.many(3, v.text), thumbnail: v.blob(48) }),
  },
  {
    keyspace: "drill_media",
    name: "formats",
    columns: { asset: "uuid", version: "int", name: "text", size: "frozen<resolution>", rates: "map<text, double>" },
    key: "asset, version, name",
    order: "version DESC, name ASC",
    partitionKey: ["asset"],
    partitionRows: 24,
    share: 18,
    partition: (v) => ({ asset: v.uuid() }),
    row: (v, position) => ({
      version: Math.floor(position / 3),
      name: `format ${position % 3}`,
      size: { width: v.int(8192), height: v.int(4320), codec: v.pick([null, "prores", "h264"]) },
      rates: Object.fromEntries(v.many(3, () => [v.pick(WORDS), v.double()])),
    }),
  },
  {
    keyspace: "drill_activity",
    name: "events",
    columns: {
      tenant: "text",
      day: "int",
      at: "timeuuid",
      actor: "uuid",
      place: "tuple<int, text>",
      detail: "map<text, text>",
    },
    key: "(tenant, day), at",
    partitionKey: ["tenant", "day"],
    partitionRows: 50,
    share: 29,
    partition: (v) => ({ tenant: `tenant ${v.uuid()}`, day: v.int(366) }),
    row: (v) => ({
      at: v.timeuuid(),
      actor: v.uuid(),
      place: new types.Tuple(v.signed(), v.pick(WORDS)),
      detail: Object.fromEntries(v.many(3, () => [v.pick(WORDS), v.text()])),
    }),
  },
  {
    keyspace: "drill_activity",
    name: "usage",
    columns: {
      tenant: "bigint",
      hour: "timestamp",
      region: "text",
      cost: "decimal",
      load: "list<double>",
      complete: "boolean",
    },
    key: "tenant, hour, region",
    partitionKey: ["tenant"],
    partitionRows: 48,
    share: 20,
    partition: (v) => ({ tenant: v.long() }),
    row: (v, position) => ({
      hour: new Date(Date.UTC(2025, 0, 1, position)),
      region: v.pick(WORDS),
      cost: v.decimal(),
      load: v.many(5, v.double),
      complete: v.pick([true, false, null]),
    }),
  },
  {
    keyspace: "drill_activity",
    name: "jobs",
    columns: { id: "timeuuid", state: "text", steps: "frozen<list<int>>", progress: "double", payload: "blob" },
    key: "id",
    partitionKey: ["id"],
    partitionRows: 1,
    share: 1,
    partition: (v) => ({ id: v.timeuuid() }),
    row: (v) => ({
      state: v.pick(["queued", "running", "done"]),
      steps: v.many(4, v.signed),
      progress: v.double(),
      payload: v.blob(256),
    }),
  },
];
