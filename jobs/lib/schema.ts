/**
 * A keyspace's schema as Medusa keeps it with a backup (`schema.cql`): the statements that make a table again, and whether
 * its SSTables fit the table that lives. Pure.
 */
import { isSystem } from "./replication";

/** A column as a table's statement or `system_schema.columns` has it. `position` is its place in the primary key, -1 outside. */
export interface Column {
  type: string;
  kind: "partition_key" | "clustering" | "regular" | "static";
  position: number;
}

/** A name in a statement: group 1 quoted, group 2 plain. */
const NAME = '(?:"((?:[^"]|"")+)"|(\\w+))';
const named = (quoted: string | undefined, plain: string | undefined): string =>
  quoted === undefined ? (plain ?? "").toLowerCase() : quoted.replaceAll('""', '"');

/** A schema's statements in their order, without semicolons; strings, quoted names, function bodies and comments are skipped over. */
export function statementsOf(schema: string): string[] {
  const token =
    /'(?:[^']|'')*'|"(?:[^"]|"")*"|\$\$[\s\S]*?\$\$|\/\*[\s\S]*?\*\/|--[^\n]*|\/\/[^\n]*|;|[^'"$/;-]+|[\s\S]/g;
  const statements: string[] = [];
  let current = "";
  for (const [part] of schema.matchAll(token)) {
    if (part === ";") {
      statements.push(current.trim());
      current = "";
    } else if (!/^(\/\*|\/\/|--)/.test(part)) {
      current += part;
    }
  }
  statements.push(current.trim());
  return statements.filter((statement) => statement !== "");
}

interface Classified {
  kind: "keyspace" | "type" | "table" | "index" | "view";
  keyspace: string;
  /** The table, or the one that an index or a view is of. */
  table: string;
  statement: string;
}

const FORMS: [Classified["kind"], RegExp][] = [
  ["keyspace", new RegExp(`^CREATE KEYSPACE (?:IF NOT EXISTS )?${NAME}`, "i")],
  ["type", new RegExp(`^CREATE TYPE (?:IF NOT EXISTS )?${NAME}\\.${NAME}`, "i")],
  ["table", new RegExp(`^CREATE TABLE (?:IF NOT EXISTS )?${NAME}\\.${NAME}`, "i")],
  ["view", new RegExp(`^CREATE MATERIALIZED VIEW [\\s\\S]*?\\sFROM ${NAME}\\.${NAME}`, "i")],
  ["index", new RegExp(`^CREATE (?:CUSTOM )?INDEX [\\s\\S]*?\\sON ${NAME}\\.${NAME}`, "i")],
];

function classified(statement: string): Classified | undefined {
  for (const [kind, form] of FORMS) {
    const match = form.exec(statement);
    if (!match) continue;
    const [, quotedKeyspace, keyspace, quotedTable, table] = match;
    return { kind, keyspace: named(quotedKeyspace, keyspace), table: named(quotedTable, table), statement };
  }
  return undefined;
}

/**
 * Statements that make a keyspace and some of its tables where they are not there, in an order that works: the keyspace, its
 * types, the tables, their indices and views. What exists stays as it is.
 * @param tables all of the schema's when undefined
 */
export function creation(schema: string, keyspace: string, tables?: readonly string[]): string[] {
  const own = statementsOf(schema)
    .flatMap((statement) => classified(statement) ?? [])
    .filter((each) => each.keyspace === keyspace && !isSystem(each.keyspace));
  const wanted = own.filter(
    ({ kind, table }) => kind === "keyspace" || kind === "type" || tables === undefined || tables.includes(table),
  );
  return FORMS.flatMap(([kind]) =>
    wanted.filter((each) => each.kind === kind).map(({ statement }) => ifNotExists(statement)),
  );
}

function ifNotExists(statement: string): string {
  return statement.replace(
    /^CREATE (KEYSPACE|TYPE|TABLE|MATERIALIZED VIEW|(?:CUSTOM )?INDEX) (?!IF NOT EXISTS)/i,
    "CREATE $1 IF NOT EXISTS ",
  );
}

/** Columns of a table of the schema by name, or undefined when the schema has no such table. */
export function columnsOf(schema: string, keyspace: string, table: string): Map<string, Column> | undefined {
  const statement = statementsOf(schema)
    .flatMap((text) => classified(text) ?? [])
    .find((each) => each.kind === "table" && each.keyspace === keyspace && each.table === table)?.statement;
  if (statement === undefined) return undefined;
  const columns = new Map<string, Column>();
  let key: { partition: string[]; clustering: string[] } = { partition: [], clustering: [] };
  for (const part of split(body(statement))) {
    const primary = /^PRIMARY KEY\s*\(([\s\S]*)\)$/i.exec(part);
    if (primary) {
      key = primaryKey(primary[1]!);
      continue;
    }
    const column = new RegExp(
      `^${NAME}\\s+([\\s\\S]+?)(\\s+static)?(\\s+PRIMARY KEY)?(?:\\s+MASKED WITH [\\s\\S]+)?$`,
      "i",
    ).exec(part);
    if (!column) continue;
    const name = named(column[1], column[2]);
    columns.set(name, { type: plainType(column[3]!), kind: column[4] ? "static" : "regular", position: -1 });
    if (column[5]) key = { partition: [name], clustering: [] };
  }
  for (const kind of ["partition", "clustering"] as const) {
    for (const [position, name] of key[kind].entries()) {
      const column = columns.get(name);
      if (column) columns.set(name, { ...column, kind: kind === "partition" ? "partition_key" : kind, position });
    }
  }
  return columns;
}

/** A type as it compares: without spaces. */
export const plainType = (type: string): string => type.replace(/\s+/g, "").toLowerCase();

function body(statement: string): string {
  const start = statement.indexOf("(");
  let depth = 0;
  for (let at = start; at < statement.length; at++) {
    if (statement[at] === "(") depth++;
    if (statement[at] === ")" && --depth === 0) return statement.slice(start + 1, at);
  }
  return statement.slice(start + 1);
}

/** Parts between commas that are in no brackets and no quotes. */
function split(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let current = "";
  for (const [part] of text.matchAll(/'(?:[^']|'')*'|"(?:[^"]|"")*"|[\s\S]/g)) {
    if (part === "(" || part === "<") depth++;
    if (part === ")" || part === ">") depth--;
    if (part === "," && depth === 0) {
      parts.push(current.trim());
      current = "";
    } else current += part;
  }
  return [...parts, current.trim()].filter((part) => part !== "");
}

function primaryKey(text: string): { partition: string[]; clustering: string[] } {
  const name = (part: string) => {
    const match = new RegExp(`^${NAME}$`).exec(part.trim());
    return match ? named(match[1], match[2]) : part.trim();
  };
  const [first = "", ...clustering] = split(text);
  const partition = first.startsWith("(") ? split(first.slice(1, -1)) : [first];
  return { partition: partition.map(name), clustering: clustering.map(name) };
}

/**
 * Why SSTables of a backup cannot be read as the living table: one line each.
 * @param dropped columns that the living table had once: Cassandra passes over them
 */
export function misfits(
  backup: ReadonlyMap<string, Column>,
  living: ReadonlyMap<string, Column>,
  dropped: ReadonlySet<string>,
): string[] {
  return [...backup].flatMap(([name, column]) => {
    const now = living.get(name);
    if (now === undefined) {
      return dropped.has(name) && column.position < 0
        ? []
        : [`column ${name} ${column.type} of the backup is not in it`];
    }
    if (now.type !== column.type) return [`column ${name} is ${now.type}, the backup has ${column.type}`];
    const differs = now.kind !== column.kind || now.position !== column.position;
    return differs
      ? [`column ${name} is ${now.kind} ${now.position}, the backup has ${column.kind} ${column.position}`]
      : [];
  });
}
