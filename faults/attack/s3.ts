/** The attempts on S3, by its REST API. */
import type { Place, PlaceOperation, Principal } from "./cells";
import { type Answer, type Measured, measured, type Storage, type Target } from "./storage";

/** A request to `/BUCKET…`. */
export interface S3Request {
  method: string;
  path: string;
  body?: string;
}

/** Sends requests signed as a role; without one, unsigned: whoever lives on the other cloud has no credentials of AWS. */
export interface S3Client {
  send(roleArn: string | undefined, request: S3Request): Promise<Answer & { version: string }>;
  /** Asks STS who a role is, by `GetCallerIdentity`. */
  whoami(roleArn: string): Promise<Answer>;
  /** Asks STS for credentials of another role. */
  mint(roleArn: string | undefined, victim: string): Promise<Answer>;
}

const path = ({ bucket }: Place, name = "") =>
  `/${bucket}${name && `/${name.split("/").map(encodeURIComponent).join("/")}`}`;
const isKept = (body: string) => /protected by object lock/i.test(body);

/** S3 as an attacker uses it. */
export class S3Attack implements Storage {
  constructor(private readonly client: S3Client) {}

  async seed(who: Principal, place: Place, name: string): Promise<Target> {
    const { version } = await this.must(who, { method: "PUT", path: path(place, name), body: "seed" });
    return { name, version };
  }

  async find(who: Principal, place: Place): Promise<Target | undefined> {
    const query = new URLSearchParams({ "list-type": "2", prefix: place.prefix, "max-keys": "1" });
    const { body } = await this.must(who, { method: "GET", path: `${path(place)}?${query}` });
    const name = /<Key>([^<]+)<\/Key>/.exec(body)?.[1];
    if (name === undefined) return undefined;
    const { version } = await this.must(who, { method: "GET", path: path(place, name) });
    return { name, version };
  }

  async attempt(
    who: Principal,
    place: Place,
    operation: PlaceOperation,
    aim: { target: Target; fresh: string },
  ): Promise<Measured> {
    const role = roleOf(who);
    return measured(await this.client.send(role, requestOf(who, place, operation, aim)), isKept, role === undefined);
  }

  async identify(who: Principal): Promise<string> {
    const { status, body } = await this.client.whoami(who.name);
    if (status !== 200) throw new Error(`${status}: ${body.slice(0, 300)}`);
    const session = /<Arn>([^<]+)<\/Arn>/.exec(body)?.[1] ?? "";
    const [, account, role] = /^arn:aws:sts::(\d+):assumed-role\/([^/]+)\//.exec(session) ?? [];
    // A session's name has the role's own alone, without its path.
    const own = /^arn:aws:iam::(\d+):role\/(?:.*\/)?([^/]+)$/.exec(who.name);
    return own && account === own[1] && role === own[2] ? who.name : session;
  }

  async mint(who: Principal, victim: Principal): Promise<Measured> {
    return measured(await this.client.mint(roleOf(who), victim.name), () => false);
  }

  private async must(who: Principal, request: S3Request) {
    const answer = await this.client.send(roleOf(who), request);
    if (answer.status >= 300)
      throw new Error(`${who.name} was refused ${request.method} ${request.path}, ${answer.status}: ${answer.body}`);
    return answer;
  }
}

const roleOf = ({ cloud, name }: Principal) => (cloud === "aws" ? name : undefined);

function requestOf(
  who: Principal,
  place: Place,
  operation: PlaceOperation,
  { target, fresh }: { target: Target; fresh: string },
): S3Request {
  const object = path(place, target.name);
  switch (operation) {
    case "list":
      return {
        method: "GET",
        path: `${path(place)}?${new URLSearchParams({ "list-type": "2", prefix: place.prefix })}`,
      };
    case "read":
      return { method: "GET", path: object };
    case "write":
      return { method: "PUT", path: path(place, fresh), body: "attack" };
    case "overwrite":
      return { method: "PUT", path: object, body: "attack" };
    case "delete":
      return { method: "DELETE", path: object };
    case "delete version":
      return { method: "DELETE", path: `${object}?${new URLSearchParams({ versionId: target.version })}` };
    case "change policy":
      return { method: "DELETE", path: `${path(place)}?policy` };
    case "grant to oneself": {
      const Principal = who.cloud === "aws" ? { AWS: who.name } : "*";
      const Resource = [`arn:aws:s3:::${place.bucket}`, `arn:aws:s3:::${place.bucket}/*`];
      const Statement = [{ Effect: "Allow", Principal, Action: "s3:*", Resource }];
      return {
        method: "PUT",
        path: `${path(place)}?policy`,
        body: JSON.stringify({ Version: "2012-10-17", Statement }),
      };
    }
    case "change retention":
      // A lock of nothing: the version's own ends.
      return { method: "PUT", path: `${object}?retention`, body: "<Retention></Retention>" };
  }
}
