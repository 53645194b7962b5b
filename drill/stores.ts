/** The stores of every region of a site, reached with what an operator has: a kubeconfig and the Secrets behind it. */
import { cassandraClusterName } from "../plan/names";
import { ports } from "../plan/ports";
import { type CassandraAccess, connect, createSchema, writePart } from "./cassandra";
import type { RegionOutput } from "./clusters";
import { type DrillSize, REPLICATION_FACTOR } from "./config";
import { type Connected, connectRegion } from "./connect";
import { DOCUMENT_INDEX, documentsDigest, schema, tableDigest, tableRows } from "./dataset";
import { refusesStrangers } from "./internode";
import { until } from "./public-name";
import type { DrillReport, Restored } from "./report";
import { TABLES } from "./tables";
import { countOnNode, readIndex, readTable } from "./verify";
import type { Progress } from "./workspace";

/** Writes under way at any moment, over all regions. */
const IN_FLIGHT = 100;

/** Hints are sent on within a minute, more than once if need be. */
const REPLICATED_SECONDS = 300;

export class RegionStores {
  private connected: Connected[] = [];

  constructor(readonly regions: RegionOutput[]) {
    if (!regions?.length) throw new Error("the stack's outputs name no regions");
  }

  async open(): Promise<void> {
    for (const region of this.regions) this.connected.push(await connectRegion(region));
  }

  async close(): Promise<void> {
    const open = this.connected.splice(0);
    for (const { elasticsearch } of open) elasticsearch.close();
    await Promise.all(open.map(({ cassandra }) => cassandra.shutdown()));
  }

  /** Every node of every region refuses who has no certificate of the cluster. @throws when one does not */
  async expectEncrypted(progress: Progress): Promise<void> {
    for (const { region, access } of this.connected) {
      const names = await Promise.all(access.addresses.map((each) => refusesStrangers(each, ports.cassandraInternode)));
      const wanted = `${cassandraClusterName}-${region.datacenter}`;
      const other = names.find((name) => name !== wanted);
      if (other !== undefined)
        throw new Error(`a node in ${region.name} has a certificate of ${other}, ${wanted} is allowed`);
      progress(`${region.name}: ${names.length} nodes refuse who has no certificate`);
    }
  }

  /**
   * Writes the data set, every region its share, until every replica has it: the last ones are given what a quorum has
   * acknowledged a moment later, or by hints.
   */
  async write(size: DrillSize, progress: Progress): Promise<void> {
    const datacenters = this.regions.map(({ datacenter }) => datacenter);
    await createSchema(this.first.cassandra, schema(datacenters, REPLICATION_FACTOR));
    const rows = tableRows(size.rows);
    const of = this.connected.length;
    for (const [index, table] of TABLES.entries()) {
      const started = Date.now();
      await Promise.all(
        this.connected.map(({ cassandra }, first) =>
          writePart(cassandra, table, rows[index]!, { first, of }, Math.ceil(IN_FLIGHT / of)),
        ),
      );
      progress(`${table.keyspace}.${table.name}: ${rows[index]} rows in ${seconds(started)} s`);
    }
    await Promise.all(
      this.connected.map(({ region, elasticsearch }) =>
        elasticsearch.writeDocuments(region.name, size.documents, progress),
      ),
    );
    const wanted = rows.reduce((sum, count) => sum + count, 0) * REPLICATION_FACTOR;
    const all = (held: Record<string, number[]>) =>
      Object.values(held).every((nodes) => nodes.reduce((sum, count) => sum + count, 0) === wanted);
    await until("all replicas have every row", REPLICATED_SECONDS, () => this.replicas(size, progress), all);
  }

  /** Compares everything in the stores with what was written. */
  async verify(size: DrillSize, progress: Progress): Promise<NonNullable<DrillReport["restored"]>> {
    // First what each node holds by itself: a read in full repairs as it goes.
    const replicas = await this.replicas(size, progress);
    const tables = await this.verifyTables(size, progress);
    const clusters = await Promise.all(
      this.connected.map(async ({ region, elasticsearch }): Promise<Restored> => {
        const found = await readIndex(elasticsearch, DOCUMENT_INDEX);
        const digestMatches = found.equals(documentsDigest(region.name, size.documents));
        progress(`${region.name}: ${found.count} of ${size.documents} documents`);
        return { name: region.name, expected: size.documents, found: found.count, digestMatches };
      }),
    );
    return {
      cassandra: { ...total(tables), tables, replicas },
      elasticsearch: { ...total(clusters), clusters },
    };
  }

  /** Tables as they are seen from each region in turn. */
  private async verifyTables(size: DrillSize, progress: Progress): Promise<Restored[]> {
    const rows = tableRows(size.rows);
    const tables: Restored[] = [];
    for (const [index, table] of TABLES.entries()) {
      const { cassandra, region } = this.connected[index % this.connected.length]!;
      const started = Date.now();
      const name = `${table.keyspace}.${table.name}`;
      const expected = rows[index]!;
      const found = await readTable(cassandra, table);
      const digestMatches = found.equals(tableDigest(table, expected));
      tables.push({ name, expected, found: found.count, digestMatches });
      progress(`${name}: ${found.count} of ${expected} rows read through ${region.name} in ${seconds(started)} s`);
    }
    return tables;
  }

  /** Rows over all tables that each node of each datacenter holds. */
  private async replicas(size: DrillSize, progress: Progress): Promise<Record<string, number[]>> {
    const rows = tableRows(size.rows);
    const held = await Promise.all(
      this.connected.map(async ({ access, region }): Promise<[string, number[]]> => {
        const nodes: number[] = [];
        for (const address of [...access.addresses].sort()) nodes.push(await rowsOnNode(access, address, rows));
        progress(`${region.datacenter}: nodes hold ${nodes.join(", ")} rows`);
        return [region.datacenter, nodes];
      }),
    );
    return Object.fromEntries(held);
  }

  private get first(): Connected {
    const [first] = this.connected;
    if (!first) throw new Error("the stores are not open");
    return first;
  }
}

/** Rows over all tables that one node holds. */
async function rowsOnNode(access: CassandraAccess, address: string, rows: number[]): Promise<number> {
  const client = await connect(access, address);
  try {
    let held = 0;
    for (const [index, table] of TABLES.entries()) held += await countOnNode(client, address, table, rows[index]!);
    return held;
  } finally {
    await client.shutdown();
  }
}

function total(parts: Restored[]): { expected: number; found: number; digestsMatch: boolean } {
  const sum = (of: "expected" | "found") => parts.reduce((all, part) => all + part[of], 0);
  return { expected: sum("expected"), found: sum("found"), digestsMatch: parts.every((part) => part.digestMatches) };
}

const seconds = (since: number) => ((Date.now() - since) / 1000).toFixed(1);
