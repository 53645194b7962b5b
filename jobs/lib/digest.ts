import { createHash } from "node:crypto";

const MODULUS = 1n << 128n;

/** Sum of the entries' hashes modulo 2^128: the same for the same entries in any order, and as large for any number of them. */
export class Digest {
  count = 0;
  private sum = 0n;

  add(entry: string): void {
    this.sum = (this.sum + BigInt(`0x${createHash("sha256").update(entry).digest("hex").slice(32)}`)) % MODULUS;
    this.count++;
  }

  merge(other: Digest): void {
    this.sum = (this.sum + other.sum) % MODULUS;
    this.count += other.count;
  }

  toString(): string {
    return this.sum.toString(16).padStart(32, "0");
  }

  equals(other: Digest): boolean {
    return this.count === other.count && this.sum === other.sum;
  }
}
