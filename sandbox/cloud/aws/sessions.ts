/** Temporary credentials: whose they are and until when (of real time, as tokens), known to this process only. */
import { randomBytes } from "node:crypto";
import type { Caller } from "./access";

/** Credentials of a session. */
export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  /** When they end. */
  expiration: Date;
}

interface Session extends Credentials {
  caller: Caller;
}

export class AwsSessions {
  private readonly issued = new Map<string, Session>();

  /** New credentials of a caller, for some seconds. */
  issue(caller: Caller, seconds = 3600): Credentials {
    const session: Session = {
      accessKeyId: `ASIA${randomBytes(10).toString("hex").toUpperCase().slice(0, 16)}`,
      secretAccessKey: randomBytes(30).toString("base64"),
      sessionToken: randomBytes(96).toString("base64"),
      expiration: new Date(Date.now() + seconds * 1000),
      caller,
    };
    this.issued.set(session.accessKeyId, session);
    const { caller: _, ...credentials } = session;
    return credentials;
  }

  /** The session of an access key; undefined: there is none, or it has ended. */
  find(accessKeyId: string): Session | undefined {
    const session = this.issued.get(accessKeyId);
    if (!session || session.expiration > new Date()) return session;
    this.issued.delete(accessKeyId);
    return undefined;
  }
}
