/** What lies between regions: the time that packets take, and whether they arrive. Faults of the network are here. */
import { roundTripMs } from "./places";

export class Paths {
  /** Regions that reach themselves alone. */
  private readonly apart = new Set<string>();
  private readonly factors = new Map<string, number>();
  private readonly listeners = new Set<() => void>();

  /** Milliseconds of one way. */
  delayMs(from: string, to: string): number {
    const factor = Math.max(this.factors.get(from) ?? 1, this.factors.get(to) ?? 1);
    return (roundTripMs(from, to) / 2) * factor;
  }

  /** False: what is sent is lost, and nobody is told. */
  open(from: string, to: string): boolean {
    return from === to || !(this.apart.has(from) || this.apart.has(to));
  }

  /** A region is cut off from all others, or joined again. */
  partition(region: string, apart: boolean): void {
    if (apart) this.apart.add(region);
    else this.apart.delete(region);
    this.tell();
  }

  /** Everything from and to a region takes so many times as long; 1: as ever. */
  slow(region: string, factor: number): void {
    if (factor === 1) this.factors.delete(region);
    else this.factors.set(region, factor);
    this.tell();
  }

  /** Calls back after every change. */
  onChange(listener: () => void): void {
    this.listeners.add(listener);
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}
