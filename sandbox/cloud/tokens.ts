/** Access tokens of service accounts: opaque, valid for an hour, known to this process only. */
import { randomBytes } from "node:crypto";
import type { AccessToken } from "./api";

const LIFETIME_MS = 3600_000;

export class Tokens {
  private readonly issued = new Map<string, { email: string; expires: number }>();

  issue(email: string): AccessToken {
    const accessToken = `ya29.${randomBytes(32).toString("base64url")}`;
    const expires = Date.now() + LIFETIME_MS;
    this.issued.set(accessToken, { email, expires });
    return { accessToken, expiresAt: new Date(expires).toISOString() };
  }

  /** Whose token it is; undefined when it is none or has expired. */
  resolve(token: string): string | undefined {
    const found = this.issued.get(token);
    if (!found || found.expires > Date.now()) return found?.email;
    this.issued.delete(token);
    return undefined;
  }
}
