/**
 * A way from one region to a port in another: a TCP relay that takes the time of the distance. What goes into a broken way is
 * lost without a word, as on a network: no refusal, no end of a connection.
 */
import { connect, createServer, type Server, type Socket } from "node:net";

/** A {@link Wire}'s surroundings, asked again and again. */
export interface WireOptions {
  target: { host: string; port: number };
  /** Milliseconds of one way, now. */
  delayMs(): number;
  /** True while packets arrive. */
  open(): boolean;
}

/** Bytes under way after which a sender waits. */
const WINDOW = 1 << 20;

export class Wire {
  private readonly held = new Set<Socket>();
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    /** Where the near end listens. */
    readonly end: { host: string; port: number },
    private readonly options: WireOptions,
  ) {}

  /** Listens on a free port of the loopback. */
  static start(options: WireOptions): Promise<Wire> {
    return new Promise((resolve, reject) => {
      const server = createServer({ allowHalfOpen: true }, (near) => wire.carry(near));
      let wire: Wire;
      server.once("error", reject);
      server.listen(0, "127.0.0.1", () => {
        wire = new Wire(server, { host: "127.0.0.1", port: (server.address() as { port: number }).port }, options);
        resolve(wire);
      });
    });
  }

  /** When packets arrive again, whoever still waits for an answer to old ones learns that nobody knows of them. */
  mend(): void {
    if (!this.options.open()) return;
    for (const socket of this.held) socket.resetAndDestroy();
    this.held.clear();
  }

  /** Takes no new connections; those that are open may end within the time. */
  async close(graceMs = 0): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    const timer = setTimeout(() => {
      for (const socket of this.sockets) socket.destroy();
    }, graceMs);
    timer.unref();
    await closed;
    clearTimeout(timer);
  }

  private carry(near: Socket): void {
    this.track(near);
    if (!this.options.open()) {
      this.hold(near);
      return;
    }
    const far = connect({ ...this.options.target, allowHalfOpen: true });
    this.track(far);
    near.setNoDelay(true);
    far.setNoDelay(true);
    this.direct(near, far, near);
    this.direct(far, near, near);
  }

  /** One direction. An end or a reset is told to the other side unless the way is broken by then. */
  private direct(from: Socket, to: Socket, near: Socket): void {
    let due = 0;
    let waiting = 0;
    const under: (() => void)[] = [];
    const later = (work: () => void) => {
      due = Math.max(due, performance.now() + this.options.delayMs());
      under.push(work);
      // Timers of the same moment may fire in another order: each takes what has been under way the longest.
      setTimeout(() => {
        const oldest = under.shift();
        if (this.options.open()) oldest?.();
        else this.hold(near);
      }, due - performance.now());
    };
    from.on("data", (chunk: Buffer) => {
      waiting += chunk.length;
      if (waiting > WINDOW) from.pause();
      later(() => {
        waiting -= chunk.length;
        if (waiting <= WINDOW) from.resume();
        if (!to.destroyed) to.write(chunk);
      });
    });
    from.on("end", () => later(() => to.end()));
    from.on("error", () => later(() => to.resetAndDestroy()));
    from.on("close", () => later(() => void (to.destroyed || to.end())));
  }

  /** Keeps a connection whose other side is out of reach. */
  private hold(near: Socket): void {
    if (near.destroyed) return;
    this.held.add(near);
    near.resume();
  }

  private track(socket: Socket): void {
    this.sockets.add(socket);
    // Told where it matters; without a listener it would end the process.
    socket.on("error", () => undefined);
    socket.once("close", () => {
      this.sockets.delete(socket);
      this.held.delete(socket);
    });
  }
}
