/** The cloud's clock: real time, and what it was moved forward by. Tokens, certificates and clusters keep real time. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CloudError } from "../lib/types";

/** From `real` on (milliseconds since 1970) the clock was ahead by `ahead` milliseconds. */
interface Move {
  real: number;
  ahead: number;
}

/** Longest move, in seconds: what it passes over is evaluated day by day. */
const LONGEST = 400 * 24 * 3600;

/** Never goes back, so that what happened later has a later time. Kept in `clock.json`, which a restart reads. */
export class CloudClock {
  private readonly file: string;
  private moves: Move[] = [];

  constructor(dir: string) {
    this.file = join(dir, "clock.json");
    if (existsSync(this.file)) this.moves = JSON.parse(readFileSync(this.file, "utf8"));
  }

  /** Was it ever moved? Otherwise cloud time is real time. */
  get moved(): boolean {
    return this.moves.length > 0;
  }

  now(): Date {
    return this.at(new Date());
  }

  /** What the clock showed at a moment of real time. */
  at(real: Date): Date {
    const move = this.moves.findLast((each) => each.real <= real.getTime());
    return new Date(real.getTime() + (move?.ahead ?? 0));
  }

  /** @throws CloudError 400 for a move that is not forward, or of more than 400 days */
  check(seconds: number): void {
    if (!(seconds > 0 && seconds <= LONGEST))
      throw new CloudError(
        400,
        "invalid",
        `the clock cannot be moved by ${seconds} s; allowed: more than 0 and up to ${LONGEST} s, it never goes back`,
      );
  }

  /** @throws CloudError 400 as {@link check} does */
  move(seconds: number): void {
    this.check(seconds);
    const ahead = (this.moves.at(-1)?.ahead ?? 0) + seconds * 1000;
    this.moves = [...this.moves, { real: Date.now(), ahead }];
    mkdirSync(dirname(this.file), { recursive: true });
    writeFileSync(`${this.file}.new`, JSON.stringify(this.moves));
    renameSync(`${this.file}.new`, this.file);
  }
}
