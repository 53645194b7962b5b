/** Pseudo-random values of the drill's data set, of the types that the Cassandra driver takes and gives. */
import { createHash } from "node:crypto";
import { types } from "cassandra-driver";

/** A short deterministic sequence of values. */
export class Values {
  private state: number;
  private readonly bytes: Buffer;

  constructor(name: string) {
    this.bytes = createHash("sha256").update(name).digest();
    this.state = this.bytes.readUInt32LE(0);
  }

  /** From 0 to below the limit (mulberry32). */
  int(limit: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  }

  signed = () => this.int(2 ** 32) - 2 ** 31;
  long = () => types.Long.fromBits(this.signed(), this.signed());
  decimal = () => types.BigDecimal.fromString(`${this.int(2) ? "" : "-"}${this.int(1e9)}.${10 + this.int(90)}`);
  double = () => (this.int(2 ** 31) - 2 ** 30) / 1024;
  boolean = () => this.int(2) === 1;
  date = () => new Date(Date.UTC(2024, 0, 1) + this.int(6e7) * 1000 + this.int(1000));
  pick = <T>(from: readonly T[]): T => from[this.int(from.length)]!;
  many = <T>(most: number, make: () => T): T[] => Array.from({ length: this.int(most + 1) }, make);
  text = () => `${this.pick(WORDS)} ${this.pick(WORDS)} ${this.int(1e6)}`;
  blob = (most: number) => Buffer.from(this.many(most, () => this.int(256)));

  uuid(): types.Uuid {
    const bytes = Buffer.from(this.bytes.subarray(16));
    bytes[6] = (bytes[6]! & 0x0f) | 0x40;
    bytes[8] = (bytes[8]! & 0x3f) | 0x80;
    return new types.Uuid(bytes);
  }

  timeuuid(): types.TimeUuid {
    return types.TimeUuid.fromDate(
      this.date(),
      this.int(10000),
      this.bytes.subarray(16, 22),
      this.bytes.subarray(22, 24),
    );
  }
}

export const WORDS = [
  "archive",
  "Blende",
  "caméra",
  "dailies",
  "编辑",
  "finál",
  "görüntü",
  "hd",
  "ingest",
  "кадр",
  "録画",
  "🎬",
];
