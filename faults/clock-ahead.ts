/** A program of Node.js whose clock is wrong: its own, and nobody else's. */

/** Environment in which a program's clock is so many seconds ahead; behind when they are negative. */
export function clockAhead(seconds: number): { NODE_OPTIONS: string } {
  const shim = `const Real = Date;
const ahead = ${seconds} * 1000;
globalThis.Date = class extends Real {
  constructor(...given) {
    if (given.length === 0) super(Real.now() + ahead);
    else super(...given);
  }
  static now() {
    return Real.now() + ahead;
  }
};`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(shim)}` };
}
